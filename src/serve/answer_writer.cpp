#include "serve/answer_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace pagoda {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
void append_number(std::string& out, T value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_real(std::string& out, double value) {
  if (std::isfinite(value))
    append_number(out, value);
  else
    out += "null";
}

void append_cell(std::string& out, const Column& column, uint32_t row) {
  if (row == Interner::kNone || column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type) {
    case ColumnType::integer: return append_number(out, column.integers[row]);
    case ColumnType::real: return append_real(out, column.reals[row]);
    case ColumnType::boolean: out += column.integers[row] ? "true" : "false"; return;
    case ColumnType::time: return append_json_text(out, format_time_us(column.integers[row]));
    case ColumnType::text: {
      std::string scratch;
      return append_json_text(out, column.as_text(row, scratch));
    }
    case ColumnType::texts: {
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

// append(i) for each i < n, between brackets.
template <class Append>
void append_array(std::string& out, size_t n, Append append) {
  out += '[';
  for (size_t i = 0; i < n; ++i) {
    if (i > 0) out += ", ";
    append(i);
  }
  out += ']';
}

Json explain_json(const Outcome& outcome) {
  const auto& e = *outcome.explain;
  const auto of_query = e.queries.empty() ? SearchExplain::Query{} : e.queries[0];
  const auto ms = [](double seconds) { return std::round(seconds * 1e6) / 1e3; };
  return {{"plan", e.plan},
          {"selectivity", e.selectivity},
          {"lists_probed", of_query.lists_probed},
          {"vectors_scored", of_query.vectors_scored},
          {"vectors_reranked", of_query.vectors_reranked},
          {"times_ms",
           {{"queue", ms(outcome.queue_s)},
            {"encode", ms(outcome.times.encode_s)},
            {"filter", ms(outcome.times.filter_s)},
            {"search", ms(outcome.times.search_s)},
            {"centres", ms(e.centres_s)},
            {"scan", ms(e.scan_s)},
            {"rerank", ms(e.rerank_s)}}}};
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (plain)
    out += '"', out += text, out += '"';
  else
    out += Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
}

void append_json_number(std::string& out, float value) {
  if (std::isfinite(value))
    append_number(out, value);
  else
    out += "null";
}

void append_list(std::string& out, const Retrieval& retrieval, const Outcome& outcome,
                 std::span<const size_t> attributes, bool of_a_user) {
  const auto& items = outcome.items;
  out += '{';
  if (of_a_user) out += outcome.user_known ? "\"user_known\": true, " : "\"user_known\": false, ";
  out += "\"items\": ";
  append_array(out, items.size(), [&](size_t i) { append_json_text(out, retrieval.item_id(items[i])); });
  out += ", \"scores\": ";
  append_array(out, items.size(), [&](size_t i) { append_json_number(out, outcome.scores[i]); });
  if (!attributes.empty()) {
    out += ", \"attributes\": ";
    append_array(out, items.size(), [&](size_t i) {
      const char* separator = "{";
      for (const size_t attribute : attributes) {
        const auto [column, row] = retrieval.attribute(attribute, items[i]);
        out += std::exchange(separator, ", ");
        append_json_text(out, column->name);
        out += ": ";
        append_cell(out, *column, row);
      }
      out += '}';
    });
  }
  out += ", \"model\": \"" + retrieval.bundle().fingerprint() + '"';
  if (outcome.explain) out += ", \"explain\": " + explain_json(outcome).dump();
  out += '}';
}

void append_vectors(std::string& out, const Bundle& bundle, MatrixView<const float> vectors) {
  out += "{\"vectors\": ";
  append_array(out, vectors.rows(), [&](size_t row) {
    append_array(out, vectors.cols(), [&](size_t column) { append_json_number(out, vectors[row][column]); });
  });
  out += ", \"model\": \"" + bundle.fingerprint() + "\"}";
}

std::string model_json(const Retrieval& retrieval) {
  const auto& bundle = retrieval.bundle();
  const auto* additions = retrieval.additions();
  Json contexts = Json::array(), features = Json::array(), attributes = Json::object();
  const auto add = [](Json& list, const std::string& name) {
    if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  };
  if (bundle.info().towers)
    for (const auto& member : bundle.members()) {
      for (const auto& name : member.model.user_encoder.context_names()) add(contexts, name);
      for (const auto& name : member.model.user_encoder.table_columns()) add(features, name);
    }
  for (const auto& column : bundle.item_attributes().columns) attributes[column.name] = name_of(column.type);
  const Json model{{"fingerprint", bundle.fingerprint()},
                   {"info", Json::parse(bundle.file().text("info"))},
                   {"index", bundle.index().kind()},
                   {"context", contexts},
                   {"features", features},
                   {"attributes", attributes},
                   {"added_items", additions ? additions->items().rows() : 0},
                   {"hidden_items", additions ? bundle.item_ids().size() - additions->shown().count() : 0},
                   {"metrics", bundle.metrics().empty() ? Json() : Json::parse(bundle.metrics())},
                   {"config", bundle.config()}};
  return model.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pagoda
