#include "cli/report_input.h"

#include <algorithm>
#include <cmath>

#include "cli/results.h"
#include "core/rng.h"
#include "retrieval/retrieval.h"

namespace pagoda::cli {

namespace {

constexpr size_t kReportExamples = 6, kShownHistory = 12, kCandidates = 20, kFrequencyPoints = 1500;

report::ReportItem shown(const model::Bundle& bundle, uint32_t item) {
  report::ReportItem out{.id = std::string(bundle.item_ids()[item])};
  out.title = title_of(bundle, item);
  const auto row = bundle.attribute_row(item);
  std::string scratch;
  for (const char* name : {"genres", "categories", "type_line", "authors", "author"})
    if (const auto* column = bundle.item_attributes().find(name);
        column && row != columns::Interner::kNone && out.detail.empty())
      out.detail = std::string(column->as_text(row, scratch)).substr(0, 80);
  return out;
}

// A random choice of users with 5 to 200 items in their history; of those with test items, if there are any.
std::vector<uint32_t> example_users(const model::Bundle& bundle, const evaluate::TestUsers& test) {
  std::vector<uint32_t> users;
  const auto take = [&](uint32_t user) {
    const auto n = user == columns::Interner::kNone ? 0 : bundle.user_states().histories[user].size();
    if (n >= 5 && n <= 200) users.push_back(user);
  };
  if (test.users.empty())
    for (uint32_t u = 0; u < bundle.user_ids().size(); ++u) take(u);
  else
    for (auto u : test.users) take(u);
  Rng(1, Stream::bootstrap).shuffle(std::span(users));
  users.resize(std::min(users.size(), kReportExamples));
  return users;
}

// The estimator's probability and the exact share of items that are evenly spread in the order of their counts.
std::vector<report::ReportFrequency> frequencies(const model::Bundle& bundle, const dataset::Options& options) {
  std::vector<report::ReportFrequency> out;
  if (options.sampling.frequency.kind != sampling::FrequencyKind::streaming) return out;
  const auto estimator = sampling::make_streaming(options.sampling.frequency, options.train.seed);
  ByteReader in(bundle.file().bytes("frequency"), "section 'frequency'");
  estimator->load(in);
  double total = 0;
  for (auto c : bundle.item_counts()) total += static_cast<double>(c);
  for (const uint32_t item : report::spread_by_count(bundle.item_counts(), kFrequencyPoints))
    out.push_back(
        {static_cast<double>(bundle.item_counts()[item]) / total, std::exp(estimator->log_probability(item))});
  return out;
}

}  // namespace

void add_model(ThreadPool& pool, const std::string& name, const ReportedBundle& bundles,
               const evaluate::TestUsers& test, report::ReportInput& input) {
  const auto& served = bundles.served;
  const auto& bundle = bundles.judged;
  const auto& info = served->info();
  const auto options = evaluate::bundle_options(*served, {});
  if (input.models.empty())
    input.data = {{"users", std::to_string(info.users)},
                  {"items", std::to_string(info.items)},
                  {"training rows", std::to_string(info.training_rows)},
                  {"test users", std::to_string(test.users.size())}};
  if (const auto& judged = served->judged())
    input.data.emplace_back(name + ", judged",
                            judged->fingerprint +
                                ", trained alike without the test part: figures and examples are its "
                                "own");
  report::ReportModel model{.name = name,
                            .fingerprint = served->fingerprint(),
                            .evaluation = std::string(served->metrics()),
                            .run_log = std::string(served->run_log()),
                            .config = std::string(served->config()),
                            .uses_order = info.uses_order,
                            .frequency = frequencies(*served, options)};
  const retrieval::Retrieval retrieval(bundle);
  for (auto user : example_users(*bundle, test)) {
    report::ReportExample example{.user = std::string(bundle->user_ids()[user])};
    const auto history = bundle->user_states().histories[user];
    for (size_t n = 0; n < std::min(history.size(), kShownHistory); ++n)
      example.history.push_back(shown(*bundle, history[history.size() - 1 - n]));
    const auto at = static_cast<size_t>(std::find(test.users.begin(), test.users.end(), user) - test.users.begin());
    if (at < test.users.size())
      for (auto item : test.items[at]) example.held_out.push_back(shown(*bundle, item));
    retrieval::RetrieveRequest request;
    request.user = example.user;
    const auto answer = retrieval.retrieve(pool, {request}, {.k = kCandidates});
    for (size_t r = 0; r < answer.found.items[0].size(); ++r)
      example.candidates.push_back({shown(*bundle, answer.found.items[0][r]), answer.found.scores[r]});
    model.examples.push_back(std::move(example));
  }
  input.models.push_back(std::move(model));
}

}  // namespace pagoda::cli
