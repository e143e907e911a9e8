#include "features/user_encoder.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/suggest.h"
#include "features/item_encoder.h"

namespace pagoda {

UserEncoder UserEncoder::fit(const UserOptions& options, size_t model_dim, const Interner& ids,
                             std::span<const uint64_t> training_counts, const Attributes* table,
                             std::span<const Context> contexts, uint32_t history_rows) {
  UserEncoder e;
  e.id_enabled_ = options.id.enabled;
  e.id_dim_ = options.id.dim > 0 ? static_cast<uint64_t>(options.id.dim) : model_dim;
  e.history_ = options.history;
  e.history_dim_ = options.history.dim > 0 ? static_cast<uint64_t>(options.history.dim) : model_dim;
  e.history_rows_ = history_rows;
  if (e.id_enabled_)
    e.id_vocabulary_ = Vocabulary::build(ids, training_counts, static_cast<uint64_t>(options.id.min_count),
                                         static_cast<uint32_t>(options.id.hash_buckets));
  for (const auto& o : options.features) {
    const bool moment_alone = o.kind == FeatureKind::time && o.part != TimePart::age;
    const auto context = std::find_if(contexts.begin(), contexts.end(), [&](const auto& c) { return c.name == o.column; });
    if (moment_alone) {
      e.context_of_.push_back(-1);
      e.features_.push_back(Feature::fit(o, nullptr, {}));
    } else if (context != contexts.end()) {
      Column values;
      for (uint32_t v = 0; v < context->values->size(); ++v) values.push_text((*context->values)[v]);
      e.context_of_.push_back(static_cast<int32_t>(e.context_names_.size()));
      e.context_names_.push_back(o.column);
      e.features_.push_back(Feature::fit(o, &values, context->counts));
    } else {
      std::vector<std::string> names;
      for (const auto& c : contexts) names.push_back(c.name);
      if (!table)
        fail(ErrorKind::usage,
             "[[user.features]] column = \"{}\": neither a context column (data.context) nor, without data.users, a "
             "column of a user table{}",
             o.column, suggestion(o.column, names));
      e.context_of_.push_back(-1);
      e.features_.push_back(Feature::fit(o, &feature_column(table, o.column, "user"), {}));
    }
  }
  e.make_layout();
  return e;
}

void UserEncoder::make_layout() {
  layout_ = {};
  if (id_enabled_) layout_.bags.push_back({"user.id", id_vocabulary_.rows(), id_dim_});
  if (history_.last > 0)
    layout_.bags.push_back({"user.history", history_rows_, history_dim_, history_.table == HistoryTable::shared});
  for (const auto& f : features_) {
    if (f.is_dense())
      ++layout_.dense;
    else
      layout_.bags.push_back({"user." + f.options().column + (f.follows_moment() ? ".time" : ""), f.rows(), f.dim()});
  }
  recency_.clear();
  for (int64_t n = 0; n < history_.last; ++n)
    recency_.push_back(static_cast<float>(std::pow(1.0 + static_cast<double>(n), -history_.recency)));
}

std::vector<std::string> UserEncoder::table_columns() const {
  std::vector<std::string> names;
  for (size_t f = 0; f < features_.size(); ++f)
    if (context_of_[f] < 0 && !features_[f].follows_moment()) names.push_back(features_[f].options().column);
  return names;
}

UserCells UserEncoder::cells(const Interner& ids, const Attributes* table) const {
  UserCells out;
  out.features.resize(features_.size());
  std::vector<const Column*> columns;
  for (size_t f = 0; f < features_.size(); ++f)
    columns.push_back(table && context_of_[f] < 0 ? table->find(features_[f].options().column) : nullptr);
  for (uint32_t i = 0; i < ids.size(); ++i) {
    out.id_rows.push_back(id_enabled_ ? id_vocabulary_.row(ids[i]) : 0);
    const auto row = table ? table->ids.find(ids[i]) : Interner::kNone;
    for (size_t f = 0; f < features_.size(); ++f) {
      if (context_of_[f] >= 0 || features_[f].follows_moment()) continue;
      if (columns[f] && row != Interner::kNone)
        features_[f].encode(*columns[f], row, out.features[f]);
      else
        features_[f].encode_null(out.features[f]);
    }
  }
  return out;
}

void UserEncoder::encode(const UserCells& cells, std::span<const UserExample> examples, EncodedBatch& out) const {
  CellGather gather(out, layout_, examples.size());
  std::vector<uint32_t> users(examples.size());
  for (size_t i = 0; i < examples.size(); ++i) users[i] = examples[i].user;
  if (id_enabled_) {
    Bag& bag = gather.next_bag();
    for (auto user : users) {
      if (user != Interner::kNone) bag.add(cells.id_rows[user], 1.f);
      bag.close();
    }
  }
  if (history_.last > 0) {
    Bag& bag = gather.next_bag();
    for (const auto& example : examples) {
      const size_t n = std::min(example.history.size(), recency_.size());
      double total = 0;
      for (size_t age = 0; age < n; ++age) total += recency_[age];
      for (size_t age = 0; age < n; ++age)
        bag.add(example.history[example.history.size() - 1 - age], static_cast<float>(recency_[age] / total));
      bag.close();
    }
  }
  for (size_t f = 0; f < features_.size(); ++f) {
    const auto& feature = features_[f];
    if (feature.follows_moment()) {
      Bag& bag = gather.next_bag();
      for (const auto& example : examples) bag.add(feature.moment_row(example.moment_us, kNoTime), 1.f), bag.close();
    } else if (context_of_[f] >= 0) {
      const auto column = static_cast<size_t>(context_of_[f]);
      Cells cell;
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
        gather.number(cell.numbers, rows);
      else
        gather.bag(cell.bag, rows);
    } else if (feature.is_dense()) {
      gather.number(cells.features[f].numbers, users);
    } else {
      gather.bag(cells.features[f].bag, users);
    }
  }
}

void UserEncoder::save(ByteWriter& out) const {
  out.value(id_enabled_);
  out.value(id_dim_);
  out.value(history_dim_);
  out.value(history_rows_);
  out.value(history_.last);
  out.value(history_.table);
  out.value(history_.recency);
  id_vocabulary_.save(out);
  out.array(context_of_);
  out.value<uint64_t>(context_names_.size());
  for (const auto& name : context_names_) out.text(name);
  out.value<uint64_t>(features_.size());
  for (const auto& f : features_) f.save(out);
}

UserEncoder UserEncoder::load(ByteReader& in) {
  UserEncoder e;
  e.id_enabled_ = in.value<bool>();
  e.id_dim_ = in.value<uint64_t>();
  e.history_dim_ = in.value<uint64_t>();
  e.history_rows_ = in.value<uint32_t>();
  e.history_.last = in.value<int64_t>();
  e.history_.table = in.value<HistoryTable>();
  e.history_.recency = in.value<double>();
  e.id_vocabulary_ = Vocabulary::load(in);
  e.context_of_ = in.array<int32_t>();
  const auto names = in.value<uint64_t>();
  for (uint64_t i = 0; i < names; ++i) e.context_names_.push_back(in.text());
  const auto n = in.value<uint64_t>();
  for (uint64_t i = 0; i < n; ++i) e.features_.push_back(Feature::load(in));
  e.make_layout();
  return e;
}

}  // namespace pagoda
