#include <cstdlib>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "core/log_output.h"
#include "server/server.h"
#include "server/ui/page.h"
#include "train/whole_config.h"
#ifdef PAGODA_STREAM
#include "dataset/options.h"
#include "stream/event_feed.h"
#include "stream/stream.h"
#endif

namespace pagoda::cli {

namespace {

#ifdef PAGODA_STREAM

// The events of [stream], if serve.events says so.
struct Feed {
  std::unique_ptr<stream::Source> source;
  std::optional<stream::EventFeed> feed;

  Feed(const train::WholeConfig& config, const std::string& model, server::Server& server) {
    const auto& o = config.stream;
    const auto events = config.serve.events;
    if (events == retrieval::EventSource::calls) return;
    train::validate(o);
    if (events == retrieval::EventSource::kafka && o.topic.empty())
      fail(ErrorKind::usage, "serve.events = \"kafka\" needs stream.topic");
    if (events == retrieval::EventSource::files && o.files.empty())
      fail(ErrorKind::usage, "serve.events = \"files\" needs stream.files");
    source = stream::make_source(o);
    auto log = dataset::interaction_options(config.training.data);
    log.times = server.snapshots().current()->bundle().info().times.value_or(log.times);
    feed.emplace(*source, std::move(log), o, model + ".events.position",
                 [&server](auto events, auto done) { return server.add_events(std::move(events), std::move(done)); });
  }
};

#else

struct Feed {
  Feed(const train::WholeConfig& config, const std::string&, server::Server&) {
    if (config.serve.events != retrieval::EventSource::calls)
      fail(ErrorKind::usage,
           "this build reads no streams, which serve.events asks for; configure it with "
           "-DPAGODA_STREAM=ON");
  }
};

#endif

}  // namespace

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
  const Feed feed(config, args.model, server);
  if (interrupted) fail(ErrorKind::interrupted, "interrupted before it answered");
  const auto& bundle = server.snapshots().current()->bundle();
  log_info("{}: bundle {}, {} items, serving at {}", args.model, bundle.fingerprint(), bundle.item_ids().size(),
           server.addresses());
  if (config.serve.ui) log_info("the page: {}/", server.url());
  server.run();
  log_info("{}: drained", args.model);
}

}  // namespace pagoda::cli
