#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/result_shards.h"
#include "cli/results.h"
#include "cli/unknown_names.h"
#include "cli/user_lines.h"
#include "core/file.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/progress.h"
#include "core/section_file.h"
#include "data/id_overlap.h"
#include "data/vector_file.h"
#include "retrieval/snapshot.h"

namespace pagoda::cli {

namespace {

constexpr size_t kBlock = 4096;   // requests per block, which bounds the lists in memory
constexpr size_t kFewUsers = 10;  // fewer lines than these may name anybody

size_t checked_k(int64_t k) {
  if (k < 1) fail(ErrorKind::usage, "--k = {} must be at least 1", k);
  return static_cast<size_t>(k);
}

// Answers as a server of the bundle does, with the items that its journal added and deleted.
retrieval::Retrieval open_retrieval(const std::string& model) {
  const auto journal = retrieval::item_journal_path(model);
  const auto changes = retrieval::read_item_journal(journal);
  if (!changes.empty()) log_info("{}: {} items are added, replaced or deleted by it", journal, changes.size());
  return retrieval::with_changes(model::Bundle::open(model), changes, {.merge_at = std::numeric_limits<size_t>::max()});
}

retrieval::Retrieval open_retrieval(const RetrieveArgs& args) {
  if (args.rescore.empty()) return open_retrieval(args.model);
  if (const auto journal = retrieval::item_journal_path(args.model); file_exists(journal))
    log_warning("{} is not read: with --rescore the bundles alone answer", journal);
  return retrieval::Retrieval(model::Bundle::open(args.model), model::Bundle::open(args.rescore),
                              static_cast<size_t>(std::max<int64_t>(0, args.rescore_from)));
}

// Warns of items that the catalogue lacks, which exclude nothing.
void add_exclusions(const retrieval::Retrieval& retrieval, const std::string& path, std::vector<std::string>& exclude) {
  columns::Interner ids, unknown;
  const auto file = files::read_lines(path);
  columns::Notices notices;
  for (const auto& line : file.lines) ids.add(item_of_line(file, line, retrieval, notices));
  notices.say();
  for (uint32_t i = 0; i < ids.size(); ++i) {
    exclude.emplace_back(ids[i]);
    if (retrieval.find_item(ids[i]) == columns::Interner::kNone) unknown.add(ids[i]);
  }
  if (unknown.size() == 0) return;
  const auto meeting = data::count_overlap({&unknown}, {&retrieval.bundle().item_ids()});
  log_warning("{}: {} of its {} items are not in the catalogue and exclude nothing: {}{}", path, unknown.size(),
              ids.size(), data::examples_of(meeting.missing), data::spelling_hint(meeting));
}

// The files of --shards; nothing without it. What the answers depend on is kept beside them.
std::optional<ResultShards> shards_of(const RetrieveArgs& args, const retrieval::Retrieval& retrieval,
                                      const UserLines& lines, const retrieval::RetrieveOptions& options) {
  if (!args.shards) return std::nullopt;
  if (args.output == "-") fail(ErrorKind::usage, "--shards {}: give the folder to write with -o", *args.shards);
  const auto sum_of = [](std::string_view text) { return fmt::format("{:016x}", checksum(text)); };
  const auto journal = retrieval::item_journal_path(args.model);
  std::string excluded;
  for (const auto& item : options.exclude) excluded += item + '\n';
  const nlohmann::ordered_json request{
      {"model", retrieval.bundle().fingerprint()},
      {"changes", args.rescore.empty() && file_exists(journal) ? sum_of(read_file(journal)) : ""},
      {"rescore", args.rescore.empty() ? "" : model::fingerprint_of_bundle(args.rescore)},
      {"rescore_from", args.rescore.empty() ? 0 : args.rescore_from},
      {"users", lines.size()},
      {"users_checksum", fmt::format("{:016x}", lines.checksum())},
      {"k", options.k},
      {"filter", options.filter},
      {"exclude_seen", options.exclude_seen},
      {"exclude_checksum", sum_of(excluded)}};
  return std::make_optional<ResultShards>(args.output, *args.shards, args.format.empty() ? "parquet" : args.format,
                                          request);
}

// Sums up what the searches did over all blocks of queries.
class Explanation {
 public:
  void add(const retrieval::RetrieveAnswer& answer) {
    if (!answer.explain) return;
    const auto& e = *answer.explain;
    plan_ = e.plan;
    selectivity_ = e.selectivity;
    centres_s_ += e.centroids_s;
    scan_s_ += e.scan_s;
    rerank_s_ += e.rerank_s;
    times_.encode_s += answer.times.encode_s;
    times_.filter_s += answer.times.filter_s;
    times_.search_s += answer.times.search_s;
    for (const auto& q : e.queries) {
      lists_.push_back(q.lists_probed);
      scored_.push_back(q.vectors_scored);
      reranked_.push_back(q.vectors_reranked);
      boosted_.push_back(q.boosted);
    }
  }
  void print() {
    if (scored_.empty()) return;
    log_info("plan               {}", plan_);
    log_info("selectivity        {:.4g} of the items pass the filter", selectivity_);
    for (auto [what, counts] : {std::pair("lists probed", &lists_), std::pair("vectors scored", &scored_),
                                std::pair("vectors reranked", &reranked_), std::pair("items boosted", &boosted_)}) {
      std::ranges::sort(*counts);
      log_info("{:<18} {} a query (median), {} at most", what, (*counts)[counts->size() / 2], counts->back());
    }
    log_info("times              encode {}, filter {}, search {}", human_duration(times_.encode_s),
             human_duration(times_.filter_s), human_duration(times_.search_s));
    if (scan_s_ > 0)
      log_info("search, by part    centres {}, scan {}, rerank {}, summed over threads", human_duration(centres_s_),
               human_duration(scan_s_), human_duration(rerank_s_));
  }

 private:
  std::string plan_;
  double selectivity_ = 1, centres_s_ = 0, scan_s_ = 0, rerank_s_ = 0;
  retrieval::StageTimes times_;
  std::vector<uint64_t> lists_, scored_, reranked_, boosted_;  // of each query
};

}  // namespace

void run_retrieve(const RetrieveArgs& args) {
  if (args.users.empty() == args.vectors.empty())
    fail(ErrorKind::usage, "give --users FILE (- for stdin), or --vectors FILE");
  if (!args.vectors.empty() && !args.rescore.empty())
    fail(ErrorKind::usage, "--rescore encodes users with the second model: give --users, not --vectors");
  const auto retrieval = open_retrieval(args);
  retrieval::RetrieveOptions options{
      .k = checked_k(args.k), .filter = args.filter, .exclude_seen = false, .explain = args.explain};
  for (const auto& word : args.exclude) {
    if (word == "seen")
      options.exclude_seen = true;
    else if (word != "none")
      add_exclusions(retrieval, word, options.exclude);
  }
  const ResultForm form{args.output, args.format, "user"};
  ThreadPool pool(0);
  Explanation explanation;
  UnknownNames unknown(retrieval);
  if (!args.vectors.empty()) {
    const auto vectors =
        data::read_vectors(args.vectors, {.vector = args.vector, .id = args.id, .default_id = "user_id"});
    say_ids(args.vectors, vectors.id_column, vectors.ids_file);
    auto ids = vectors.ids;
    for (size_t i = ids.size(); i < vectors.values.rows(); ++i) ids.push_back(std::to_string(i));
    ResultWriter out(form, retrieval, result_ids(form, retrieval, ids));
    for (size_t begin = 0; begin < vectors.values.rows(); begin += kBlock) {
      const size_t end = std::min(vectors.values.rows(), begin + kBlock);
      const std::vector<std::string> keys(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                          ids.begin() + static_cast<std::ptrdiff_t>(end));
      const auto answer = retrieval.retrieve(pool, vectors.values.view().slice_rows(begin, end), options);
      explanation.add(answer);
      unknown.add_answers(answer.found);
      out.write(keys, answer.found);
    }
    unknown.say();
    explanation.print();
    return out.close();
  }
  const UserLines lines(args.users, retrieval);
  if (lines.size() == 0) log_warning("{}: has no user, so there is no answer", lines.name());
  std::vector<std::string> users;
  UnknownNames asked(retrieval);
  // Who names many users means those of the log: many strangers are a mistake. A few lines may be a trial.
  const bool may_be_a_trial = !lines.from_table() && lines.size() < kFewUsers;
  const double max_unknown = args.max_unknown.value_or(may_be_a_trial ? 1.0 : 0.1);
  for (size_t line = 0; line < lines.size(); ++line) {
    const auto request = lines.request(line);
    if (max_unknown < 1) asked.add(request);
    users.push_back(request.user.value_or(""));
  }
  asked.check_share(max_unknown);
  const auto shards = shards_of(args, retrieval, lines, options);
  const size_t files = shards ? shards->size() : 1;
  const auto form_of = [&](size_t shard) { return shards ? ResultForm{shards->path(shard), "", form.key} : form; };
  const auto ids = result_ids(form_of(0), retrieval, users);
  Progress bar("retrieve", lines.size(), "users");
  size_t done = 0;
  for (size_t shard = 0; shard < files; ++shard) {
    const size_t first = lines.size() * shard / files, last = lines.size() * (shard + 1) / files;
    if (shards && shards->is_done(shard)) {
      ++done;
      continue;
    }
    const auto key_at = [&](size_t i) { return users.begin() + static_cast<std::ptrdiff_t>(i); };
    ResultWriter out(form_of(shard), retrieval, ids);
    for (size_t begin = first; begin < last; begin += kBlock) {
      if (interrupted)
        fail(ErrorKind::interrupted, "interrupted; {}",
             shards ? fmt::format("{} of {} shards are done, and the same command goes on", done, files)
                    : fmt::format("nothing was written to {}", args.output));
      std::vector<retrieval::RetrieveRequest> requests;
      const size_t end = std::min(last, begin + kBlock);
      for (size_t i = begin; i < end; ++i) {
        requests.push_back(lines.request(i));
        unknown.add(requests.back());
      }
      const auto answer = retrieval.retrieve(pool, requests, options);
      explanation.add(answer);
      unknown.add_answers(answer.found);
      out.write({key_at(begin), key_at(end)}, answer.found);
      bar.update(end);
    }
    out.close();
    ++done;
  }
  bar.finish();
  unknown.say();
  explanation.print();
}

void run_similar(const SimilarArgs& args) {
  const auto retrieval = open_retrieval(args.model);
  std::vector<std::string> ids;
  std::vector<uint32_t> rows;
  const auto file = files::read_lines(args.items);
  if (file.lines.empty()) log_warning("{}: has no item, so there is no answer", file.name);
  columns::Notices notices;
  for (const auto& line : file.lines) {
    ids.push_back(item_of_line(file, line, retrieval, notices));
    rows.push_back(retrieval.find_item(ids.back()));
    if (rows.back() != columns::Interner::kNone) continue;
    columns::Interner unknown;
    unknown.add(ids.back());
    fail(ErrorKind::input, "{}: item '{}' is not in the catalogue of {}{}", file.place(line), printable(ids.back()),
         args.model, data::spelling_hint(data::count_overlap({&unknown}, {&retrieval.bundle().item_ids()})));
  }
  notices.say();
  ThreadPool pool(0);
  const ResultForm form{args.output, args.format, "item"};
  ResultWriter out(form, retrieval, result_ids(form, retrieval, ids));
  out.write(ids, retrieval.similar(pool, rows, checked_k(args.k)));
  out.close();
}

}  // namespace pagoda::cli
