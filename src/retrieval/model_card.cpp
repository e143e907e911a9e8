#include "retrieval/model_card.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace pagoda::retrieval {
namespace {

constexpr std::array<std::string_view, 7> kPaths{"interactions", "impressions",  "items",       "users",
                                                 "test_files",   "item_vectors", "user_vectors"};

// A bundle's config is written by this program: one line per key, and a table's name on its own line.
std::string without_paths(std::string_view config) {
  std::string out;
  bool of_data = false;
  for (size_t begin = 0, end = 0; begin < config.size(); begin = end) {
    end = std::min(config.find('\n', begin), config.size() - 1) + 1;
    const auto line = config.substr(begin, end - begin);
    if (line.starts_with('[')) of_data = line.starts_with("[data]") || line.starts_with("[data.");
    const auto key = line.substr(0, std::min(line.find(' '), line.find('=')));
    if (!of_data || std::ranges::find(kPaths, key) == kPaths.end()) out += line;
  }
  return out;
}

}  // namespace

ModelCard model_card(const Retrieval& retrieval, bool with_paths) {
  const auto& bundle = retrieval.bundle();
  auto info = nlohmann::ordered_json::parse(bundle.file().text("info"));
  if (const auto& judged = bundle.judged())
    info["judged"] = {{"fingerprint", judged->fingerprint}, {"training_rows", judged->training_rows}};
  if (const auto* neighbours = bundle.neighbours())
    info["neighbours"] = {{"kind", model::name_of(neighbours->choice().kind)},
                          {"shrinkage", neighbours->choice().shrinkage},
                          {"weight", neighbours->weight()}};
  ModelCard card{.fingerprint = bundle.fingerprint(),
                 .info = info.dump(1),
                 .index = std::string(bundle.index().kind()),
                 .context = {},
                 .features = {},
                 .events = {},
                 .attributes = {},
                 .added_items = retrieval.added_items(),
                 .hidden_items = retrieval.hidden_items(),
                 .metrics = std::string(bundle.metrics()),
                 .config = with_paths ? std::string(bundle.config()) : without_paths(bundle.config())};
  const auto add = [](std::vector<std::string>& list, const std::string& name) {
    if (std::ranges::find(list, name) == list.end()) list.push_back(name);
  };
  if (bundle.info().towers)
    for (const auto& member : bundle.members()) {
      for (const auto& name : member.model.user_encoder.context_names()) add(card.context, name);
      for (const auto& name : member.model.user_encoder.table_columns()) add(card.features, name);
      for (const auto& kind : member.model.user_encoder.event_kinds())
        if (kind.history != features::EventHistory::none) add(card.events, kind.name);
    }
  for (const auto& column : bundle.item_attributes().columns)
    card.attributes.emplace_back(column.name, columns::name_of(column.type));
  return card;
}

}  // namespace pagoda::retrieval
