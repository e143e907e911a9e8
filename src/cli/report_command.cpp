#include "cli/commands.h"
#include "cli/report_input.h"
#include "core/log.h"
#include "files/byte_sink.h"

namespace pagoda::cli {

void run_report(const ReportArgs& args) {
  files::check_output_name(args.output);
  ThreadPool pool(0);
  report::ReportInput input;
  for (const auto& path : args.models) {
    const auto bundle = model::Bundle::open(path);
    const auto options = evaluate::bundle_options(*bundle, {});
    evaluate::TestUsers test;
    try {
      test = evaluate::test_users(*bundle, options, {});
    } catch (const Error& e) {
      log_warning("the report shows no held-out items: {}", e.what());
    }
    add_model(pool, path, bundle, test, input);
  }
  if (const auto warning = report::comparison_warning(input); !warning.empty()) log_warning("{}", warning);
  files::write_text(args.output, report::render_report(input));
  log_info("{}: written", args.output);
}

}  // namespace pagoda::cli
