#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/commit.h"
#include "core/cpus.h"
#include "core/progress.h"
#include "index/code_kernels.h"
#include "math/simd_level.h"
#include "model/bundle.h"

namespace pagoda::cli {

namespace {

// "events       buy; histories of their own: view, hate": kinds of events by the history that reads them.
void tell_of_events(const features::UserEncoder& encoder) {
  std::vector<std::string> positive;
  for (const auto& kind : encoder.event_kinds())
    if (kind.history == features::EventHistory::main) positive.push_back(kind.name);
  if (positive.empty()) return;
  const auto& own = encoder.own_histories();
  const auto text = fmt::format("{}{}", fmt::join(positive, ", "),
                                own.empty() ? "" : fmt::format("; histories of their own: {}", fmt::join(own, ", ")));
  std::printf("  events       %s\n", text.c_str());
}

}  // namespace

void run_inspect(const InspectArgs& args) {
  const auto bundle = model::Bundle::open(args.model);
  const auto& info = bundle->info();
  if (args.json) {
    nlohmann::ordered_json j;
    j["fingerprint"] = bundle->fingerprint();
    j["info"] = nlohmann::ordered_json::parse(bundle->file().text("info"));
    if (bundle->ensemble()) j["members"] = nlohmann::ordered_json::parse(bundle->file().text("members"));
    if (const auto& judged = bundle->judged())
      j["judged"] = {{"fingerprint", judged->fingerprint}, {"training_rows", judged->training_rows}};
    j["index"] = bundle->index().kind();
    if (const auto* neighbours = bundle->neighbours())
      j["neighbours"] = {{"kind", model::name_of(neighbours->choice().kind)},
                         {"shrinkage", neighbours->choice().shrinkage},
                         {"weight", neighbours->weight()}};
    if (!bundle->metrics().empty()) j["metrics"] = nlohmann::ordered_json::parse(bundle->metrics());
    for (const auto& s : bundle->file().sections())
      j["sections"].push_back({{"name", s.name}, {"bytes", s.size}, {"checksum", fmt::format("{:016x}", s.checksum)}});
    j["config"] = bundle->config();
    std::printf("%s\n", j.dump(1).c_str());
    return;
  }
  std::printf("%s\n", args.model.c_str());
  std::printf("  fingerprint  %s, written by pagoda %s\n", bundle->fingerprint().c_str(), info.version.c_str());
  std::printf("  items        %s, vectors of %lu, index %s\n", human_count(static_cast<double>(info.items)).c_str(),
              info.dim, std::string(bundle->index().kind()).c_str());
  if (const auto* neighbours = bundle->neighbours())
    std::printf("  neighbours   %s, weight %.3g\n", std::string(model::name_of(neighbours->choice().kind)).c_str(),
                neighbours->weight());
  if (bundle->ensemble())
    for (const auto& member : bundle->members())
      std::printf("  member       %s, weight %g, vectors of %zu, %lu epochs\n", member.fingerprint.c_str(),
                  member.weight, member.dim(), member.info.epochs);
  if (info.towers) {
    std::printf("  users        %s\n", human_count(static_cast<double>(info.users)).c_str());
    const auto type = [](bool integers) { return integers ? "integers" : "text"; };
    std::printf("  ids          of users %s, of items %s\n", type(info.integer_users), type(info.integer_items));
    std::printf("  trained on   %s rows, %lu epochs, chosen on %s%s\n",
                human_count(static_cast<double>(info.training_rows)).c_str(), info.epochs, info.chosen_on.c_str(),
                info.all_rows ? ", then on all rows"
                : info.refit  ? ", then refit on train and validation"
                              : "");
    if (const auto& judged = bundle->judged())
      std::printf("  judged       %s in its place, on %s rows; the figures are of that model\n",
                  judged->fingerprint.c_str(), human_count(static_cast<double>(judged->training_rows)).c_str());
    std::printf("  order        %s\n", info.uses_order ? "the order of a user's items matters"
                                                       : "the order of a user's items does not matter");
    if (!bundle->ensemble()) tell_of_events(bundle->members()[0].model.user_encoder);
  }
  if (!bundle->metrics().empty()) {
    const auto evaluation = nlohmann::ordered_json::parse(bundle->metrics());  // outlives the loop over its part
    for (const auto& [name, value] : evaluation.at("metrics").items())
      std::printf("  %-12s %s\n", name.c_str(),
                  value.is_number() ? fmt::format("{:.4f}", value.get<double>()).c_str() : "-");
  }
  std::printf("\n  %-32s %14s\n", "section", "bytes");
  for (const auto& s : bundle->file().sections()) std::printf("  %-32s %14lu\n", s.name.c_str(), s.size);
}

void run_doctor() {
  fmt::print("{}\n", program_text());
  const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  const int usable = usable_cpus();
  fmt::print(
      "  CPUs         {}{}\n", cpus,
      usable == cpus
          ? ""
          : fmt::format(
                "  (this process may use {}, and threads = 0 takes as many: CPU affinity or a CPU quota is the limit)",
                usable));
  const auto best = math::usable_simd_levels().back();
  const auto name_up_to = [&](math::SimdLevel most) { return math::name_of(std::min(best, most)); };
  const bool codes_by_vnni = index::code_kernels_level() == math::SimdLevel::avx512;
  fmt::print("  kernels      {}{}\n", math::name_of(best),
             math::amx_state() == math::AmxState::refused
                 ? "  (the kernel does not let this process use the tile registers of AMX, which the CPU has)"
                 : "");
  fmt::print("    loss       {}; model.precision = \"bf16\": {}\n", name_up_to(math::SimdLevel::avx512),
             math::use_bf16_loss() ? std::string(math::name_of(best))
                                   : "f32, which is faster without AMX or a fast AVX-512 BF16");
  fmt::print("    layers     oneDNN\n");
  fmt::print("    scans      {}; of codes: {}\n", name_up_to(math::SimdLevel::avx512),
             codes_by_vnni ? "avx512 with VNNI" : math::name_of(index::code_kernels_level()));
  std::string pages = "unknown";
  if (file_exists("/sys/kernel/mm/transparent_hugepage/enabled")) {
    std::FILE* f = std::fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
    char text[128] = {};
    if (f && std::fgets(text, sizeof text, f)) pages = text;
    if (f) std::fclose(f);
    pages = pages.substr(0, pages.find('\n'));
  }
  std::printf("  huge pages   %s%s\n", pages.c_str(),
              pages.find("[never]") != std::string::npos
                  ? "  (random rows are read up to three times slower: set madvise)"
                  : "");
}

}  // namespace pagoda::cli
