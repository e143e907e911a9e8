// The search of partitioned_index.h; its calibration searches with a slack of its own.
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

  // How a search goes through the lists: slack, tail and most_rows as in ProbeTarget. Without a rerank it ends with all that would be
  // scored exactly, in order of the approximate scores, and reads no vector: what is among the best k of these is in the
  // answer, so its recall is known.
  struct SearchParams {
    float stop_slack;
    const GapHistogram* histogram;
    double most_rows = std::numeric_limits<double>::infinity();
    bool rerank = true;
    std::optional<uint64_t> matching{};  // rows that the filter lets in, where they have been counted
  };
  // Through the lists, whatever would be cheaper.
  SearchResult search_lists(ThreadPool& pool, math::MatrixView<const float> queries, const SearchOptions& options,
                            const SearchParams& way) const;

 protected:
  SearchResult best(ThreadPool& pool, math::MatrixView<const float> queries,
                    const SearchOptions& options) const override;

 private:
  struct QueryGroup;
  class Excluded;
  void search_group(ThreadPool& pool, math::MatrixView<const float> queries, std::span<const uint32_t> rows,
                    const SearchOptions& options, const ProbeTarget& goal, bool reranked, QueryGroup& group,
                    std::vector<std::vector<uint64_t>>& best) const;
  void scan_round(ThreadPool& pool, QueryGroup& group, const math::ItemSet* allowed) const;
  void scan(std::span<const uint64_t> visits, const QueryGroup& group, const math::ItemSet* allowed,
            std::span<RerankPool* const> shortlists, std::span<uint64_t> matched) const;
  std::vector<uint64_t> pooled(const RerankPool& shortlist) const;
  std::vector<uint64_t> exactly(ThreadPool& pool, math::MatrixView<const float> queries, size_t q,
                                const SearchOptions& options) const;
  std::vector<uint64_t> rerank(ThreadPool& pool, std::span<const float> query, const RerankPool& shortlist,
                               const Excluded* excluded, size_t k, float min_score) const;

  // What searches that have ended left for the next: their memory is as large as they are many.
  ProbeState take_state() const;
  void give_back_states(std::vector<ProbeState> probings) const;

  Partitions p_;
  math::RowsView vectors_;
  std::unique_ptr<Index> exact_;
  mutable std::mutex spare_lock_;
  mutable std::vector<ProbeState> spare_;
};

}  // namespace pagoda::index
