#include <cstdlib>

#include "cli/commands.h"
#include "core/log_output.h"
#include "server/server.h"
#include "server/ui/page.h"
#include "train/whole_config.h"

namespace pagoda::cli {

void run_serve(const ServeArgs& args) {
  train::WholeConfig config;
  read_config(args.config, args.set, config);
  if (!args.http.empty()) config.serve.http = args.http;
  if (!args.grpc.empty()) config.serve.grpc = args.grpc;
  if (!args.keys.empty()) config.serve.keys = args.keys;
  if (!args.compare.empty()) config.serve.compare = args.compare;
  config.serve.ui |= args.ui;
  retrieval::validate(config.serve);
  if (config.serve.ui && server::built_page().empty())
    fail(ErrorKind::usage, "this build has no page for --ui; configure it with -DPAGODA_UI=ON");
  set_log_format(config.serve.log_format);
  const BackgroundLog log;
  const char* redis_password = std::getenv("REDISCLI_AUTH");  // the name that redis-cli reads
  server::Server server(args.model, config.serve, redis_password ? redis_password : "");
  if (interrupted) fail(ErrorKind::interrupted, "interrupted before it answered");
  const auto& bundle = server.snapshots().current()->bundle();
  log_info("{}: bundle {}, {} items, serving at {}", args.model, bundle.fingerprint(), bundle.item_ids().size(),
           server.addresses());
  if (config.serve.ui) log_info("the page: {}/", server.url());
  server.run();
  log_info("{}: drained", args.model);
}

}  // namespace pagoda::cli
