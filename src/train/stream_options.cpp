#include "train/stream_options.h"

#include "columns/column.h"
#include "core/error.h"
#include "dataset/options.h"

namespace pagoda::train {

void describe(OptionVisitor& f, StreamOptions& o) {
  f.section("stream", "how `pagoda stream` learns from a log that grows; nothing else reads it", [&](OptionVisitor& f) {
    f.field("files", o.files, "files of one JSON object a line that grow: files, folders, globs");
    f.field("topic", o.topic, "of Kafka; \"\": the files");
    f.pairs("kafka", o.kafka,
            "keys of librdkafka, as \"bootstrap.servers\" = \"broker:9092\"; a table [stream.kafka] holds many");
    f.choice("messages", o.messages,
             {{"json", MessageForm::json},
              {"arrow", MessageForm::arrow},
              {"avro", MessageForm::avro},
              {"protobuf", MessageForm::protobuf}},
             "what a message of Kafka is: a JSON object, an Arrow IPC stream of rows, or a record of a schema in "
             "stream.registry");
    f.field("registry", o.registry,
            "URL of the schema registry of avro and protobuf, as http://127.0.0.1:8081; user and password, if it asks "
            "for them, stand before the host (USER:PASSWORD@) or in SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO");
    f.field("start", o.start,
            "where a stream of Kafka begins that has learnt nothing yet: begin, end, or a time of the messages, as "
            "2024-05-01T10:00:00Z");
    f.choice("gaps", o.skip_gaps, {{"fail", false}, {"skip", true}},
             "messages that the broker deleted before they were learnt: fail, or skip them with a warning");
    f.field(
        "dead_letters", o.dead_letters,
        "a topic of the same brokers, or with files a file: messages that cannot be learnt go there with the reason, "
        "however many; \"\": data.on_bad_row says what becomes of them");
    f.field("lateness", o.lateness,
            "how far the times of a partition may be out of order; events wait so long for those before them");
    f.choice("late", o.late, {{"drop", LateEvents::drop}, {"move", LateEvents::move}},
             "an event that is later than that: drop it, or move its time to the earliest that is still open");
    f.field("idle", o.idle, "a partition without messages for so long is not waited for");
    f.field(
        "max_wait", o.max_wait,
        "how long events may wait for a whole batch (train.batch); then a short one is learnt, and the same messages "
        "may give another model; \"\": for ever");
    f.field("segment", o.segment,
            "how often what has come is judged, learnt and checkpointed, in whole batches; longer costs less, shorter "
            "learns sooner");
    f.field("segment_rows", o.segment_rows, "the most events of a segment; it begins at once when so many wait");
    f.field("latest_events", o.latest_events,
            "of each user so many are kept: histories, and what lists leave out, are made of them");
    f.field("forget", o.forget,
            "items and users without an event for so long give their rows to new ones; \"\": none does");
    f.field("judged_users", o.judged_users,
            "users of a segment whose events are ranked before they are learnt; 0: none");
    f.field("guard", o.guard,
            "a model is not published while recall has fallen by more than this share below what it was; 1: always");
    f.field("publish", o.publish, "how often a model is published; \"\": only at the end");
    f.field("keep", o.keep, "published models that are kept, for `pagoda publish --rollback`");
    f.field("http", o.http, "address and port of /metrics and /livez; \"\": none");
  });
}

namespace {

void check_duration(const char* key, const std::string& value, bool may_be_empty) {
  if (value.empty() ? may_be_empty : columns::parse_duration_us(value).has_value()) return;
  fail(ErrorKind::usage, "stream.{} is \"{}\", expected a duration, such as 30s, 5m, 12h, 7d", key, value);
}

}  // namespace

void validate(const StreamOptions& o) {
  check_duration("lateness", o.lateness, false);
  check_duration("idle", o.idle, false);
  check_duration("segment", o.segment, false);
  check_duration("max_wait", o.max_wait, true);
  check_duration("forget", o.forget, true);
  check_duration("publish", o.publish, true);
  dataset::at_least("stream.segment_rows", o.segment_rows, 1);
  dataset::at_least("stream.latest_events", o.latest_events, 1);
  dataset::at_least("stream.judged_users", o.judged_users, 0);
  dataset::at_least("stream.keep", o.keep, 1);
  if (!(o.guard >= 0 && o.guard <= 1)) fail(ErrorKind::usage, "stream.guard is {}, expected a share, 0 to 1", o.guard);
  if (o.topic.empty() == o.files.empty())
    fail(ErrorKind::usage, "{}",
         o.topic.empty() ? "say where the stream comes from: stream.topic of Kafka, or stream.files that grow"
                         : "stream.topic and stream.files are both given; a stream has one source");
  const bool schemas = o.messages == MessageForm::avro || o.messages == MessageForm::protobuf;
  if (o.messages != MessageForm::json && o.topic.empty())
    fail(ErrorKind::usage,
         "stream.messages is not \"json\": files of a stream hold one JSON object a line; name a topic");
  if (schemas && o.registry.empty())
    fail(ErrorKind::usage,
         "stream.messages = \"{}\" needs stream.registry, the URL of the schema registry, such as http://registry:8081",
         o.messages == MessageForm::avro ? "avro" : "protobuf");
  if (!schemas && !o.registry.empty())
    fail(ErrorKind::usage,
         "stream.registry holds schemas of messages in Avro and Protobuf: set stream.messages, or remove it");
  if (o.start != "begin" && o.start != "end" && !columns::parse_time_us(o.start))
    fail(ErrorKind::usage, "stream.start is \"{}\", expected begin, end, or a time, such as 2024-05-01T10:00:00Z",
         o.start);
}

}  // namespace pagoda::train
