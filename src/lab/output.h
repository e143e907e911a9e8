// What a lab ends with: lab.json for programs, report.html and a table for people.
#pragma once

#include <string>
#include <vector>

#include "lab/lab.h"

namespace pagoda::lab {

// Writes lab.json and report.html into the folder. The text is the table, for stdout.
std::string write_lab(ThreadPool& pool, const Plan& plan, const std::vector<VariantRuns>& runs,
                      const std::string& folder);

}  // namespace pagoda::lab
