// What the report shows of a bundle.
#pragma once

#include <memory>
#include <string>

#include "core/thread_pool.h"
#include "evaluate/bundle_evaluation.h"
#include "report/report.h"

namespace pagoda::cli {

// The served bundle, and the one that was judged in its place (evaluate/judged_model.h), often the same.
struct ReportedBundle {
  std::shared_ptr<const model::Bundle> served, judged;
};

// Adds the model to the page: its metrics, run log and config, and a few users with their history and first candidates.
// The candidates are those of the judged model, because the served one has learnt from the held-out items. The page
// describes the data of the first model, and shows the same users for every model. `test`, of the judged model, may be
// empty.
void add_model(ThreadPool& pool, const std::string& name, const ReportedBundle& bundles,
               const evaluate::TestUsers& test, report::ReportInput& input);

}  // namespace pagoda::cli
