#include "server/json_encoder.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "retrieval/model_card.h"
#include "server/response_encoder.h"

namespace pagoda::server {
namespace {

using Json = nlohmann::ordered_json;

void append_cell(std::string& out, const columns::Column& column, uint32_t row) {
  if (row == columns::Interner::kNone || column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type) {
    case columns::ColumnType::integer: return append_number(out, column.integers[row]);
    case columns::ColumnType::real: return append_number(out, column.reals[row]);
    case columns::ColumnType::boolean: out += column.integers[row] ? "true" : "false"; return;
    case columns::ColumnType::time: return append_json_text(out, columns::format_time_us(column.integers[row]));
    case columns::ColumnType::decimal: out += column.text_of(row); return;  // as a JSON number with all its digits
    case columns::ColumnType::text: {
      std::string scratch;
      return append_json_text(out, column.as_text(row, scratch));
    }
    case columns::ColumnType::texts: {
      out += '[';
      const char* separator = "";
      column.for_each_element(row, '\0', [&](std::string_view element) {
        out += std::exchange(separator, ", ");
        append_json_text(out, element);
      });
      out += ']';
    }
  }
}

Json explain_json(const SearchOutcome& outcome) {
  const auto& e = *outcome.explain;
  const auto of_query = e.queries.empty() ? index::SearchExplain::Query{} : e.queries[0];
  const auto ms = [](double seconds) { return std::round(seconds * 1e6) / 1e3; };
  return {{"plan", e.plan},
          {"selectivity", e.selectivity},
          {"lists_probed", of_query.lists_probed},
          {"vectors_scored", of_query.vectors_scored},
          {"vectors_reranked", of_query.vectors_reranked},
          {"boosted", of_query.boosted},
          {"live_events", outcome.live_events},
          {"times_ms",
           {{"queue", ms(outcome.queue_s)},
            {"encode", ms(outcome.times.encode_s)},
            {"filter", ms(outcome.times.filter_s)},
            {"search", ms(outcome.times.search_s)},
            {"centres", ms(e.centroids_s)},
            {"scan", ms(e.scan_s)},
            {"rerank", ms(e.rerank_s)}}}};
}

// {"user_known": ..., "items": [...], "scores": [...], "attributes": [...], "model": ..., "explain": {...}};
// `user_known` for candidates only, `attributes` when the request asks for columns, `explain` when the outcome has one.
std::string list_json(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                      std::span<const size_t> attributes, bool of_a_user) {
  const auto& items = outcome.items;
  std::string out = "{";
  if (of_a_user) out += outcome.user_known ? "\"user_known\": true, " : "\"user_known\": false, ";
  if (!outcome.live) out += "\"live\": false, ";
  out += "\"items\": ";
  append_array(out, items.size(), [&](size_t i) { append_json_text(out, retrieval.item_id(items[i])); });
  out += ", \"scores\": ";
  append_array(out, items.size(), [&](size_t i) { append_number(out, outcome.scores[i]); });
  append_attributes(out, retrieval, items, attributes);
  out += ", \"model\": \"" + retrieval.bundle().fingerprint() + '"';
  if (outcome.explain) out += ", \"explain\": " + explain_json(outcome).dump();
  return out + '}';
}

class JsonForm final : public ResponseEncoder {
 public:
  std::string candidates(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                         std::span<const size_t> attributes) const override {
    return list_json(retrieval, outcome, attributes, true);
  }
  std::string neighbours(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                         std::span<const size_t> attributes) const override {
    return list_json(retrieval, outcome, attributes, false);
  }
  std::string batch(std::span<const std::string> candidates) const override {
    std::string out = "{\"answers\": ";
    append_array(out, candidates.size(), [&](size_t i) { out += candidates[i]; });
    return out + '}';
  }
  std::string vectors(const model::Bundle& bundle, math::MatrixView<const float> vectors) const override {
    std::string out = "{\"vectors\": ";
    append_array(out, vectors.rows(), [&](size_t row) {
      append_array(out, vectors.cols(), [&](size_t column) { append_number(out, vectors[row][column]); });
    });
    return out + ", \"model\": \"" + bundle.fingerprint() + "\"}";
  }
  std::string changed(size_t items) const override { return "{\"items\": " + std::to_string(items) + '}'; }
  std::string taken(const TakenEvents& events) const override {
    Json reply{{"events", events.events}};
    if (events.repeated > 0) reply["repeated"] = events.repeated;
    if (events.unknown_items > 0) reply["unknown_items"] = events.unknown_items;
    return reply.dump();
  }
  std::string model(const retrieval::Retrieval& retrieval, bool with_paths) const override {
    const auto card = retrieval::model_card(retrieval, with_paths);
    Json attributes = Json::object();
    for (const auto& [name, type] : card.attributes) attributes[name] = type;
    const Json model{{"fingerprint", card.fingerprint},
                     {"info", Json::parse(card.info)},
                     {"index", card.index},
                     {"context", card.context},
                     {"features", card.features},
                     {"events", card.events},
                     {"attributes", attributes},
                     {"added_items", card.added_items},
                     {"hidden_items", card.hidden_items},
                     {"metrics", card.metrics.empty() ? Json() : Json::parse(card.metrics)},
                     {"config", card.config}};
    return model.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
};

}  // namespace

void append_attributes(std::string& out, const retrieval::Retrieval& retrieval, std::span<const uint32_t> items,
                       std::span<const size_t> columns) {
  if (columns.empty()) return;
  out += ", \"attributes\": ";
  append_array(out, items.size(), [&](size_t i) {
    const char* separator = "{";
    for (const size_t c : columns) {
      const auto [column, row] = retrieval.attribute(c, items[i]);
      out += std::exchange(separator, ", ");
      append_json_text(out, column->name);
      out += ": ";
      append_cell(out, *column, row);
    }
    out += '}';
  });
}

void append_json_text(std::string& out, std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (plain) {
    out += '"';
    out += text;
    out += '"';
  } else
    out += Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string mended_utf8(std::string_view text) {
  if (columns::is_utf8(text)) return std::string(text);
  std::string quoted;
  append_json_text(quoted, text);
  return Json::parse(quoted).get<std::string>();
}

const ResponseEncoder& json_encoder() {
  static const JsonForm form;
  return form;
}

}  // namespace pagoda::server
