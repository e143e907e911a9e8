#include "index/layered_index.h"

#include <algorithm>

#include "core/error.h"

namespace pagoda::index {
namespace {

class LayeredIndex final : public Index {
 public:
  LayeredIndex(const Index& below, const math::ItemSet& shown, const Index& above)
      : below_(below), shown_(shown), all_shown_(shown.count() == shown.items()), above_(above) {
    check(above.dim() == below.dim(), "both layers have the same dim");
    check(shown.items() == below.items(), "`shown` covers the lower layer");
  }
  std::string_view kind() const override { return below_.kind(); }
  size_t items() const override { return below_.items() + above_.items(); }
  size_t dim() const override { return below_.dim(); }

 private:
  SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                    const SearchOptions& options) const override;
  SearchResult merged(const SearchResult& below, const SearchResult& above, size_t k) const;

  const Index& below_;
  const math::ItemSet& shown_;
  bool all_shown_;
  const Index& above_;
};

SearchResult LayeredIndex::best(ThreadPool& pool, math::MatrixView<const float> queries,
                                const SearchOptions& options) const {
  const auto bottom = static_cast<uint32_t>(below_.items());
  auto in_below = options, in_above = options;
  math::ItemSet allowed_below, allowed_above;
  if (!all_shown_) in_below.allowed = &shown_;
  if (options.allowed) {
    allowed_below = options.allowed->slice(0, bottom);
    allowed_below &= shown_;
    allowed_above = options.allowed->slice(bottom, items());
    in_below.allowed = &allowed_below;
    in_above.allowed = &allowed_above;
  }
  math::Ragged<uint32_t> excluded_below, excluded_above;
  if (options.excluded) {
    for (size_t q = 0; q < queries.rows(); ++q) {
      for (const uint32_t row : (*options.excluded)[q])
        row < bottom ? excluded_below.values.push_back(row) : excluded_above.values.push_back(row - bottom);
      excluded_below.close();
      excluded_above.close();
    }
    in_below.excluded = &excluded_below;
    in_above.excluded = &excluded_above;
  }
  Boosts boosts_below, boosts_above;
  if (options.boosts) {
    const auto& [rows, amounts] = *options.boosts;
    for (size_t q = 0; q < queries.rows(); ++q) {
      for (uint64_t i = rows.offsets[q]; i < rows.offsets[q + 1]; ++i) {
        const uint32_t row = rows.values[i];
        auto& layer = row < bottom ? boosts_below : boosts_above;
        layer.rows.values.push_back(row < bottom ? row : row - bottom);
        layer.amounts.push_back(amounts[i]);
      }
      boosts_below.rows.close();
      boosts_above.rows.close();
    }
    in_below.boosts = &boosts_below;
    in_above.boosts = &boosts_above;
  }
  SearchExplain of_above;
  if (options.explain) in_above.explain = &of_above;
  const double selectivity = options.explain ? options.explain->selectivity : 1;  // over both layers
  const auto found_below = below_.search(pool, queries, in_below);
  const auto found_above = above_.search(pool, queries, in_above);
  if (options.explain) {
    options.explain->selectivity = selectivity;
    options.explain->add_times(of_above);
    for (size_t q = 0; q < of_above.queries.size(); ++q) options.explain->queries[q] += of_above.queries[q];
  }
  return merged(found_below, found_above, options.k);
}

// Ties go by row, so items of the lower layer come first.
SearchResult LayeredIndex::merged(const SearchResult& below, const SearchResult& above, size_t k) const {
  const auto bottom = static_cast<uint32_t>(below_.items());
  SearchResult result;
  for (size_t q = 0; q < below.items.size(); ++q) {
    size_t b = below.items.offsets[q], a = above.items.offsets[q];
    const size_t b_end = below.items.offsets[q + 1], a_end = above.items.offsets[q + 1];
    for (size_t n = 0; n < k && (b < b_end || a < a_end); ++n) {
      const bool take_below = b < b_end && (a == a_end || below.scores[b] >= above.scores[a]);
      result.items.values.push_back(take_below ? below.items.values[b] : bottom + above.items.values[a]);
      result.scores.push_back(take_below ? below.scores[b++] : above.scores[a++]);
    }
    result.items.close();
  }
  return result;
}

}  // namespace

std::unique_ptr<Index> make_layered_index(const Index& below, const math::ItemSet& shown, const Index& above) {
  return std::make_unique<LayeredIndex>(below, shown, above);
}

}  // namespace pagoda::index
