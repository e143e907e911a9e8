#include "lab/output.h"

#include "core/file.h"
#include "lab/summary.h"

namespace pagoda::lab {

std::string write_lab(ThreadPool& pool, const Plan& plan, const std::vector<VariantRuns>& runs,
                      const std::string& folder) {
  const auto summary = summarise(pool, plan, runs);
  write_file(folder + "/lab.json", lab_json(plan, runs, summary));
  write_file(folder + "/report.html", lab_page(plan, runs, summary));
  return lab_table(plan, runs, summary);
}

}  // namespace pagoda::lab
