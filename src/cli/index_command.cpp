#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "cli/commands.h"
#include "cli/results.h"
#include "core/log.h"
#include "data/vector_file.h"
#include "index/partitioned_index.h"
#include "math/kernels.h"
#include "serve/retrieval.h"

namespace pagoda {

namespace {

// Queries like those to come: the file's, or those of users, spread over all of them.
Matrix<float> held_queries(ThreadPool& pool, const IndexArgs& args, const std::shared_ptr<const Bundle>& bundle) {
  if (!args.queries.empty()) return read_vectors(args.queries).values;
  if (!bundle || !bundle->info().towers) return {};
  return Retrieval(bundle).user_vectors(pool, some_users(*bundle));
}

std::optional<Partitions> partitions_of(const IndexArgs& args, MatrixView<const float> vectors,
                                        const std::shared_ptr<const Bundle>& bundle) {
  if (args.kind == "exact") return std::nullopt;
  ThreadPool pool(0);
  const auto held = held_queries(pool, args, bundle);
  if (held.rows() > 0 && held.cols() != vectors.cols())
    fail(ErrorKind::input, "{}: vectors of {} components, the items have {}", args.queries, held.cols(),
         vectors.cols());
  const auto begin = std::chrono::steady_clock::now();
  auto p = build_partitions(pool, vectors, {.lists = args.lists, .seed = args.seed, .recall = args.recall, .k = args.k},
                            held);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double mean = static_cast<double>(p.items) / static_cast<double>(p.lists);
  log_info("{} lists of {:.0f} items, the largest {}; {:.1f} s", p.lists, mean,
           *std::max_element(p.counts.begin(), p.counts.end()), took.count());
  log_info("recall {} at k = {}: {:.2f}% of the items are scored", p.recall, p.k,
           100 * p.curve.rows_scored(static_cast<double>(p.k), p.recall));
  return p;
}

// A bundle of anyone's vectors: no towers, the same file, the same search and filters.
void index_vectors(const IndexArgs& args) {
  if (args.output.empty()) fail(ErrorKind::usage, "say where the bundle goes: -o X.pagoda");
  auto vectors = read_vectors(args.vectors);
  if (args.metric == "cosine") {
    for (size_t i = 0; i < vectors.values.rows(); ++i) {
      auto row = vectors.values.row(i);
      const float length = std::sqrt(dot(row.data(), row.data(), row.size()));
      if (length > 0) scale(1 / length, row.data(), row.size());
    }
  } else if (args.metric != "inner_product") {
    fail(ErrorKind::usage, "--metric {}: inner_product or cosine", args.metric);
  }
  if (!args.ids.empty()) {
    vectors.ids.clear();
    for (auto& line : read_lines(args.ids)) {
      if (!is_utf8(line.text)) fail(ErrorKind::input, "{}: the id is not UTF-8", place_of(args.ids, line));
      vectors.ids.push_back(std::move(line.text));
    }
  }
  if (!vectors.ids.empty() && vectors.ids.size() != vectors.values.rows())
    fail(ErrorKind::input, "{} ids for {} vectors: give one id a vector", vectors.ids.size(), vectors.values.rows());
  Interner ids;
  for (size_t i = 0; i < vectors.values.rows(); ++i) {
    const auto id = vectors.ids.empty() ? std::to_string(i) : vectors.ids[i];
    if (ids.add(id) != i) fail(ErrorKind::input, "the id '{}' stands twice, at vector {}", id, i);
  }
  Attributes attributes;
  if (!args.attributes.empty())
    attributes =
        load_attributes({.paths = {args.attributes}, .format = Format::automatic, .id = "item_id", .bad_rows = {}});
  const std::vector<uint64_t> counts(ids.size());
  BundleContent content;
  content.info = {.version = PAGODA_VERSION,
                  .towers = false,
                  .dim = vectors.values.cols(),
                  .items = ids.size(),
                  .chosen_on = "none"};
  content.item_ids = &ids;
  content.item_counts = counts;
  content.item_vectors = vectors.values;
  content.item_attributes = &attributes;
  const auto partitions = partitions_of(args, vectors.values, nullptr);
  if (partitions) content.partitions = &*partitions;
  write_bundle(args.output, content);
  log_info("{}: {} vectors of {} components", args.output, ids.size(), vectors.values.cols());
}

}  // namespace

void run_index(const IndexArgs& args) {
  if (args.kind != "exact" && args.kind != "partitioned")
    fail(ErrorKind::usage, "--kind {}: exact or partitioned", args.kind);
  if (args.model.empty() == args.vectors.empty())
    fail(ErrorKind::usage, "give a bundle to rebuild, or --vectors FILE with -o X.pagoda");
  if (!args.vectors.empty()) return index_vectors(args);
  const auto output = args.output.empty() ? args.model : args.output;
  std::shared_ptr<const Bundle> bundle;
  std::optional<Partitions> partitions;
  if (args.kind != "exact") {
    bundle = Bundle::open(args.model);
    partitions = partitions_of(args, bundle->item_vectors(), bundle);
  }
  rewrite_index(args.model, output, partitions ? &*partitions : nullptr);
  log_info("{}: index rebuilt", output);
}

}  // namespace pagoda
