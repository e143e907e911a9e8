#include <algorithm>

#include "cli/commands.h"
#include "cli/results.h"
#include "core/progress.h"
#include "data/vector_file.h"
#include "serve/retrieval.h"

namespace pagoda {

namespace {

constexpr size_t kBlock = 4096;  // requests answered at a time: bounds the lists held at once

size_t checked_k(int64_t k) {
  if (k < 1) fail(ErrorKind::usage, "--k = {} must be at least 1", k);
  return static_cast<size_t>(k);
}

Retrieval open_retrieval(const RetrieveArgs& args) {
  auto bundle = Bundle::open(args.model);
  if (args.rescore.empty()) return Retrieval(std::move(bundle));
  return Retrieval(std::move(bundle), Bundle::open(args.rescore),
                   static_cast<size_t>(std::max<int64_t>(0, args.rescore_from)));
}

}  // namespace

void run_retrieve(const RetrieveArgs& args) {
  if (args.users.empty() == args.vectors.empty())
    fail(ErrorKind::usage, "say for whom: --users FILE (- for stdin), or --vectors FILE.npy");
  if (!args.vectors.empty() && !args.rescore.empty())
    fail(ErrorKind::usage, "--rescore encodes users with the second model: give --users, not --vectors");
  const auto retrieval = open_retrieval(args);
  RetrieveOptions options{.k = checked_k(args.k), .filter = args.filter, .exclude_seen = false};
  for (const auto& word : args.exclude) {
    if (word == "seen")
      options.exclude_seen = true;
    else if (word != "none")
      for (auto& line : read_lines(word)) options.exclude.push_back(std::move(line.text));
  }
  ThreadPool pool(0);
  ResultWriter out(args.output, args.format, "user");
  if (!args.vectors.empty()) {
    const auto vectors = read_vectors(args.vectors);
    for (size_t begin = 0; begin < vectors.values.rows(); begin += kBlock) {
      const size_t end = std::min(vectors.values.rows(), begin + kBlock);
      std::vector<std::string> keys;
      for (size_t i = begin; i < end; ++i) keys.push_back(vectors.ids.empty() ? std::to_string(i) : vectors.ids[i]);
      out.write(retrieval.bundle(), keys,
                retrieval.retrieve(pool, vectors.values.view().slice_rows(begin, end), options).found);
    }
    return out.close();
  }
  const auto lines = read_lines(args.users);
  Progress bar("retrieve", lines.size(), "users");
  for (size_t begin = 0; begin < lines.size(); begin += kBlock) {
    if (interrupted) fail(ErrorKind::interrupted, "interrupted; nothing was written to {}", args.output);
    std::vector<RetrieveRequest> requests;
    std::vector<std::string> keys;
    for (size_t i = begin; i < std::min(lines.size(), begin + kBlock); ++i) {
      requests.push_back(parse_request(lines[i].text, place_of(args.users, lines[i])));
      retrieval.check_names(requests.back(), place_of(args.users, lines[i]));
      keys.push_back(requests.back().user.value_or(""));
    }
    out.write(retrieval.bundle(), keys, retrieval.retrieve(pool, requests, options).found);
    bar.update(begin + requests.size());
  }
  bar.finish();
  out.close();
}

void run_similar(const SimilarArgs& args) {
  const Retrieval retrieval(Bundle::open(args.model));
  std::vector<std::string> ids;
  std::vector<uint32_t> rows;
  for (const auto& line : read_lines(args.items)) {
    ids.push_back(line.text);
    rows.push_back(retrieval.bundle().item_ids().find(line.text));
    if (rows.back() == Interner::kNone)
      fail(ErrorKind::input, "{}: item '{}' is not in the catalogue of {}", place_of(args.items, line), line.text,
           args.model);
  }
  ThreadPool pool(0);
  ResultWriter out(args.output, args.format, "item");
  out.write(retrieval.bundle(), ids, retrieval.similar(pool, rows, checked_k(args.k)));
  out.close();
}

}  // namespace pagoda
