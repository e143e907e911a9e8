#include <cmath>

#include "cli/commands.h"
#include "cli/results.h"
#include "core/log.h"
#include "data/vector_file.h"
#include "math/kernels.h"

namespace pagoda {

namespace {

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
  write_bundle(args.output, content);
  log_info("{}: {} vectors of {} components", args.output, ids.size(), vectors.values.cols());
}

}  // namespace

void run_index(const IndexArgs& args) {
  if (args.kind != "exact") fail(ErrorKind::usage, "--kind {}: this program knows one kind of index, exact", args.kind);
  if (args.model.empty() == args.vectors.empty())
    fail(ErrorKind::usage, "give a bundle to rebuild, or --vectors FILE with -o X.pagoda");
  if (!args.vectors.empty()) return index_vectors(args);
  const auto output = args.output.empty() ? args.model : args.output;
  rewrite_bundle(args.model, output, {{"index", args.kind}});
  log_info("{}: index rebuilt", output);
}

}  // namespace pagoda
