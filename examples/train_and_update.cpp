// From a config to candidates, then items that came after the training.
//   train_and_update pagoda.toml model.pagoda     the config as `pagoda init` writes it
#include <pagoda/pagoda.h>

#include <atomic>
#include <csignal>
#include <cstdio>

std::atomic<bool> interrupted = false;

int main(int argc, char** argv) try {
  if (argc != 3) return std::fprintf(stderr, "usage: train_and_update CONFIG OUTPUT\n"), 2;
  std::signal(SIGINT, [](int) { interrupted = true; });
  pagoda::train_model(argv[1], argv[2], {.set = {"train.epochs=2"}, .resume = true, .interrupt = &interrupted});

  const pagoda::Retriever retriever(argv[2]);
  // A stranger of whom you know what they just looked at.
  const auto seed = retriever.retrieve(pagoda::Request{}, {.k = 3});
  pagoda::Request request;
  request.history.emplace();
  for (const auto& candidate : seed) request.history->push_back(candidate.item);

  // An item that nobody has clicked yet is placed by its attributes, of which you give all that you know.
  const pagoda::ItemChange changes[] = {{.item = "brand-new", .attributes = {}},
                                        {.item = seed[0].item, .deleted = true}};
  const auto updated = retriever.with_changes(changes);
  std::printf("pagoda %s, %zu items\n", std::string(pagoda::version()).c_str(), updated.items());
  for (const auto& [item, score] : updated.retrieve(request, {.k = 10})) std::printf("%s\t%.4f\n", item.c_str(), score);
} catch (const pagoda::Error& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return e.kind() == pagoda::ErrorKind::interrupted ? 130 : 1;
}
