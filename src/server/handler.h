// The server's calls, independent of the transport: a request comes in as JSON, a response goes out in the transport's
// encoding. docs/serve.md describes the calls.
//
//   POST /v1/retrieve  /v1/retrieve_batch  /v1/similar  /v1/encode  /v1/items:upsert  /v1/items:delete  /v1/events
//   GET  /v1/model  /openapi.json  /livez  /readyz  /metrics
//
// With --ui also POST /v1/items:find  /v1/users:find, GET /v1/catalogue, and the page that uses them.
//
// A call keeps the snapshot that was current when it arrived. Searches go through the queue.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "retrieval/options.h"
#include "server/event_writer.h"
#include "server/keys.h"
#include "server/response_encoder.h"
#include "server/search_queue.h"
#include "server/snapshot_updater.h"

namespace pagoda::server {

struct ListFormat;

struct ApiRequest {
  std::string method, path;  // path without a query string
  std::string key;           // the API key sent with it; "" for none
  std::string body;          // JSON
  std::optional<SteadyClock::time_point>
      deadline{};         // the transport's own; the earlier of this and the body's timeout_ms holds
  size_t body_bytes = 0;  // of the body as sent, where it was not JSON; 0: the size of `body`
  const ResponseEncoder* encoder = &json_encoder();  // a static object
  std::string id{};                                  // of the request, where requests are logged
  std::string if_none_match{};                       // the If-None-Match header
  bool takes_gzip = false;
};

struct ApiResponse {
  int status = 200;
  std::string body{};
  std::string content_type = "application/json";
  std::string allow{};                                             // for 405: the method that the route takes
  int retry_after_s = 0;                                           // 0: no Retry-After
  std::vector<std::pair<std::string_view, std::string>> fields{};  // more header fields
  bool close = false;                                              // close the connection afterwards
  std::optional<size_t> items{};                                   // in the body: candidates, neighbours
  std::string error{}, field{};                                    // for errors: as in the body
};

// {"error": {"kind": ..., "message": ..., "field": ...}}; the status decides the kind, the field may be "".
ApiResponse error_response(int status, std::string_view message, std::string_view field = "");

// The 429 of a search that is rejected because too many wait; it asks the client to retry.
ApiResponse overloaded_response();

// Answers calls. Thread-safe after set_compared().
class Handler {
 public:
  // Builds the response. The transport calls it once, on any thread; the encoding happens inside.
  using ResponseBuilder = std::function<ApiResponse()>;
  using Done = std::function<void(ResponseBuilder)>;

  // Borrows everything but the options.
  Handler(const retrieval::ServeOptions& options, const retrieval::Snapshots& snapshots, SnapshotUpdater& updater,
          EventWriter& events, SearchQueue& queue, ServeMetrics& metrics, const Keys& keys)
      : options_(options), snapshots_(snapshots), updater_(updater), events_(events), queue_(queue), metrics_(metrics),
        keys_(keys) {}

  // Sends calls of /compare/... to `other`, as /...; /beside/..., the prefix of version 0.1, still works and is warned
  // of once. Borrows `other`. To be called before the first call is handled.
  void set_compared(Handler& other) { compared_ = &other; }

  // The error that is known before the body is read: no such route, not allowed, or a body that is too long. Nothing:
  // go on and read the body.
  std::optional<ApiResponse> refuse(const ApiRequest& call, size_t body_bytes) const;

  // Whether a call that was not refused is a search that gets overloaded_response() before its body is read. Counts it
  // as answered if so.
  bool should_reject(const ApiRequest& call) const;
  // Counts a call that the transport itself rejects with overloaded_response().
  void reject_overloaded(const ApiRequest& call) const;

  bool rejects_searches() const { return queue_.full(); }

  // Calls `done` once, at once or on the thread of the queue, the updater or the event writer. Does not throw.
  void handle(const ApiRequest& call, const Done& done);

  // From now on /readyz and every new POST get 503.
  void drain() {
    draining_ = true;
    if (compared_) compared_->drain();
  }
  bool draining() const { return draining_; }

  const retrieval::ServeOptions& options() const { return options_; }
  ServeMetrics& metrics() const { return metrics_; }

 private:
  struct Route;
  static std::span<const Route> routes();
  static const Route* find_route(std::string_view path);
  // The call as the compared model's handler gets it, without the prefix; nothing: the call is for this handler.
  std::optional<ApiRequest> for_compared(const ApiRequest& call) const;
  Role role_of(const ApiRequest& call) const;
  void enqueue(std::vector<SearchTask> queries, const Done& done);
  void add_live_events(const retrieval::Snapshot& snapshot, CandidateQuery& query) const;
  std::string candidates(const ResponseEncoder& form, const retrieval::Snapshot& snapshot, const ListFormat& shape,
                         const SearchOutcome& outcome) const;
  // The calls: what each asks of the queue, and how it encodes the outcomes.
  void retrieve(const ApiRequest& call, const Done& done);
  void retrieve_batch(const ApiRequest& call, const Done& done);
  void similar(const ApiRequest& call, const Done& done);
  void encode(const ApiRequest& call, const Done& done);
  void upsert_items(const ApiRequest& call, const Done& done);
  void delete_items(const ApiRequest& call, const Done& done);
  void change_items(const ApiRequest& call, std::vector<retrieval::ItemChange> changes, const Done& done);
  void add_events(const ApiRequest& call, const Done& done);
  void find_items(const ApiRequest& call, const Done& done);
  void find_users(const ApiRequest& call, const Done& done);
  void catalogue(const ApiRequest& call, const Done& done);
  void page(const ApiRequest& call, const Done& done);
  void model(const ApiRequest& call, const Done& done);
  void openapi(const ApiRequest& call, const Done& done);
  void livez(const ApiRequest& call, const Done& done);
  void readyz(const ApiRequest& call, const Done& done);
  void metrics_text(const ApiRequest& call, const Done& done);

  retrieval::ServeOptions options_;
  const retrieval::Snapshots& snapshots_;
  SnapshotUpdater& updater_;
  EventWriter& events_;
  SearchQueue& queue_;
  ServeMetrics& metrics_;
  const Keys& keys_;
  Handler* compared_ = nullptr;
  mutable std::atomic<bool> warned_of_former_prefix_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace pagoda::server
