#include <pagoda/version.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/results.h"
#include "columns/whitespace.h"
#include "core/log.h"
#include "data/id_overlap.h"
#include "data/vector_file.h"
#include "files/byte_sink.h"
#include "files/line_file.h"
#include "index/partitioned_index.h"
#include "model/stored_vectors.h"
#include "model/without_index.h"
#include "retrieval/retrieval.h"

namespace pagoda::cli {

namespace {

struct RemoveFile {
  void operator()(const std::string* path) const {
    std::error_code ignored;
    std::filesystem::remove(*path, ignored);
    delete path;
  }
};

// The calibration queries: those of the file, or of users, evenly spread.
math::Matrix<float> held_queries(ThreadPool& pool, const IndexArgs& args,
                                 const std::shared_ptr<const model::Bundle>& bundle) {
  if (!args.queries.empty()) return data::read_vectors(args.queries, {.ids = false}).values;
  if (!bundle || !bundle->info().towers) return {};
  return retrieval::Retrieval(bundle).user_vectors(pool, retrieval::some_users(*bundle));
}

// The first given flag that only a partitioned index has; nullptr: none.
const char* flag_of_partitioned(const IndexArgs& args) {
  if (args.recall) return "--recall";
  if (args.k) return "--k";
  if (!args.queries.empty()) return "--queries";
  if (args.lists) return "--lists";
  return args.seed ? "--seed" : nullptr;
}

std::optional<index::Partitions> partitions_of(ThreadPool& pool, const IndexArgs& args, math::RowsView vectors,
                                               const std::shared_ptr<const model::Bundle>& bundle) {
  const std::string before(bundle ? bundle->index().kind() : "exact");
  const auto* flag = flag_of_partitioned(args);
  if (args.kind == "exact" && flag)
    fail(ErrorKind::usage, "{} is for a partitioned index: leave out this flag, or --kind exact", flag);
  if ((args.kind.empty() && !flag ? before : args.kind) == "exact") return std::nullopt;
  const auto held = held_queries(pool, args, bundle);
  if (held.rows() > 0 && held.cols() != vectors.cols())
    fail(ErrorKind::input, "{}: vectors of {} components, the items have {}", args.queries, held.cols(),
         vectors.cols());
  const auto begin = std::chrono::steady_clock::now();
  index::PartitionedOptions options;
  if (before == "partitioned") {
    const auto like = index::load_partitions(bundle->file(), vectors.rows(), vectors.cols());
    options.seed = like.seed;
    options.recall = like.recall;
    options.k = static_cast<int64_t>(like.k);
  }
  options.lists = args.lists.value_or(options.lists);
  options.seed = args.seed.value_or(options.seed);
  options.recall = args.recall.value_or(options.recall);
  options.k = args.k.value_or(options.k);
  auto p = index::build_partitions(pool, vectors, options, held);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double mean = static_cast<double>(p.items) / static_cast<double>(p.lists);
  log_info("{} lists of {:.0f} items, the largest {}; {:.1f} s", p.lists, mean,
           *std::max_element(p.counts.begin(), p.counts.end()), took.count());
  log_info("recall {} at k = {}: {:.2f}% of the items are scored", p.recall, p.k,
           100 * p.curve.rows_scored(static_cast<double>(p.k), p.recall));
  return p;
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// The ids from --ids, from the file of the vectors, or from FILE.ids.txt; otherwise row numbers.
columns::Interner ids_of(const IndexArgs& args, const data::MappedVectors& vectors) {
  const size_t n = vectors.values.rows();
  std::vector<std::string> ids = vectors.ids;
  std::string column = vectors.id_column, file = vectors.ids_file;
  if (!args.ids.empty()) {
    ids.clear();
    column.clear();
    file = args.ids;
    const auto lines = files::read_lines(args.ids);
    columns::Notices notices;
    for (const auto& line : lines.lines) ids.push_back(files::id_of_line(lines, line, {}, notices));
    notices.say();
    if (ids.size() != n)
      fail(ErrorKind::input, "{}: {} ids for the {} vectors of {}: give one id a vector, each on a line of its own",
           args.ids, ids.size(), n, args.vectors);
  }
  const auto from = say_ids(args.vectors, column, file);
  columns::Interner interner;
  for (uint32_t i = 0; i < n; ++i) {
    const auto id = from.empty() ? std::to_string(i) : ids[i];
    if (id.empty())
      fail(ErrorKind::input, "{}: the vector of row {} (from 0) has an empty id in {}", args.vectors, i, from);
    if (const auto first = interner.add(id); first != i)
      fail(ErrorKind::input, "{}: rows {} and {} (from 0) have the same id '{}' in {}: an item has one vector",
           args.vectors, first, i, id, from);
  }
  columns::warn_of_whitespace(column.empty() ? file : args.vectors, column, interner);
  return interner;
}

// Makes a bundle from your own vectors, without towers.
void index_vectors(ThreadPool& pool, const IndexArgs& args, math::RowPrecision precision) {
  if (args.output.empty()) fail(ErrorKind::usage, "give the bundle to write: -o X.pagoda");
  files::check_not_compressed(args.output, "a bundle");
  if (args.metric != "cosine" && args.metric != "inner_product")
    fail(ErrorKind::usage, "--metric {}: inner_product or cosine", args.metric);
  const auto file = data::map_vectors(args.vectors, {.vector = args.vector, .id = args.id, .ids = args.ids.empty()});
  const auto ids = ids_of(args, file);
  data::Attributes attributes;
  if (!args.attributes.empty())
    attributes = data::load_attributes(
        {.paths = {args.attributes}, .format = files::Format::automatic, .id = "item_id", .bad_rows = {}});
  if (!args.attributes.empty())
    data::report_overlap(
        data::count_overlap({&ids}, {&attributes.ids}),
        {args.attributes, "items of " + args.vectors,
         file.ids.empty() && args.ids.empty() ? "name the items with --ids" : "write the ids of both alike"});
  const model::StoredVectors vectors(pool, args.vectors, file.values,
                                     {.precision = precision, .unit_length = args.metric == "cosine"},
                                     folder_of(args.output));
  const std::vector<uint64_t> counts(ids.size());
  model::BundleContent content;
  content.info = {.version = std::string(version()),
                  .towers = false,
                  .dim = vectors.rows().cols(),
                  .items = ids.size(),
                  .chosen_on = "none",
                  .times = columns::TimeForm{},
                  .vectors = precision};
  content.item_ids = &ids;
  content.item_counts = counts;
  content.item_vectors = vectors.rows();
  content.item_attributes = &attributes;
  const auto partitions = partitions_of(pool, args, vectors.rows(), nullptr);
  if (partitions) content.partitions = &*partitions;
  model::write_bundle(args.output, content);
  log_info("{}: {} vectors of {} components", args.output, ids.size(), vectors.rows().cols());
}

// Opens the bundle whose index is rebuilt, without the need for its old index: if that cannot be read, opens a copy
// without it, which lives as long as `copy`.
std::shared_ptr<const model::Bundle> open_to_rebuild(const std::string& model,
                                                     std::unique_ptr<std::string, RemoveFile>& copy) {
  try {
    return model::Bundle::open(model);
  } catch (const Error& unreadable) {
    try {
      copy.reset(new std::string(model + ".without-index"));
      model::copy_without_index(model, *copy);
      const auto bundle = model::Bundle::open(*copy);
      log_warning("{}", unreadable.what());
      return bundle;
    } catch (const Error&) {
      throw Error(unreadable);  // the index is not the cause
    }
  }
}

}  // namespace

void run_index(const IndexArgs& args) {
  if (!args.kind.empty() && args.kind != "exact" && args.kind != "partitioned")
    fail(ErrorKind::usage, "--kind {}: exact or partitioned", args.kind);
  if (args.model.empty() == args.vectors.empty())
    fail(ErrorKind::usage, "give a bundle to rebuild, or --vectors FILE with -o X.pagoda");
  if (!args.precision.empty() && args.precision != "f32" && args.precision != "f16")
    fail(ErrorKind::usage, "--precision {}: f32 or f16", args.precision);
  ThreadPool pool(0);
  const auto asked = args.precision == "f16" ? math::RowPrecision::f16 : math::RowPrecision::f32;
  if (!args.vectors.empty()) return index_vectors(pool, args, asked);
  const auto output = args.output.empty() ? args.model : args.output;
  files::check_not_compressed(output, "a bundle");
  std::unique_ptr<std::string, RemoveFile> copy;
  const auto bundle = open_to_rebuild(args.model, copy);
  const model::StoredVectors vectors(pool, args.model, bundle->item_vectors(),
                                     {.precision = args.precision.empty() ? bundle->info().vectors : asked},
                                     folder_of(output));
  const auto partitions = partitions_of(pool, args, vectors.rows(), bundle);
  model::rewrite_index(args.model, output, vectors.rows(), partitions ? &*partitions : nullptr);
  log_info("{}: index rebuilt", output);
}

}  // namespace pagoda::cli
