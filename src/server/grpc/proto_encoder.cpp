#include "server/grpc/proto_encoder.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <pagoda/v1/retrieval.pb.h>

#include <cmath>

#include "columns/decimal.h"
#include "retrieval/model_card.h"
#include "server/json_encoder.h"

namespace pagoda::server {
namespace {

// A null cell sets no field of the value.
void set_cell(v1::Value& value, const columns::Column& column, uint32_t row) {
  if (row == columns::Interner::kNone || column.is_null(row)) return;
  switch (column.type) {
    case columns::ColumnType::integer: return value.set_integer(column.integers[row]);
    case columns::ColumnType::real:
      if (std::isfinite(column.reals[row])) value.set_real(column.reals[row]);
      return;
    case columns::ColumnType::boolean: return value.set_boolean(column.integers[row] != 0);
    case columns::ColumnType::time: return value.set_text(columns::format_time_us(column.integers[row]));
    case columns::ColumnType::decimal: {
      const std::string number(column.text_of(row));
      if (const auto whole = columns::Decimal::parse(number)->as_int64()) return value.set_integer(*whole);
      return value.set_number(number);
    }
    case columns::ColumnType::text: {
      std::string scratch;
      return value.set_text(mended_utf8(column.as_text(row, scratch)));
    }
    case columns::ColumnType::texts: {
      auto& list = *value.mutable_list();
      column.for_each_element(row, '\0', [&](std::string_view element) { list.add_values(mended_utf8(element)); });
    }
  }
}

// The fields that RetrieveResponse and SimilarResponse share.
template <class Message>
Message list_message(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                     std::span<const size_t> attributes) {
  Message message;
  message.mutable_items()->Reserve(static_cast<int>(outcome.items.size()));
  for (const uint32_t item : outcome.items) message.add_items(mended_utf8(retrieval.item_id(item)));
  message.mutable_scores()->Add(outcome.scores.begin(), outcome.scores.end());
  if (!attributes.empty())
    for (const uint32_t item : outcome.items) {
      auto& values = *message.add_attributes()->mutable_values();
      for (const size_t attribute : attributes) {
        const auto [column, row] = retrieval.attribute(attribute, item);
        set_cell(values[column->name], *column, row);
      }
    }
  message.set_model(retrieval.bundle().fingerprint());
  return message;
}

void set_explain(v1::Explain& explain, const SearchOutcome& outcome) {
  const auto& e = *outcome.explain;
  const auto of_query = e.queries.empty() ? index::SearchExplain::Query{} : e.queries[0];
  explain.set_plan(e.plan);
  explain.set_selectivity(e.selectivity);
  explain.set_lists_probed(of_query.lists_probed);
  explain.set_vectors_scored(of_query.vectors_scored);
  explain.set_vectors_reranked(of_query.vectors_reranked);
  explain.set_boosted(of_query.boosted);
  explain.set_live_events(outcome.live_events);
  auto& times = *explain.mutable_times_ms();
  times.set_queue(1e3 * outcome.queue_s);
  times.set_encode(1e3 * outcome.times.encode_s);
  times.set_filter(1e3 * outcome.times.filter_s);
  times.set_search(1e3 * outcome.times.search_s);
  times.set_centres(1e3 * e.centroids_s);
  times.set_scan(1e3 * e.scan_s);
  times.set_rerank(1e3 * e.rerank_s);
}

class ProtoForm final : public ResponseEncoder {
 public:
  std::string candidates(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                         std::span<const size_t> attributes) const override {
    auto message = list_message<v1::RetrieveResponse>(retrieval, outcome, attributes);
    message.set_user_known(outcome.user_known);
    if (!outcome.live) message.set_live(false);
    if (outcome.explain) set_explain(*message.mutable_explain(), outcome);
    return message.SerializeAsString();
  }
  std::string neighbours(const retrieval::Retrieval& retrieval, const SearchOutcome& outcome,
                         std::span<const size_t> attributes) const override {
    return list_message<v1::SimilarResponse>(retrieval, outcome, attributes).SerializeAsString();
  }
  // An embedded message is its field's tag, its length and its bytes, so the encoded requests are appended unparsed.
  std::string batch(std::span<const std::string> candidates) const override {
    constexpr uint32_t kLengthDelimited = 2;
    std::string out;
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    for (const auto& answer : candidates) {
      coded.WriteTag(v1::RetrieveBatchResponse::kAnswersFieldNumber << 3 | kLengthDelimited);
      coded.WriteVarint32(static_cast<uint32_t>(answer.size()));
      coded.WriteString(answer);
    }
    coded.Trim();
    return out;
  }
  std::string vectors(const model::Bundle& bundle, math::MatrixView<const float> vectors) const override {
    v1::EncodeResponse message;
    for (size_t row = 0; row < vectors.rows(); ++row)
      message.add_vectors()->mutable_values()->Add(vectors[row], vectors[row] + vectors.cols());
    message.set_model(bundle.fingerprint());
    return message.SerializeAsString();
  }
  // UpsertItemsResponse and DeleteItemsResponse have the same encoding.
  std::string changed(size_t items) const override {
    v1::UpsertItemsResponse message;
    message.set_items(static_cast<int64_t>(items));
    return message.SerializeAsString();
  }
  std::string taken(const TakenEvents& events) const override {
    v1::AddEventsResponse message;
    message.set_events(static_cast<int64_t>(events.events));
    message.set_repeated(static_cast<int64_t>(events.repeated));
    message.set_unknown_items(static_cast<int64_t>(events.unknown_items));
    return message.SerializeAsString();
  }
  std::string model(const retrieval::Retrieval& retrieval, bool with_paths) const override {
    const auto card = retrieval::model_card(retrieval, with_paths);
    v1::ModelResponse message;
    message.set_fingerprint(card.fingerprint);
    message.set_info(card.info);
    message.set_index(card.index);
    message.mutable_context()->Assign(card.context.begin(), card.context.end());
    message.mutable_features()->Assign(card.features.begin(), card.features.end());
    message.mutable_events()->Assign(card.events.begin(), card.events.end());
    for (const auto& [name, type] : card.attributes) (*message.mutable_attributes())[name] = type;
    message.set_added_items(card.added_items);
    message.set_hidden_items(card.hidden_items);
    message.set_metrics(card.metrics);
    message.set_config(mended_utf8(card.config));
    return message.SerializeAsString();
  }
};

}  // namespace

const ResponseEncoder& proto_encoder() {
  static const ProtoForm form;
  return form;
}

}  // namespace pagoda::server
