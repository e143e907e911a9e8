#include "features/options.h"

#include <algorithm>

#include "core/error.h"

namespace pagoda::features {

namespace {

void describe(OptionVisitor& f, IdOptions& o, std::string_view help) {
  f.section("id", help, [&](OptionVisitor& f) {
    f.field("enabled", o.enabled, "an embedding for each id; turn off to answer by history and features alone");
    f.field("dim", o.dim, "width of the embedding; 0: the model's dim");
    f.field("min_count", o.min_count, "ids with fewer training rows share the hash buckets");
    f.field("hash_buckets", o.hash_buckets, "rows shared by rare and unknown ids");
    f.field(
        "dropout", o.dropout,
        "share of the examples that are trained without it, so that features learn to speak for what is new; 0: off");
  });
}

void validate_features(const std::vector<FeatureOptions>& features, const char* tower) {
  for (const auto& o : features) {
    const auto where = fmt::format("[[{}.features]] column = \"{}\"", tower, o.column);
    const bool moment = o.kind == FeatureKind::time && o.part != TimePart::age;
    if (o.column.empty() && !moment) fail(ErrorKind::usage, "{}: names no column; name one", where);
    if (o.kind == FeatureKind::vector && o.dim != 0)
      fail(ErrorKind::usage, "{}: dim = {}, but a vector is as wide as those that are given; leave dim out", where,
           o.dim);
    if (o.dim < 0 || o.dim > kMaxDim) fail(ErrorKind::usage, "{}: dim = {} is not in 0 .. {}", where, o.dim, kMaxDim);
    if (o.min_count < 1) fail(ErrorKind::usage, "{}: min_count = {} must be at least 1", where, o.min_count);
    if (o.hash_buckets < 0 || o.hash_buckets > kMaxBuckets)
      fail(ErrorKind::usage, "{}: hash_buckets = {} is not in 0 .. {}", where, o.hash_buckets, kMaxBuckets);
    if (o.separator.size() > 1)
      fail(ErrorKind::usage, "{}: separator = \"{}\" must be one character", where, o.separator);
    if (o.word_ngrams < 0 || o.word_ngrams > kMaxWordNgrams)
      fail(ErrorKind::usage, "{}: word_ngrams = {} is not in 0 .. {}", where, o.word_ngrams, kMaxWordNgrams);
    if (o.kind == FeatureKind::text && !o.trigrams && o.word_ngrams < 1)
      fail(ErrorKind::usage, "{}: neither trigrams nor word_ngrams: nothing is left of the text", where);
  }
}

void validate_hidden(const std::vector<int64_t>& hidden, const char* tower) {
  for (auto width : hidden)
    if (width < 1 || width > 65536) fail(ErrorKind::usage, "{}.hidden: {} is not in 1 .. 65536", tower, width);
}

}  // namespace

void describe(OptionVisitor& f, FeatureOptions& o) {
  f.field("column", o.column, "the column's name");
  f.choice("kind", o.kind,
           {{"categorical", FeatureKind::categorical},
            {"multi", FeatureKind::multi},
            {"numeric", FeatureKind::numeric},
            {"text", FeatureKind::text},
            {"time", FeatureKind::time},
            {"vector", FeatureKind::vector}},
           "categorical, multi (several values), numeric, text (hashed n-grams), time, or vector (a list of numbers in "
           "each cell, or a file of data.item_vectors, data.user_vectors)");
  f.field("dim", o.dim, "width of its embedding; 0: by the number of values");
  f.field("min_count", o.min_count, "values rarer than this share the hash buckets");
  f.field("hash_buckets", o.hash_buckets, "rows shared by rare and unknown values; 0: 16, for text 65536");
  f.field("separator", o.separator, "multi: the character between the values of a text cell");
  f.choice("form", o.form,
           {{"log", NumericForm::log}, {"standardise", NumericForm::standardise}, {"bucket", NumericForm::bucket}},
           "numeric: log (then standardised) for counts and prices, bucket (by quantiles) for odd shapes");
  f.choice("part", o.part, {{"hour", TimePart::hour}, {"weekday", TimePart::weekday}, {"age", TimePart::age}},
           "time: hour or weekday of the request, or the age of the item at that moment");
  f.field("trigrams", o.trigrams, "text: hashed character trigrams");
  f.field("word_ngrams", o.word_ngrams, "text: hashed words and n-grams of up to this many words; 0: none");
}

void describe(OptionVisitor& f, UserOptions& o) {
  describe(f, o.id, "the user's own id: helps users with many rows, not new ones");
  f.section(
      "history", "the user's last items, pooled: the strongest sign of taste, and it serves new users, too",
      [&](OptionVisitor& f) {
        f.field("last", o.history.last, "how many of the user's latest items are read; 0: no history");
        f.choice("table", o.history.table, {{"own", HistoryTable::own}, {"shared", HistoryTable::shared}},
                 "own: embeddings apart from the item tower's; shared: the item tower's id embeddings");
        f.field("dim", o.history.dim, "own: width of the embeddings; 0: the model's dim");
        f.field("recency", o.history.recency,
                "the n-th latest item weighs (1 + n)^-recency; 0: all the same; what is learnt begins there");
        f.choice("encoder", o.history.encoder,
                 {{"mean", HistoryEncoder::mean},
                  {"attention", HistoryEncoder::attention},
                  {"transformer", HistoryEncoder::transformer}},
                 "mean: of the items' embeddings; attention: learns which of them count now, by what they are, by "
                 "the latest of them and by age; transformer: reads them in their order, each beside those before it "
                 "(take train.order = \"sequences\")");
        f.field("heads", o.history.heads, "attention, transformer: how many weightings of the history are learnt");
        f.field("blocks", o.history.blocks, "transformer: how many blocks stand on each other");
      });
  f.field("hidden", o.hidden, "widths of the tower's ReLU layers; []: none");
  f.list<FeatureOptions>("features", o.features, "columns of the user table or of the context",
                         [](OptionVisitor& f, FeatureOptions& one) { describe(f, one); });
}

void describe(OptionVisitor& f, ItemOptions& o) {
  describe(f, o.id, "the item's own id; without it, an item is known by its attributes alone");
  f.field("hidden", o.hidden, "widths of the tower's ReLU layers; []: none");
  f.list<FeatureOptions>("features", o.features, "columns of the item table",
                         [](OptionVisitor& f, FeatureOptions& one) { describe(f, one); });
}

std::vector<std::string> vector_columns(const std::vector<FeatureOptions>& features) {
  std::vector<std::string> columns;
  for (const auto& o : features)
    if (o.kind == FeatureKind::vector && std::ranges::find(columns, o.column) == columns.end())
      columns.push_back(o.column);
  return columns;
}

void validate(const UserOptions& user, const ItemOptions& item) {
  validate_features(user.features, "user");
  validate_features(item.features, "item");
  validate_hidden(user.hidden, "user");
  validate_hidden(item.hidden, "item");
  for (const auto* id : {&user.id, &item.id}) {
    const char* tower = id == &user.id ? "user" : "item";
    if (id->min_count < 1) fail(ErrorKind::usage, "{}.id.min_count = {} must be at least 1", tower, id->min_count);
    if (id->hash_buckets < 1)
      fail(ErrorKind::usage, "{}.id.hash_buckets = {} must be at least 1: unknown ids need a row", tower,
           id->hash_buckets);
    if (id->hash_buckets > kMaxBuckets)
      fail(ErrorKind::usage, "{}.id.hash_buckets = {} is more than {}", tower, id->hash_buckets, kMaxBuckets);
    if (!(id->dropout >= 0 && id->dropout < 1))
      fail(ErrorKind::usage, "{}.id.dropout = {} is not in 0 .. 1", tower, id->dropout);
    if (id->dim < 0 || id->dim > kMaxDim)
      fail(ErrorKind::usage, "{}.id.dim = {} is not in 0 .. {}", tower, id->dim, kMaxDim);
  }
  for (const auto& o : user.features)
    if (o.kind == FeatureKind::time && o.part == TimePart::age)
      fail(ErrorKind::usage, "[[user.features]]: part = \"age\" is for items; put it into [[item.features]]");
  const auto& history = user.history;
  if (history.last < 0 || history.last > kMaxHistory)
    fail(ErrorKind::usage, "user.history.last = {} is not in 0 .. {}", history.last, kMaxHistory);
  if (history.dim < 0 || history.dim > kMaxDim)
    fail(ErrorKind::usage, "user.history.dim = {} is not in 0 .. {}", history.dim, kMaxDim);
  if (history.encoder == HistoryEncoder::transformer && history.last > kMaxSequence)
    fail(ErrorKind::usage, "user.history.last = {} is more than the {} items that a transformer reads", history.last,
         kMaxSequence);
  // Above 64 the second latest item weighs less than 2^-64: nothing compared with the latest.
  if (!(history.recency >= 0 && history.recency <= 64))
    fail(ErrorKind::usage, "user.history.recency = {} is not in 0 .. 64", history.recency);
  if (history.heads < 1 || history.heads > kMaxHeads)
    fail(ErrorKind::usage, "user.history.heads = {} is not in 1 .. {}", history.heads, kMaxHeads);
  if (history.blocks < 1 || history.blocks > kMaxBlocks)
    fail(ErrorKind::usage, "user.history.blocks = {} is not in 1 .. {}", history.blocks, kMaxBlocks);
  if (!user.id.enabled && user.history.last == 0 && user.features.empty())
    fail(ErrorKind::usage, "the user tower reads nothing: turn on user.id or user.history, or name [[user.features]]");
  if (!item.id.enabled && item.features.empty())
    fail(ErrorKind::usage, "the item tower reads nothing: turn on item.id or name [[item.features]]");
  if (user.history.last > 0 && user.history.table == HistoryTable::shared && !item.id.enabled)
    fail(ErrorKind::usage, "user.history.table = \"shared\" needs item.id.enabled = true; or take \"own\"");
}

}  // namespace pagoda::features
