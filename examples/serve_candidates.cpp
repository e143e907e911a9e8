// Candidates within a program of yours: one Retriever, many threads, another bundle without a pause.
//   serve_candidates MODEL.pagoda < users.txt     a user's id a line; an empty line takes up the bundle that now lies there
#include <pagoda/retriever.h>

#include <cstdio>
#include <iostream>
#include <mutex>

// What your threads answer from. A request keeps the Retriever that it began with.
class Current {
 public:
  explicit Current(std::string path) : path_(std::move(path)), retriever_(path_) {}
  pagoda::Retriever get() const {
    const std::lock_guard lock(mutex_);
    return retriever_;  // a copy shares the bundle
  }
  void reload() {
    pagoda::Retriever next(path_);  // outside the lock: it verifies the whole file
    const std::lock_guard lock(mutex_);
    retriever_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::string path_;
  pagoda::Retriever retriever_;
};

int main(int argc, char** argv) try {
  if (argc != 2) return std::fprintf(stderr, "usage: serve_candidates MODEL.pagoda < users.txt\n"), 2;
  Current current(argv[1]);
  for (std::string user; std::getline(std::cin, user);) {
    if (user.empty()) {
      current.reload();
      continue;
    }
    const auto retriever = current.get();
    const auto candidates = retriever.retrieve({.user = user}, {.k = 5});
    std::printf("%s%s", user.c_str(), retriever.knows_user(user) ? "" : " (unknown)");
    for (const auto& candidate : candidates) std::printf(" %s", candidate.item.c_str());
    std::printf("\n");
  }
} catch (const pagoda::Error& e) {
  std::fprintf(stderr, "error: %s\n", e.what());
  return 1;
}
