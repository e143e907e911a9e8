#include "features/user_encoder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/suggest.h"
#include "features/item_encoder.h"
#include "features/saved.h"

namespace pagoda::features {

namespace {

columns::Column column_of(const columns::Interner& values) {
  columns::Column column;
  for (uint32_t v = 0; v < values.size(); ++v) column.push_text(values[v]);
  return column;
}

// nullptr: the feature is not of the context.
const UserEncoder::Context* context_named(std::span<const UserEncoder::Context> contexts, const std::string& name) {
  const auto found = std::find_if(contexts.begin(), contexts.end(), [&](const auto& c) { return c.name == name; });
  return found == contexts.end() ? nullptr : &*found;
}

const columns::Column& user_column(const data::Attributes* table, std::span<const UserEncoder::Context> contexts,
                                   const std::string& name) {
  if (const auto* column = table ? table->find(name) : nullptr) return *column;
  auto names = table ? table->names() : std::vector<std::string>();
  for (const auto& c : contexts) names.push_back(c.name);
  fail(ErrorKind::usage, "[[user.features]] column = \"{}\": no context column (data.context) has this name, and {}{}",
       name, table ? "no column of the user table" : "there is no user table (data.users)", suggestion(name, names));
}

}  // namespace

UserEncoder UserEncoder::fit(const UserOptions& options, size_t model_dim, const columns::Interner& ids,
                             std::span<const uint64_t> training_counts, const data::Attributes* table,
                             std::span<const Context> contexts, uint32_t history_rows, uint32_t history_buckets) {
  UserEncoder e;
  e.id_enabled_ = options.id.enabled;
  e.id_dim_ = options.id.dim > 0 ? static_cast<size_t>(options.id.dim) : model_dim;
  e.history_ = options.history;
  e.event_kinds_ = options.event_kinds;
  e.history_dim_ = options.history.dim > 0 ? static_cast<size_t>(options.history.dim) : model_dim;
  e.history_rows_ = history_rows;
  e.history_buckets_ = history_buckets;
  if (e.id_enabled_)
    e.id_vocabulary_ = Vocabulary::build(ids, training_counts, static_cast<uint64_t>(options.id.min_count),
                                         static_cast<uint32_t>(options.id.hash_buckets));
  for (const auto& o : options.features) {
    const bool moment_alone = o.kind == FeatureKind::time && o.part != TimePart::age;
    const auto* context = context_named(contexts, o.column);
    if (o.kind == FeatureKind::vector) {
      if (context)
        fail(ErrorKind::usage,
             "[[user.features]] column = \"{}\": a context column holds single values, not vectors; take "
             "kind = \"categorical\", or put the vectors into the user table",
             o.column);
      e.context_of_.push_back(-1);
      e.features_.push_back(Feature::fit_vectors(o, feature_vectors(table, o.column, "user")));
    } else if (moment_alone) {
      e.context_of_.push_back(-1);
      e.features_.push_back(Feature::fit(o, nullptr, {}));
    } else if (context) {
      const auto values = column_of(*context->values);
      // Two features of one column share its place: a request gives the value once.
      const auto known = std::find(e.context_names_.begin(), e.context_names_.end(), o.column);
      e.context_of_.push_back(static_cast<int32_t>(known - e.context_names_.begin()));
      if (known == e.context_names_.end()) e.context_names_.push_back(o.column);
      e.features_.push_back(Feature::fit(o, &values, context->counts));
    } else {
      e.context_of_.push_back(-1);
      e.features_.push_back(Feature::fit(o, &user_column(table, contexts, o.column), {}));
    }
  }
  e.make_layout();
  return e;
}

UserEncoder UserEncoder::extended(const UserOptions& options, const columns::Interner& ids,
                                  std::span<const uint64_t> training_counts, const data::Attributes* table,
                                  std::span<const Context> contexts, const Vocabulary& item_ids) const {
  check(options.features.size() == features_.size(), "an encoder is extended by the options it was fitted with");
  UserEncoder e = *this;
  e.history_rows_ = item_ids.rows();
  if (id_enabled_)
    e.id_vocabulary_ = id_vocabulary_.extended(ids, training_counts, static_cast<uint64_t>(options.id.min_count));
  for (size_t f = 0; f < features_.size(); ++f) {
    const auto& o = options.features[f];
    if (features_[f].depends_on_time()) continue;
    if (context_of_[f] >= 0) {
      const auto* context = context_named(contexts, o.column);
      if (!context)
        fail(ErrorKind::usage,
             "[[user.features]] column = \"{}\": the model reads it from the context; name it in data.context",
             o.column);
      const auto values = column_of(*context->values);
      e.features_[f] = features_[f].extended(o, &values, context->counts);
    } else if (features_[f].is_vector()) {
      if (table) feature_vectors(table, o.column, "user");
    } else if (table) {
      e.features_[f] = features_[f].extended(o, &user_column(table, contexts, o.column), {});
    }
  }
  e.make_layout();
  return e;
}

void UserEncoder::let_go(std::span<const uint32_t> id_rows) { id_vocabulary_ = id_vocabulary_.without(id_rows); }

std::vector<RowMove> UserEncoder::moves_from(const UserEncoder& before, const RowMove& items) const {
  std::vector<RowMove> moves;
  if (id_enabled_) moves.push_back(id_vocabulary_.move_from(before.id_vocabulary_));
  if (history_.last > 0) moves.insert(moves.end(), 1 + own_histories_.size(), items);
  for (size_t f = 0; f < features_.size(); ++f)
    if (!features_[f].is_dense()) moves.push_back(features_[f].move_from(before.features_[f]));
  return moves;
}

void UserEncoder::make_layout() {
  layout_ = {};
  if (id_enabled_) layout_.add({"user.id", id_vocabulary_.rows(), id_dim_, false, id_vocabulary_.buckets(), true});
  own_histories_.clear();
  if (history_.last > 0) {
    layout_.add({"user.history", history_rows_, history_dim_, history_.table == HistoryTable::shared, history_buckets_,
                 true, BagReads::history});
    for (const auto& kind : event_kinds_)
      if (kind.history == EventHistory::own) own_histories_.push_back(kind.name);
    for (const auto& name : own_histories_)
      layout_.add(
          {"user.events." + name, history_rows_, history_dim_, false, history_buckets_, true, BagReads::event_history});
  }
  for (const auto& f : features_) {
    if (f.is_dense())
      layout_.dense += f.dim();
    else
      layout_.add({"user.features." + f.name(), f.rows(), f.dim(), false, f.buckets()});
  }
  recency_.clear();
  recency_total_.assign(1, 0.0);
  for (int64_t n = 0; n < history_.last; ++n) {
    recency_.push_back(static_cast<float>(std::pow(1.0 + static_cast<double>(n), -history_.recency)));
    recency_total_.push_back(recency_total_.back() + recency_.back());
  }
}

std::vector<std::string> UserEncoder::table_columns() const {
  std::vector<std::string> names;
  for (size_t f = 0; f < features_.size(); ++f)
    if (const auto& name = features_[f].options().column; context_of_[f] < 0 && !features_[f].depends_on_time() &&
                                                          std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  return names;
}

EventHistory UserEncoder::history_of(std::string_view kind) const {
  const auto found = std::ranges::find(event_kinds_, kind, &EventKind::name);
  return found == event_kinds_.end() ? EventHistory::none : found->history;
}

std::vector<const Feature*> UserEncoder::vector_features() const { return vectors_among(features_); }

std::optional<bool> UserEncoder::knows_value(std::string_view column, std::string_view value) const {
  std::optional<bool> knows;
  for (const auto& feature : features_) {
    if (feature.options().column != column || feature.buckets() == 0) continue;
    columns::Column cell;
    cell.push_text(value);
    EncodedColumns encoded;
    feature.encode(cell, 0, encoded);
    const auto own = [&](uint32_t row) { return row < feature.rows() - feature.buckets(); };
    knows = knows.value_or(false) || std::ranges::all_of(encoded.bag.rows.values, own);
  }
  return knows;
}

EncodedUsers UserEncoder::cells(const columns::Interner& ids, const data::Attributes* table) const {
  EncodedUsers out;
  out.features.resize(features_.size());
  std::vector<const columns::Column*> columns;
  for (size_t f = 0; f < features_.size(); ++f) {
    columns.push_back(table && context_of_[f] < 0 ? table->find(features_[f].options().column) : nullptr);
    if (features_[f].is_vector()) out.features[f].vectors = features_[f].vectors_of(table);
  }
  for (uint32_t i = 0; i < ids.size(); ++i) {
    out.id_rows.push_back(id_enabled_ ? id_vocabulary_.row(ids[i]) : 0);
    const auto row = table ? table->ids.find(ids[i]) : columns::Interner::kNone;
    for (size_t f = 0; f < features_.size(); ++f) {
      if (context_of_[f] >= 0 || features_[f].depends_on_time()) continue;
      if (features_[f].is_vector())
        out.features[f].add_vector(row);
      else if (columns[f] && row != columns::Interner::kNone)
        features_[f].encode(*columns[f], row, out.features[f]);
      else
        features_[f].encode_null(out.features[f]);
    }
  }
  return out;
}

EncodedUsers UserEncoder::cells(const columns::Interner& ids, const data::Attributes* table, const UserEncoder& before,
                                const EncodedUsers& known) const {
  EncodedUsers out;
  out.features.resize(features_.size());
  const auto fresh = cells(ids, table);
  out.id_rows = fresh.id_rows;
  for (size_t f = 0; f < features_.size(); ++f) {
    if (context_of_[f] >= 0 || features_[f].depends_on_time()) continue;
    const auto move = features_[f].move_from(before.features_[f]);
    auto& to = out.features[f];
    std::shared_ptr<columns::VectorColumn> vectors;
    if (features_[f].is_vector())
      to.vectors = vectors = std::make_shared<columns::VectorColumn>(features_[f].options().column, features_[f].dim());
    for (uint32_t user = 0; user < ids.size(); ++user) {
      const bool keeps = user < known.size() && !(table && table->ids.find(ids[user]) != columns::Interner::kNone);
      const auto& from = keeps ? known.features[f] : fresh.features[f];
      if (vectors) {  // a user that brings none keeps its own
        const auto& brought = fresh.features[f];
        const bool brings =
            brought.vector_rows[user] != columns::Interner::kNone && brought.vectors->has(brought.vector_rows[user]);
        const auto& own = brings || user >= known.size() ? brought : known.features[f];
        const auto row = own.vector_rows[user];
        row == columns::Interner::kNone ? vectors->push_null() : vectors->push_from(*own.vectors, row);
        to.vector_rows.push_back(user);
        continue;
      }
      if (features_[f].is_dense()) {
        to.numbers.push_back(from.numbers[user]);
        continue;
      }
      for (auto n = from.bag.rows.offsets[user]; n < from.bag.rows.offsets[user + 1]; ++n)
        to.bag.add(keeps ? move.of(from.bag.rows.values[n]) : from.bag.rows.values[n], from.bag.weights[n]);
      to.bag.close();
    }
  }
  return out;
}

namespace {
constexpr double kStandInWeight = 0.5;  // an added item is known by its features alone; one that was learnt has 1
}  // namespace

double UserEncoder::total_weight(std::span<const uint32_t> history, const math::Ragged<uint32_t>* stand_ins) const {
  const size_t n = std::min(history.size(), recency_.size());
  double total = recency_total_[n];
  for (size_t age = 0; age < n && stand_ins; ++age)
    if (history[history.size() - 1 - age] >= history_rows_) total -= (1 - kStandInWeight) * recency_[age];
  return total;
}

void UserEncoder::add_history(std::span<const uint32_t> history, const math::Ragged<uint32_t>* stand_ins, double scale,
                              math::Bag& bag) const {
  const size_t n = std::min(history.size(), recency_.size());
  for (size_t age = 0; age < n; ++age) {
    const double weight = recency_[age] * scale;
    const uint32_t row = history[history.size() - 1 - age];
    if (row < history_rows_) {
      bag.add(row, static_cast<float>(weight));
      continue;
    }
    const auto instead = (*stand_ins)[row - history_rows_];
    for (const uint32_t one : instead)
      bag.add(one, static_cast<float>(kStandInWeight * weight / static_cast<double>(instead.size())));
  }
  bag.close();
}

void UserEncoder::encode(const EncodedUsers& cells, std::span<const UserExample> examples, EncodedBatch& out) const {
  BatchGather gather(out, layout_, examples.size());
  std::vector<uint32_t> users(examples.size());
  for (size_t i = 0; i < examples.size(); ++i) users[i] = examples[i].user;
  if (id_enabled_) {
    math::Bag& bag = gather.next_bag();
    for (auto user : users) {
      if (user != columns::Interner::kNone) bag.add(cells.id_rows[user], 1.f);
      bag.close();
    }
  }
  if (history_.last > 0) {
    // Gathering histories is nearly all of the work, so memory is reserved.
    math::Bag& bag = gather.next_bag();
    size_t total = 0;
    for (const auto& example : examples)
      total += example.stand_ins ? example.stand_ins->values.size() + example.history.size()
                                 : std::min(example.history.size(), recency_.size());
    bag.rows.values.reserve(total);
    bag.weights.reserve(total);
    std::vector<double> scales;  // an event weighs the same in each of a user's histories
    for (const auto& example : examples) {
      double total = total_weight(example.history, example.stand_ins);
      for (const auto& history : example.event_histories) total += total_weight(history, example.stand_ins);
      scales.push_back(total > 0 ? 1.0 / total : 0.0);
      add_history(example.history, example.stand_ins, scales.back(), bag);
    }
    for (size_t kind = 0; kind < own_histories_.size(); ++kind) {
      math::Bag& of_kind = gather.next_bag();
      for (size_t i = 0; i < examples.size(); ++i) {
        const auto& histories = examples[i].event_histories;
        add_history(kind < histories.size() ? histories[kind] : std::span<const uint32_t>(), examples[i].stand_ins,
                    scales[i], of_kind);
      }
    }
  }
  for (size_t f = 0; f < features_.size(); ++f) {
    const auto& feature = features_[f];
    if (feature.depends_on_time()) {
      math::Bag& bag = gather.next_bag();
      for (const auto& example : examples) {
        bag.add(feature.time_row(example.moment_us, kNoTime), 1.f);
        bag.close();
      }
    } else if (context_of_[f] >= 0) {
      const auto column = static_cast<size_t>(context_of_[f]);
      EncodedColumns cell;
      std::vector<uint32_t> rows(examples.size());
      for (size_t i = 0; i < examples.size(); ++i) {
        const auto value = column < examples[i].context.size() ? examples[i].context[column] : std::string_view();
        rows[i] = static_cast<uint32_t>(i);
        if (value.empty())
          feature.encode_null(cell);
        else
          feature.encode_text(value, cell);
      }
      if (feature.is_dense())
        gather.numbers(feature, cell, rows);
      else
        gather.bag(cell.bag, {}, rows);
    } else {
      // An unknown user is encoded like a known user without attributes.
      EncodedColumns null;
      feature.encode_null(null);
      static const EncodedColumns kNobody;
      const EncodedColumns& known = cells.features.empty() ? kNobody : cells.features[f];
      if (feature.is_dense())
        gather.numbers(feature, known, users);
      else
        gather.bag(known.bag, null.bag, users);
    }
  }
}

const char* UserEncoder::find_fault(const EncodedUsers& cells) const {
  if (cells.features.size() != features_.size()) return "does not have the features of the encoder";
  for (auto row : cells.id_rows)
    if (id_enabled_ && row >= id_vocabulary_.rows()) return "a user's id is in no row of its table";
  for (size_t f = 0; f < features_.size(); ++f) {
    const auto& own = cells.features[f];
    if (context_of_[f] >= 0 || features_[f].depends_on_time()) continue;
    if (features_[f].is_vector()) {
      const bool fits =
          own.vector_rows.size() == cells.size() && own.vectors && own.vectors->width() == features_[f].dim();
      if (!fits) return "a feature does not have a vector of its width for each user";
      for (auto row : own.vector_rows)
        if (row != columns::Interner::kNone && row >= own.vectors->rows())
          return "a feature's vector is in no row of its table";
      continue;
    }
    if (features_[f].is_dense()) {
      if (own.numbers.size() != cells.size()) return "a feature does not have a number for each user";
      continue;
    }
    if (own.bag.size() != cells.size() || own.bag.weights.size() != own.bag.rows.values.size())
      return "a feature does not have a list for each user";
    for (auto row : own.bag.rows.values)
      if (row >= features_[f].rows()) return "a feature's value is in no row of its table";
  }
  return nullptr;
}

void UserEncoder::save(ByteWriter& out) const {
  out.value(id_enabled_);
  out.value<uint64_t>(id_dim_);
  out.value<uint64_t>(history_dim_);
  out.value(history_rows_);
  out.value(history_buckets_);
  out.value(history_.last);
  out.value(history_.table);
  out.value(history_.recency);
  id_vocabulary_.save(out);
  out.array(context_of_);
  out.value<uint64_t>(context_names_.size());
  for (const auto& name : context_names_) out.text(name);
  out.value<uint64_t>(features_.size());
  for (const auto& f : features_) f.save(out);
  if (event_kinds_.empty()) return;
  out.value<uint64_t>(event_kinds_.size());
  for (const auto& kind : event_kinds_) {
    out.text(kind.name);
    out.value(kind.history);
  }
}

UserEncoder UserEncoder::load(ByteReader& in, Spelling spelling) {
  UserEncoder e;
  e.id_enabled_ = load_bool(in);
  e.id_dim_ = in.value<uint64_t>();
  e.history_dim_ = in.value<uint64_t>();
  e.history_rows_ = in.value<uint32_t>();
  e.history_buckets_ = in.value<uint32_t>();
  e.history_.last = in.value<int64_t>();
  e.history_.table = load_choice(in, HistoryTable::shared);
  e.history_.recency = in.value<double>();
  e.id_vocabulary_ = Vocabulary::load(in);
  e.context_of_ = in.array<int32_t>();
  const auto names = in.value<uint64_t>();
  for (uint64_t i = 0; i < names; ++i) e.context_names_.push_back(in.text());
  const auto n = in.value<uint64_t>();
  for (uint64_t i = 0; i < n; ++i) e.features_.push_back(Feature::load(in, spelling));
  const auto kinds = in.at_end() ? 0 : in.value<uint64_t>();
  for (uint64_t i = 0; i < kinds; ++i) {
    auto& kind = e.event_kinds_.emplace_back();
    kind.name = in.text();
    kind.history = load_choice(in, EventHistory::none);
  }
  for (auto dim : {e.id_dim_, e.history_dim_})
    if (dim < 1 || dim > static_cast<size_t>(kMaxDim)) in.damaged("an embedding has an impossible width");
  if (e.history_.last < 0 || e.history_.last > kMaxHistory || !std::isfinite(e.history_.recency))
    in.damaged("a history has an impossible length");
  bool contexts_fit = e.context_of_.size() == e.features_.size();
  for (auto c : e.context_of_) contexts_fit &= c >= -1 && c < static_cast<int64_t>(e.context_names_.size());
  if (!contexts_fit) in.damaged("a feature reads a context column that does not exist");
  if (!in.at_end()) in.damaged("has bytes after its content");
  e.make_layout();
  return e;
}

}  // namespace pagoda::features
