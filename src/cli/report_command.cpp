#include "cli/commands.h"
#include "cli/report_input.h"
#include "core/log.h"
#include "evaluate/judged_model.h"
#include "files/byte_sink.h"

namespace pagoda::cli {

void run_report(const ReportArgs& args) {
  files::check_output_name(args.output);
  ThreadPool pool(0);
  report::ReportInput input;
  for (const auto& path : args.models) {
    const auto bundle = model::Bundle::open(path);
    evaluate::TestUsers test;
    auto judged = bundle;
    try {
      judged = evaluate::need_judged(bundle);
      test = evaluate::test_users(*judged, evaluate::bundle_options(*judged, {}), {});
    } catch (const Error& e) {
      log_warning("the report shows no held-out items: {}", e.what());
    }
    add_model(pool, path, {.served = bundle, .judged = judged}, test, input);
  }
  if (const auto warning = report::comparison_warning(input); !warning.empty()) log_warning("{}", warning);
  files::write_text(args.output, report::render_report(input));
  log_info("{}: written", args.output);
}

}  // namespace pagoda::cli
