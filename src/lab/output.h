// The output of a lab: lab.json for programs, report.html and a table for people.
#pragma once

#include <string>
#include <vector>

#include "lab/lab.h"

namespace pagoda::lab {

// Writes lab.json and report.html to the folder. Returns the table, for stdout.
std::string write_lab(ThreadPool& pool, const Plan& plan, const std::vector<VariantRuns>& runs,
                      const std::string& folder);

}  // namespace pagoda::lab
