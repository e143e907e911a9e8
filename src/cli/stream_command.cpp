#include "cli/commands.h"
#include "core/log.h"
#include "files/byte_sink.h"
#include "stream/kafka_source.h"
#include "stream/publisher.h"
#include "stream/stream.h"
#include "train/whole_config.h"

namespace pagoda::cli {

void run_stream_command(const StreamArgs& args) {
  files::check_not_compressed(args.output, "a bundle");
  train::WholeConfig config;
  read_config(args.config, args.set, config);
  train::validate(config.stream);
  const auto& o = config.stream;
  const auto source = stream::make_source(o, stream::kReadingNice);
  stream::StreamFlags flags{.from = args.from, .once = args.once};
  if (!o.dead_letters.empty())
    flags.dead_letters = o.topic.empty() ? stream::dead_letter_file(o.dead_letters)
                                         : stream::dead_letter_topic(o.dead_letters, stream::kafka_options(o));
  stream::run_stream(config, args.output, std::move(flags), *source, interrupted);
}

void run_publish(const PublishArgs& args) {
  const auto kept = stream::versions(args.model);
  const auto served = stream::served_version(args.model);
  auto wanted = args.version;
  if (args.rollback) {
    for (const uint64_t version : kept)
      if (served && version < *served) wanted = version;
    if (!wanted) fail(ErrorKind::usage, "{}: there is no version before the one that is served", args.model);
  }
  if (!wanted) {
    for (const uint64_t version : kept)
      std::printf("%llu%s\n", static_cast<unsigned long long>(version), served == version ? "\tserved" : "");
    return;
  }
  stream::publish_version(args.model, *wanted);
  log_info("{}: serves version {}", args.model, *wanted);
}

}  // namespace pagoda::cli
