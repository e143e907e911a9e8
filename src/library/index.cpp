#include <pagoda/index.h>
#include <pagoda/version.h>

#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>
#include <utility>

#include "filter/filter_index.h"
#include "index/partitioned_index.h"
#include "library/arguments.h"
#include "library/call_pool.h"
#include "model/bundle.h"
#include "model/stored_vectors.h"

namespace pagoda {

namespace {

using library::wrong;

columns::Interner ids_of(const std::vector<std::string>& given, size_t n) {
  if (!given.empty() && given.size() != n)
    wrong(ErrorKind::usage, "ids", "{} ids for {} vectors: give one a vector, or none", given.size(), n);
  columns::Interner ids;
  for (uint32_t row = 0; row < n; ++row) {
    const auto id = given.empty() ? std::to_string(row) : given[row];
    if (id.empty()) wrong(ErrorKind::input, "ids", "the vector of row {} (from 0) has an empty id", row);
    if (const auto first = ids.add(id); first != row)
      wrong(ErrorKind::input, "ids", "rows {} and {} (from 0) have the same id '{}': an item has one vector", first,
            row, id);
  }
  return ids;
}

void fill(columns::Column& column, const std::vector<std::string>& values) {
  for (const auto& value : values) column.push_text(value);
}
void fill(columns::Column& column, const std::vector<int64_t>& values) {
  column.type = columns::ColumnType::integer;
  for (const auto value : values) column.push_integer(value);
}
void fill(columns::Column& column, const std::vector<double>& values) {
  column.type = columns::ColumnType::real;
  for (const auto value : values) {
    if (std::isnan(value))
      column.push_null();
    else
      column.push_real(value);
  }
}

data::Attributes attributes_of(const std::vector<AttributeColumn>& given, const columns::Interner& ids) {
  data::Attributes table;
  if (given.empty()) return table;
  table.ids = ids;
  for (const auto& from : given) {
    if (from.name.empty()) wrong(ErrorKind::usage, "attributes", "a column has no name");
    if (table.find(from.name)) wrong(ErrorKind::usage, "attributes", "two columns are named '{}'", from.name);
    const auto values = std::visit([](const auto& list) { return list.size(); }, from.values);
    if (values != ids.size())
      wrong(ErrorKind::usage, "attributes", "column '{}' has {} values for {} vectors: give one a vector", from.name,
            values, ids.size());
    auto& column = table.columns.emplace_back();
    column.name = from.name;
    std::visit([&](const auto& list) { fill(column, list); }, from.values);
  }
  return table;
}

}  // namespace

// Either built, and then the owner of all that the index stands on; or of a bundle.
class Index::Impl {
 public:
  Impl(std::shared_ptr<const model::Bundle> opened, int threads) : pool(threads), bundle(std::move(opened)) {
    std::vector<uint32_t> row_of;
    const auto& table = bundle->item_attributes();
    for (uint32_t row = 0; row < table.ids.size(); ++row) row_of.push_back(bundle->item_ids().find(table.ids[row]));
    filters.emplace(table, row_of, bundle->item_ids().size());
  }

  Impl(VectorsView vectors, const IndexOptions& options) : pool(options.threads) {
    built_ids = ids_of(options.ids, vectors.rows);
    attributes = attributes_of(options.attributes, built_ids);
    pool.run([&](ThreadPool& threads) {
      math::RowsView rows(math::MatrixView<const float>(vectors.data, vectors.rows, vectors.dim));
      const auto precision = options.half_precision ? math::RowPrecision::f16 : math::RowPrecision::f32;
      if (!options.half_precision && !options.cosine) {
        own.resize(vectors.rows, vectors.dim);
        std::copy_n(vectors.data, vectors.rows * vectors.dim, own.data());
        rows = own;
      }
      stored.emplace(threads, "vectors", rows,
                     model::StorageFormat{.precision = precision, .unit_length = options.cosine},
                     std::filesystem::temp_directory_path().string());
      if (options.kind == IndexKind::exact) {
        built = index::make_exact_index(stored->rows());
        return;
      }
      const math::MatrixView<const float> held(options.sample_queries.data, options.sample_queries.rows, vectors.dim);
      partitions = index::build_partitions(
          threads, stored->rows(),
          {.seed = options.seed, .recall = options.recall, .k = static_cast<int64_t>(options.k)}, held);
      built = index::make_partitioned_index(*partitions, stored->rows());
    });
    std::vector<uint32_t> row_of(attributes.rows());
    std::iota(row_of.begin(), row_of.end(), 0);
    filters.emplace(attributes, row_of, built_ids.size());
  }

  const columns::Interner& ids() const { return bundle ? bundle->item_ids() : built_ids; }
  const index::Index& index() const { return bundle ? bundle->index() : *built; }

  mutable library::CallPool pool;
  std::shared_ptr<const model::Bundle> bundle;
  columns::Interner built_ids;
  data::Attributes attributes;
  math::Matrix<float> own;
  std::optional<model::StoredVectors> stored;
  std::optional<index::Partitions> partitions;
  std::unique_ptr<const index::Index> built;
  std::optional<filter::FilterIndex> filters;
};

Index::Index(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Index Index::build(VectorsView vectors, const IndexOptions& options) {
  if (vectors.rows == 0 || vectors.dim == 0)
    wrong(ErrorKind::usage, "vectors", "there is no vector to index: give at least one, of at least one component");
  if (!(options.recall > 0 && options.recall <= 1))
    wrong(ErrorKind::usage, "recall", "recall = {}: give a share above 0, up to 1", options.recall);
  library::checked_k(options.k, vectors.rows);
  library::checked_threads(options.threads);
  library::checked_queries(options.sample_queries, vectors.dim, "sample_queries");
  try {
    return Index(std::make_shared<const Impl>(vectors, options));
  } catch (const Error& e) {  // what remains is about components
    throw Error(e.kind(), e.what(), e.field().empty() ? "vectors" : e.field());
  }
}

Index Index::open(const std::string& path, int threads) {
  return Index(std::make_shared<const Impl>(model::Bundle::open(path), library::checked_threads(threads)));
}

void Index::save(const std::string& path) const {
  if (impl_->bundle) return model::copy_bundle(*impl_->bundle, path);
  const std::vector<uint64_t> counts(impl_->ids().size());
  model::BundleContent content;
  content.info = {.version = std::string(version()),
                  .towers = false,
                  .dim = dim(),
                  .items = items(),
                  .chosen_on = "none",
                  .times = columns::TimeForm{},
                  .vectors = impl_->stored->rows().precision()};
  content.item_ids = &impl_->ids();
  content.item_counts = counts;
  content.item_vectors = impl_->stored->rows();
  content.item_attributes = &impl_->attributes;
  content.partitions = impl_->partitions ? &*impl_->partitions : nullptr;
  model::write_bundle(path, content);
}

std::vector<Candidates> Index::search(VectorsView queries, const SearchOptions& options) const {
  const auto vectors = library::checked_queries(queries, dim(), "queries");
  index::SearchOptions search{.k = library::checked_k(options.k, items()),
                              .min_score = library::checked_min_score(options.min_score),
                              .recall = library::checked_recall(options.recall)};
  math::ItemSet allowed;
  if (!options.filter.empty()) {
    try {
      auto filter = impl_->filters->compile(options.filter);
      if (filter.not_seen) wrong(ErrorKind::usage, "filter", "'not seen' is about a user, and a vector has none");
      allowed = std::move(filter.items);
    } catch (const Error& e) {
      throw Error(e.kind(), e.what(), "filter");
    }
  }
  if (allowed.items() > 0) search.allowed = &allowed;
  math::Ragged<uint32_t> excluded;
  if (!options.exclude.empty()) {
    std::vector<uint32_t> rows;
    for (const auto& id : options.exclude)
      if (const auto row = impl_->ids().find(id); row != columns::Interner::kNone) rows.push_back(row);
    for (size_t q = 0; q < vectors.rows(); ++q) excluded.push(rows);
    search.excluded = &excluded;
  }
  const auto found = impl_->pool.run([&](ThreadPool& pool) { return impl_->index().search(pool, vectors, search); });
  return library::candidates_of(found, [&](uint32_t row) { return impl_->ids()[row]; });
}

std::size_t Index::items() const noexcept { return impl_->index().items(); }
std::size_t Index::dim() const noexcept { return impl_->index().dim(); }
IndexKind Index::kind() const noexcept {
  return impl_->index().kind() == "partitioned" ? IndexKind::partitioned : IndexKind::exact;
}

}  // namespace pagoda
