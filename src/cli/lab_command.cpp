#include <cstdio>

#include "cli/commands.h"
#include "core/log.h"
#include "lab/output.h"

namespace pagoda::cli {

void run_lab_command(const LabArgs& args) {
  const auto plan = lab::read_plan(args.config, args.set);
  ThreadPool pool(0);
  const auto runs = lab::run_lab(pool, plan, args.output, interrupted);
  const auto table = lab::write_lab(pool, plan, runs, args.output);
  std::fwrite(table.data(), 1, table.size(), stdout);
  if (std::fflush(stdout) != 0) fail(ErrorKind::failed, "stdout: cannot be written");
  log_info("{0}/report.html: the page; {0}/lab.json: all figures", args.output);
}

}  // namespace pagoda::cli
