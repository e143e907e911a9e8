// A bundle as the report shows it.
#pragma once

#include <memory>
#include <string>

#include "core/thread_pool.h"
#include "evaluate/bundle_evaluation.h"
#include "report/report.h"

namespace pagoda::cli {

// Adds the model to the page: its metrics, run log, config, and a few users with their history and first candidates.
// The first model's data is described; the same users are shown for every model. `test` may be empty.
void add_model(ThreadPool& pool, const std::string& name, const std::shared_ptr<const model::Bundle>& bundle,
               const evaluate::TestUsers& test, report::ReportInput& input);

}  // namespace pagoda::cli
