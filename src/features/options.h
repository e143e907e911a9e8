// The features of a user or an item that a tower reads, as options of the config.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_visitor.h"

namespace pagoda::features {

// Upper limits of the options.
inline constexpr int64_t kMaxDim = 4096, kMaxVector = 16384, kMaxBuckets = 1 << 30, kMaxHistory = 100'000,
                         kMaxWordNgrams = 16, kMaxHeads = 16, kMaxBlocks = 8,
                         kMaxSequence = 1024;  // of a transformer: its work and memory go with the square

enum class FeatureKind {
  categorical,  // one value of a set: a row of a table
  multi,        // several values of a set: the mean of their rows
  numeric,      // a number
  text,         // hashed character trigrams and word n-grams, pooled
  time,         // a part of the time of the request, or the item's age at that time
  vector,       // given vectors, such as embeddings of titles or images: plain numbers of the tower's input
};

enum class NumericForm { log, standardise, bucket };
enum class TimePart { hour, weekday, age };

struct FeatureOptions {
  std::string column;  // of the item table, the user table or the context columns; "" for the time of the request
  FeatureKind kind = FeatureKind::categorical;
  int64_t dim = 0;           // width of its embedding; 0: by the number of values
  int64_t min_count = 1;     // values rarer than this share the hash buckets
  int64_t hash_buckets = 0;  // rows for values without a row of their own; 0: 16 (text: 65536)
  std::string separator{};   // multi: between the values of a text cell
  NumericForm form = NumericForm::standardise;
  TimePart part = TimePart::hour;
  bool trigrams = true;     // text: character trigrams
  int64_t word_ngrams = 2;  // text: words and n-grams up to this many words; 0: none
};

struct IdOptions {
  bool enabled = true;
  int64_t dim = 0;        // 0: the model's dim
  int64_t min_count = 1;  // ids with fewer training rows share the hash buckets
  int64_t hash_buckets = 64;
  double dropout = 0.0;  // share of the examples of training that read no id of their own
};

enum class HistoryTable { own, shared };
enum class HistoryEncoder {
  mean,         // of the items' embeddings, weighed by recency
  attention,    // nn/history_attention.h: weights by what the items are, by the latest of them and by age
  transformer,  // nn/history_transformer.h: the items read in their order
};

struct HistoryOptions {
  int64_t last = 50;                       // the user's last k items; 0: no history
  HistoryTable table = HistoryTable::own;  // own: a table of its own; shared: the item tower's id table
  int64_t dim = 0;                         // own: its width; 0: the model's dim
  double recency = 0.0;  // item of age n (0 the latest) weighs (1 + n)^-recency; what is learnt begins at these weights
  HistoryEncoder encoder = HistoryEncoder::mean;
  int64_t heads = 2;   // of attention and transformer
  int64_t blocks = 1;  // of transformer
};
// Whether the weights of a history's items are learnt, and depend on each other.
inline bool is_learnt(HistoryEncoder encoder) { return encoder != HistoryEncoder::mean; }

// Which history reads the events of a kind.
enum class EventHistory : uint8_t {
  main,  // that of `HistoryOptions`, with the positives
  own,   // one of its own, with embeddings of its own, as long and as weighed as the main one: their mean
  none,
};
struct EventKind {
  std::string name;
  EventHistory history = EventHistory::main;
  bool operator==(const EventKind&) const = default;
};

struct UserOptions {
  IdOptions id{.enabled = false};
  HistoryOptions history;
  std::vector<FeatureOptions> features;
  std::vector<int64_t> hidden;         // widths of the tower's ReLU layers
  std::vector<EventKind> event_kinds;  // no key: those of the log
};

struct ItemOptions {
  IdOptions id;
  std::vector<FeatureOptions> features;
  std::vector<int64_t> hidden;
};

void describe(OptionVisitor& visitor, FeatureOptions& options);
void describe(OptionVisitor& visitor, UserOptions& options);
void describe(OptionVisitor& visitor, ItemOptions& options);
void validate(const UserOptions& user, const ItemOptions& item);  // Error{usage} with the key's path

// The columns that features of kind = "vector" read, each once.
std::vector<std::string> vector_columns(const std::vector<FeatureOptions>& features);

}  // namespace pagoda::features
