#include "cli/commands.h"
#include "cli/report_input.h"
#include "core/log.h"
#include "files/byte_sink.h"

namespace pagoda {

void run_report(const ReportArgs& args) {
  check_output_name(args.output);
  ThreadPool pool(0);
  ReportInput input;
  for (const auto& path : args.models) {
    const auto bundle = Bundle::open(path);
    const auto options = bundle_options(*bundle, {});
    TestUsers test;
    try {
      test = test_users(*bundle, options, {});
    } catch (const Error& e) {
      log_warning("the report shows no held-out items: {}", e.what());
    }
    add_model(pool, path, bundle, test, input);
  }
  if (const auto warning = comparison_warning(input); !warning.empty()) log_warning("{}", warning);
  write_text(args.output, render_report(input));
  log_info("{}: written", args.output);
}

}  // namespace pagoda
