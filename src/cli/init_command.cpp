#include "cli/commands.h"
#include "core/config.h"
#include "core/file.h"
#include "core/log.h"
#include "files/byte_sink.h"
#include "train/whole_config.h"

namespace pagoda::cli {

void run_init(const InitArgs& args) {
  files::check_not_compressed(args.output, "a config");
  if (file_exists(args.output))
    fail(ErrorKind::usage, "{} exists, and may have been edited; choose another name with -o", args.output);
  auto request = args.request;
  request.config = args.output;
  auto proposal = propose::propose_config_with(request, args.set);

  const auto next = fmt::format("pagoda train -c {} -o model.pagoda", args.output);
  const auto lines = proposal.lines();
  const auto comments = proposal.comments(next);
  train::WholeConfig config{.training = std::move(proposal.options), .serve = {}};
  read_config("", args.set, config);  // for its section [serve]
  train::write_paths_beside(args.output, config);
  try {
    write_file(args.output, comments + "\n" + to_toml([&](OptionVisitor& f) { describe(f, config); }, true));
  } catch (const Error&) {
    proposal.remove_written();
    throw;
  }
  for (const auto& line : lines) log_info("{}", line);
  log_info("{}: written; next: {}", args.output, next);
}

}  // namespace pagoda::cli
