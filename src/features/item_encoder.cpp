#include "features/item_encoder.h"

#include "core/error.h"
#include "core/suggest.h"
#include "features/saved.h"

namespace pagoda::features {

const columns::Column& feature_column(const data::Attributes* table, const std::string& name, const char* which_table) {
  if (!table)
    fail(ErrorKind::usage, "[[{0}.features]] column = \"{1}\": there is no {0} table; set data.{0}s to its file",
         which_table, name);
  if (const auto* column = table->find(name)) return *column;
  const auto names = table->names();
  fail(ErrorKind::usage, "[[{0}.features]] column = \"{1}\": the {0} table has no such column{2}", which_table, name,
       suggestion(name, names));
}

const columns::VectorColumn& feature_vectors(const data::Attributes* table, const std::string& name,
                                             const char* which_table) {
  if (const auto vectors = table ? table->find_vectors(name) : nullptr) return *vectors;
  std::vector<std::string> names;
  for (size_t v = 0; table && v < table->vectors.size(); ++v) names.push_back(table->vectors[v]->name());
  fail(ErrorKind::usage,
       "[[{0}.features]] column = \"{1}\", kind = \"vector\": neither the {0} table nor data.{0}_vectors has such "
       "vectors{2}",
       which_table, name, suggestion(name, names));
}

BatchGather::BatchGather(EncodedBatch& out, const TowerLayout& layout, size_t size) : out_(out) {
  out.size = size;
  out.bags.resize(layout.bags.size());
  for (auto& bag : out.bags) bag.clear();
  out.dense.resize(size, layout.dense);
}

math::Bag& BatchGather::next_bag() { return out_.bags[bag_++]; }

void BatchGather::bag(const math::Bag& cells, const math::Bag& null, std::span<const uint32_t> rows) {
  math::Bag& out = next_bag();
  for (auto row : rows) {
    const math::Bag& from = row == columns::Interner::kNone ? null : cells;
    const size_t list = row == columns::Interner::kNone ? 0 : row;
    const auto begin = static_cast<ptrdiff_t>(from.rows.offsets[list]),
               end = static_cast<ptrdiff_t>(from.rows.offsets[list + 1]);
    out.rows.values.insert(out.rows.values.end(), from.rows.values.begin() + begin, from.rows.values.begin() + end);
    out.weights.insert(out.weights.end(), from.weights.begin() + begin, from.weights.begin() + end);
    out.close();
  }
}

void BatchGather::numbers(const Feature& feature, const EncodedColumns& cells, std::span<const uint32_t> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    float* const out = out_.dense[i] + dense_;
    if (feature.is_vector())
      feature.read_vector(cells, rows[i], out);
    else
      *out = rows[i] == columns::Interner::kNone ? 0.f : cells.numbers[rows[i]];
  }
  dense_ += feature.dim();
}

ItemEncoder ItemEncoder::fit(const ItemOptions& options, size_t model_dim, const columns::Interner& ids,
                             const data::Attributes* table, std::span<const uint64_t> training_counts) {
  ItemEncoder e;
  e.id_enabled_ = options.id.enabled;
  e.id_dim_ = options.id.dim > 0 ? static_cast<size_t>(options.id.dim) : model_dim;
  e.id_vocabulary_ = Vocabulary::build(ids, training_counts, static_cast<uint64_t>(options.id.min_count),
                                       static_cast<uint32_t>(options.id.hash_buckets));
  for (const auto& o : options.features) {
    const bool moment_alone = o.kind == FeatureKind::time && o.part != TimePart::age;
    if (o.kind == FeatureKind::vector) {
      e.features_.push_back(Feature::fit_vectors(o, feature_vectors(table, o.column, "item")));
      continue;
    }
    const columns::Column* column = moment_alone ? nullptr : &feature_column(table, o.column, "item");
    e.features_.push_back(Feature::fit(o, column, {}));
  }
  e.make_layout();
  return e;
}

ItemEncoder ItemEncoder::extended(const ItemOptions& options, const columns::Interner& ids,
                                  const data::Attributes* table, std::span<const uint64_t> training_counts) const {
  check(options.features.size() == features_.size(), "an encoder is extended by the options it was fitted with");
  ItemEncoder e = *this;
  e.id_vocabulary_ = id_vocabulary_.extended(ids, training_counts, static_cast<uint64_t>(options.id.min_count));
  for (size_t f = 0; f < features_.size(); ++f) {
    const auto& o = options.features[f];
    const bool moment_alone = o.kind == FeatureKind::time && o.part != TimePart::age;
    if (o.kind == FeatureKind::vector) {
      feature_vectors(table, o.column, "item");
      continue;
    }
    e.features_[f] = features_[f].extended(o, moment_alone ? nullptr : &feature_column(table, o.column, "item"), {});
  }
  e.make_layout();
  return e;
}

void ItemEncoder::let_go(std::span<const uint32_t> id_rows) { id_vocabulary_ = id_vocabulary_.without(id_rows); }

std::vector<RowMove> ItemEncoder::moves_from(const ItemEncoder& before) const {
  std::vector<RowMove> moves;
  if (id_enabled_) moves.push_back(id_vocabulary_.move_from(before.id_vocabulary_));
  for (size_t f = 0; f < features_.size(); ++f)
    if (!features_[f].is_dense()) moves.push_back(features_[f].move_from(before.features_[f]));
  return moves;
}

void ItemEncoder::make_layout() {
  layout_ = {};
  if (id_enabled_) layout_.add({"item.id", id_vocabulary_.rows(), id_dim_, true, id_vocabulary_.buckets(), true});
  for (const auto& f : features_) {
    if (f.is_dense())
      layout_.dense += f.dim();
    else
      layout_.add({"item.features." + f.name(), f.rows(), f.dim(), false, f.buckets()});
  }
}

bool ItemEncoder::depends_on_time() const {
  for (const auto& f : features_)
    if (f.depends_on_time()) return true;
  return false;
}

std::vector<const Feature*> ItemEncoder::vector_features() const { return vectors_among(features_); }

EncodedItems ItemEncoder::cells(const columns::Interner& ids, const data::Attributes* table,
                                BackgroundThrottle* throttle) const {
  EncodedItems out;
  out.features.resize(features_.size());
  std::vector<const columns::Column*> columns;
  for (size_t f = 0; f < features_.size(); ++f) {
    columns.push_back(table ? table->find(features_[f].options().column) : nullptr);
    if (features_[f].is_vector()) out.features[f].vectors = features_[f].vectors_of(table);
  }
  for (uint32_t i = 0; i < ids.size(); ++i) {
    yield_to_foreground(throttle);
    out.id_rows.push_back(id_vocabulary_.row(ids[i]));
    const auto row = table ? table->ids.find(ids[i]) : columns::Interner::kNone;
    for (size_t f = 0; f < features_.size(); ++f) {
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

void ItemEncoder::encode(const EncodedItems& cells, std::span<const uint32_t> rows,
                         std::span<const int64_t> timestamps_us, EncodedBatch& out) const {
  BatchGather gather(out, layout_, rows.size());
  if (id_enabled_) {
    math::Bag& bag = gather.next_bag();
    for (auto row : rows) {
      bag.add(cells.id_rows[row], 1.f);
      bag.close();
    }
  }
  for (size_t f = 0; f < features_.size(); ++f) {
    const auto& feature = features_[f];
    if (feature.depends_on_time()) {
      check(!timestamps_us.empty(), "a feature that depends on time has one");
      math::Bag& bag = gather.next_bag();
      for (size_t i = 0; i < rows.size(); ++i) {
        const auto moment = timestamps_us.size() == 1 ? timestamps_us[0] : timestamps_us[i];
        bag.add(feature.time_row(moment, cells.features[f].times_us[rows[i]]), 1.f);
        bag.close();
      }
    } else if (feature.is_dense()) {
      gather.numbers(feature, cells.features[f], rows);
    } else {
      gather.bag(cells.features[f].bag, {}, rows);
    }
  }
}

void ItemEncoder::save(ByteWriter& out) const {
  out.value(id_enabled_);
  out.value<uint64_t>(id_dim_);
  id_vocabulary_.save(out);
  out.value<uint64_t>(features_.size());
  for (const auto& f : features_) f.save(out);
}

ItemEncoder ItemEncoder::load(ByteReader& in, Spelling spelling) {
  ItemEncoder e;
  e.id_enabled_ = load_bool(in);
  e.id_dim_ = in.value<uint64_t>();
  e.id_vocabulary_ = Vocabulary::load(in);
  const auto n = in.value<uint64_t>();
  for (uint64_t i = 0; i < n; ++i) e.features_.push_back(Feature::load(in, spelling));
  if (e.id_dim_ < 1 || e.id_dim_ > static_cast<size_t>(kMaxDim)) in.damaged("an embedding has an impossible width");
  if (!in.at_end()) in.damaged("has bytes after its content");
  e.make_layout();
  return e;
}

}  // namespace pagoda::features
