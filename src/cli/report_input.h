// A bundle as the report shows it.
#pragma once

#include <memory>
#include <string>

#include "core/thread_pool.h"
#include "evaluate/bundle_evaluation.h"
#include "report/report.h"

namespace pagoda::cli {

// What is served, and what was judged in its place (evaluate/judged_model.h): mostly the same bundle.
struct ReportedBundle {
  std::shared_ptr<const model::Bundle> served, judged;
};

// Adds the model to the page: its metrics, run log, config, and a few users with their history and first candidates, as
// the judged model answers: held-out items are none of the candidates of one that has learnt from them.
// The first model's data is described; the same users are shown for every model. `test`, of the judged model, may be
// empty.
void add_model(ThreadPool& pool, const std::string& name, const ReportedBundle& bundles,
               const evaluate::TestUsers& test, report::ReportInput& input);

}  // namespace pagoda::cli
