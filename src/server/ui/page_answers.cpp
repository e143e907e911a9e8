#include "server/ui/page_answers.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "server/json_encoder.h"

namespace pagoda::server {
namespace {

using Json = nlohmann::ordered_json;

void append_numbers(std::string& out, std::span<const float> numbers) {
  append_array(out, numbers.size(), [&](size_t i) { append_number(out, numbers[i]); });
}

void append_rows(std::string& out, math::MatrixView<const float> matrix) {
  append_array(out, matrix.rows(), [&](size_t row) { append_numbers(out, matrix.row(row)); });
}

// , "model": ...}
void append_end(std::string& out, const model::Bundle& bundle) {
  out += ", \"model\": \"" + bundle.fingerprint() + "\"}";
}

}  // namespace

std::string found_items_json(const retrieval::Snapshot& snapshot, std::span<const uint32_t> rows,
                             std::span<const size_t> attributes) {
  const auto& retrieval = snapshot.retrieval;
  std::string out = "{\"items\": ";
  append_array(out, rows.size(), [&](size_t i) { append_json_text(out, retrieval.item_id(rows[i])); });
  out += ", \"counts\": ";
  append_array(out, rows.size(), [&](size_t i) { append_number(out, snapshot.catalogue->count(rows[i])); });
  append_attributes(out, retrieval, rows, attributes);
  append_end(out, snapshot.bundle());
  return out;
}

std::string found_users_json(const retrieval::Snapshot& snapshot, const retrieval::LiveEvents& events,
                             std::span<const uint32_t> rows, size_t history) {
  const auto& bundle = snapshot.bundle();
  std::vector<std::vector<std::string>> histories;
  for (const uint32_t row : rows) {
    auto& of = histories.emplace_back();
    for (const uint32_t item : bundle.user_states().histories[row]) of.emplace_back(bundle.item_ids()[item]);
    retrieval::RetrieveRequest request;
    request.user = std::string(bundle.user_ids()[row]);
    events.put_into(request, snapshot.retrieval);
    std::ranges::move(request.recent, std::back_inserter(of));
  }
  std::string out = "{\"users\": ";
  append_array(out, rows.size(), [&](size_t i) { append_json_text(out, bundle.user_ids()[rows[i]]); });
  out += ", \"seen\": ";
  append_array(out, rows.size(), [&](size_t i) { append_number(out, histories[i].size()); });
  if (history > 0) {
    out += ", \"histories\": ";
    append_array(out, rows.size(), [&](size_t i) {
      const std::span whole(histories[i]);
      const auto latest = whole.last(std::min(whole.size(), history));
      append_array(out, latest.size(), [&](size_t n) { append_json_text(out, latest[n]); });
    });
  }
  append_end(out, bundle);
  return out;
}

std::string catalogue_json(const retrieval::Snapshot& snapshot, bool compares) {
  const auto& bundle = snapshot.bundle();
  const auto& map = snapshot.catalogue->map();
  Json popularity = Json::array();
  for (const auto& bucket : snapshot.catalogue->popularity())
    popularity.push_back(
        {{"bucket", bucket.name}, {"least_count", bucket.least_count}, {"items", bucket.items}, {"rows", bucket.rows}});
  const auto* title = bundle.title_column();
  std::string out = "{\"name\": ";
  append_json_text(out, std::filesystem::path(bundle.file().path()).stem().string());
  out +=
      fmt::format(R"(, "items": {}, "training_rows": {}, "title": {}, "compare": {}, "beside": {}, "popularity": {}, )"
                  R"("map": {{"items": )",
                  bundle.item_ids().size(), bundle.info().training_rows, title ? Json(title->name).dump() : "null",
                  compares, compares, popularity.dump());
  append_array(out, map.items.size(), [&](size_t i) { append_json_text(out, bundle.item_ids()[map.items[i]]); });
  out += ", \"points\": ";
  append_rows(out, map.points);
  out += ", \"centre\": ";
  append_numbers(out, map.centre);
  out += ", \"axes\": ";
  append_rows(out, map.axes);
  out += ", \"length\": ";
  append_number(out, map.length);
  out += ", \"variance\": ";
  append_number(out, map.variance);
  out += '}';
  append_end(out, bundle);
  return out;
}

}  // namespace pagoda::server
