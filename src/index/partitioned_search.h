// Private: the search of partitioned_index.h, which calibration runs with stop slacks of its own.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "index/partitioned_index.h"
#include "index/probe_state.h"

namespace pagoda::index {

class PartitionedIndex final : public Index {
 public:
  PartitionedIndex(Partitions partitions, math::RowsView vectors);
  std::string_view kind() const override { return "partitioned"; }
  size_t items() const override { return p_.items; }
  size_t dim() const override { return p_.dim; }
  const Partitions& partitions() const { return p_; }

  // How a search probes the lists: stop_slack, histogram and max_rows as in ProbeTarget. Without `rerank` the result is
  // the whole rerank pool, by score of the codes, and no vector is read; the exact top k that the pool holds are what a
  // rerank would return, so its recall is the search's.
  struct SearchParams {
    float stop_slack;
    const GapHistogram* histogram;
    double max_rows = std::numeric_limits<double>::infinity();
    bool rerank = true;
    std::optional<uint64_t> matching{};  // rows that pass the filter, if they have been counted
  };
  // Searches through the lists even where another plan would be cheaper.
  SearchResult search_lists(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options,
                            const SearchParams& params) const;

 protected:
  SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                    const SearchOptions& options) const override;

 private:
  struct QueryGroup;
  class Excluded;
  void search_group(ThreadPool& pool, math::MatrixView<const float> queries, std::span<const uint32_t> rows,
                    const SearchOptions& options, const ProbeTarget& target, bool with_rerank, QueryGroup& group,
                    std::vector<std::vector<uint64_t>>& best) const;
  void scan_round(ThreadPool& pool, QueryGroup& group, const math::ItemSet* allowed) const;
  void scan(std::span<const uint64_t> visits, const QueryGroup& group, const math::ItemSet* allowed,
            std::span<RerankPool* const> rerank_pools, std::span<uint64_t> matched) const;
  std::vector<uint64_t> keys_by_code_score(const RerankPool& rerank_pool) const;
  std::vector<uint64_t> search_exactly(ThreadPool& pool, math::MatrixView<const float> queries, size_t q,
                                       const SearchOptions& options) const;
  std::vector<uint64_t> rerank(ThreadPool& pool, std::span<const float> query, const RerankPool& rerank_pool,
                               const Excluded* excluded, size_t k, float min_score) const;

  // Probe states that earlier searches left for reuse. Thread-safe.
  ProbeState take_state() const;
  void give_back_states(std::vector<ProbeState> states) const;

  Partitions p_;
  math::RowsView vectors_;
  std::unique_ptr<Index> exact_;
  mutable std::mutex spare_mutex_;
  mutable std::vector<ProbeState> spare_;
};

}  // namespace pagoda::index
