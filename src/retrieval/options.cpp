#include "retrieval/options.h"

#include "core/error.h"

namespace pagoda::retrieval {

void describe(OptionVisitor& f, ServeOptions& o) {
  f.section("serve", "how `pagoda serve` answers; training does not read it", [&](OptionVisitor& f) {
    f.field("http", o.http,
            "address and port; on any address but loopback, everybody who reaches it may ask, unless there are keys");
    f.field("grpc", o.grpc, "address and port of gRPC, such as 127.0.0.1:9090; \"\": no gRPC");
    f.field("ui", o.ui, "GET / is a page to explore the model; its calls show which users and items there are");
    f.field("compare", o.compare,
            "a second bundle, whose calls begin with /compare; the page compares both; \"\": none");
    f.field("keys", o.keys,
            "file of API keys, one a line: the key's SHA-256, and read, write, admin or metrics; \"\": no keys");
    f.field("tls_certificate", o.tls_certificate,
            "PEM file of the certificate and its chain; \"\": plain HTTP and gRPC");
    f.field("tls_key", o.tls_key, "PEM file of the certificate's private key");
    f.field("threads", o.threads, "threads that search; 0: one for each CPU");
    f.field("io_threads", o.io_threads,
            "threads that read requests and write responses; with 1, an overloaded server reads too slowly to refuse "
            "in time");
    f.field("k", o.k, "candidates of a request that does not set k");
    f.field("timeout_ms", o.timeout_ms, "deadline of a request that does not set one; 0: none");
    f.field("queue", o.queue,
            "searches that may wait; a search that finds the queue full, or would wait too long for its deadline, is "
            "told to try again (429)");
    f.field("batch", o.batch, "the most searches that are answered together; 1: one at a time");
    f.field("batch_wait_us", o.batch_wait_us,
            "how long a search waits for others to share a batch with, while other searches are under way; 0: it does "
            "not wait");
    f.field("max_k", o.max_k, "largest k of a request");
    f.field("max_list", o.max_list, "longest history, or list of exclusions, of a request");
    f.field("max_requests", o.max_requests,
            "most requests in one call of retrieve_batch, users or items of encode, items of items:upsert, events of "
            "events");
    f.field("max_filter_kb", o.max_filter_kb, "longest filter; each of its tests costs time on a large catalogue");
    f.field("max_body_kb", o.max_body_kb, "largest body of a call");
    f.field("max_depth", o.max_depth, "deepest nesting of the body's JSON");
    f.field("connections", o.connections, "open connections, for HTTP and for gRPC each; more wait until one closes");
    f.field("read_timeout_ms", o.read_timeout_ms,
            "time for a whole request to arrive, and for the client to take the response");
    f.field("idle_timeout_ms", o.idle_timeout_ms, "how long a connection may be silent between requests");
    f.choice("log_format", o.log_format,
             {{"text", LogFormat::text}, {"timed", LogFormat::timed}, {"json", LogFormat::json}},
             "messages on stderr: text, as a person at a terminal reads them; timed: each with its time and level; "
             "json: one object a line");
    f.field("log_requests", o.log_requests,
            "a line for each request: method, path, status, milliseconds, items, and the id that X-Request-Id gives");
    f.field("watch_ms", o.watch_ms, "how often the server looks for a new bundle at its path; 0: on SIGHUP alone");
    f.field("merge_added", o.merge_added,
            "added items from which they are merged, in the background, into an index of their own; until then each "
            "search scores them and each change copies them");
    f.field("max_added", o.max_added, "the most items that items:upsert may add in all; they lie in memory");
    f.choice("events", o.events,
             {{"calls", EventSource::calls}, {"kafka", EventSource::kafka}, {"files", EventSource::files}},
             "what users do reaches the server by POST /v1/events; kafka, files: also from the topic or the files of "
             "[stream], read by the columns of [data]");
    f.field("max_events", o.max_events,
            "the most events of POST /v1/events that are held, at about 300 bytes each; beyond it, users whose latest "
            "event came first are let go");
    f.field("max_events_of_user", o.max_events_of_user, "the latest events of a user that are held");
    f.field("redis", o.redis,
            "redis://HOST[:PORT][/DATABASE]: events are kept there, in Redis or Valkey, and shared by all servers that "
            "name it (password: the environment's REDISCLI_AUTH); \"\": in a journal beside the bundle, by this server "
            "alone");
    f.field("redis_key", o.redis_key, "the key of the stream that holds the events");
    f.field("drain_ms", o.drain_ms,
            "how long, at least, /readyz says 503 after SIGTERM before the port closes, so that load balancers stop "
            "sending requests");
  });
}

void validate(const ServeOptions& o) {
  const auto within = [](const char* key, int64_t value, int64_t min, int64_t max) {
    if (value < min || value > max)
      fail(ErrorKind::usage, "serve.{} = {} must be between {} and {}", key, value, min, max);
  };
  constexpr int64_t kMany = 1'000'000'000;
  within("threads", o.threads, 0, 4096);
  within("io_threads", o.io_threads, 1, 256);
  within("max_k", o.max_k, 1, kMany);
  within("k", o.k, 1, o.max_k);
  within("timeout_ms", o.timeout_ms, 0, kMany);
  within("queue", o.queue, 1, kMany);
  within("batch", o.batch, 1, 65536);
  within("batch_wait_us", o.batch_wait_us, 0, 1'000'000);
  within("max_list", o.max_list, 1, kMany);
  within("max_requests", o.max_requests, 1, o.queue);
  within("max_filter_kb", o.max_filter_kb, 1, 1'000'000);
  within("max_body_kb", o.max_body_kb, 1, 1'000'000);
  within("max_depth", o.max_depth, 4, 1000);
  within("connections", o.connections, 1, kMany);
  within("read_timeout_ms", o.read_timeout_ms, 1, kMany);
  within("idle_timeout_ms", o.idle_timeout_ms, 1, kMany);
  within("watch_ms", o.watch_ms, 0, kMany);
  within("merge_added", o.merge_added, 1, kMany);
  within("max_added", o.max_added, 0, kMany);
  within("max_events", o.max_events, 1, kMany);
  within("max_events_of_user", o.max_events_of_user, 1, o.max_events);
  within("drain_ms", o.drain_ms, 0, kMany);
  if (o.tls_certificate.empty() != o.tls_key.empty())
    fail(ErrorKind::usage, "serve.tls_certificate and serve.tls_key go together: give both, or neither");
}

}  // namespace pagoda::retrieval
