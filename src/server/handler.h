// The server's calls, whatever brings them: a call comes in as JSON, a reply goes out in the transport's form. docs/serve.md
// describes them.
//
//   POST /v1/retrieve  /v1/retrieve_batch  /v1/similar  /v1/encode  /v1/items:upsert  /v1/items:delete
//   GET  /v1/model  /openapi.json  /livez  /readyz  /metrics
//
// With --ui also POST /v1/items:find  /v1/users:find, GET /v1/catalogue, and the page that makes use of them.
//
// A call keeps the snapshot that was current when it came. What needs a search goes through the queue.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "retrieval/options.h"
#include "server/keys.h"
#include "server/response_encoder.h"
#include "server/search_queue.h"
#include "server/snapshot_updater.h"

namespace pagoda::server {

struct ListFormat;

struct ApiRequest {
  std::string method, path;  // without a query
  std::string key;           // the API key that came with it, "" for none
  std::string body;          // JSON
  std::optional<SteadyClock::time_point>
      deadline{};         // of the transport's own; beside the body's timeout_ms the earlier one holds
  size_t body_bytes = 0;  // as they came, where that was no JSON; 0: those of `body`
  const ResponseEncoder* encoder = &json_encoder();  // borrowed for ever
  std::string if_none_match{};                       // of what the caller has kept: If-None-Match
  bool takes_gzip = false;
};

struct ApiResponse {
  int status = 200;
  std::string body{};
  std::string content_type = "application/json";
  std::string allow{};                                             // of a 405: the method that the route has
  int retry_after_s = 0;                                           // 0: nothing is said
  std::vector<std::pair<std::string_view, std::string>> fields{};  // further ones of the header
  bool close = false;                                              // the connection is of no more use
  std::string error{}, field{};                                    // of an error: what its body says
};

// {"error": {"kind": ..., "message": ..., "field": ...}}; the kind goes by the status, the field may be "".
ApiResponse error_response(int status, std::string_view message, std::string_view field = "");

// Of a search that is turned away, since too many wait: come again.
ApiResponse overloaded_response();

// Thread-safe.
class Handler {
 public:
  // Makes the reply. It may be run on any thread, once, and is where an answer is written.
  using ResponseBuilder = std::function<ApiResponse()>;
  using Done = std::function<void(ResponseBuilder)>;

  // All but the options are borrowed.
  Handler(const retrieval::ServeOptions& options, const retrieval::Snapshots& snapshots, SnapshotUpdater& keeper,
          SearchQueue& queue, ServeMetrics& metrics, const Keys& keys)
      : options_(options), snapshots_(snapshots), updater_(keeper), queue_(queue), metrics_(metrics), keys_(keys) {}

  // Sends calls of /compare/... to `other`, as /...; /beside/..., the prefix of version 0.1, still works and is warned of
  // once. Borrows `other`. To be called before the first call is handled.
  void set_compared(Handler& other) { compared_ = &other; }

  // What can be said before the body has been read: that there is no such route, that it may not be called, that the body
  // is too long. Nothing: send the whole.
  std::optional<ApiResponse> refuse(const ApiRequest& call, size_t body_bytes) const;

  // Whether the call, which was not refused, is a search that gets overloaded_response() without a look at its body. It counts as
  // answered then.
  bool should_reject(const ApiRequest& call) const;
  // The same for a transport that has no room for any call.
  void reject_overloaded(const ApiRequest& call) const;

  bool rejects_searches() const { return queue_.full(); }

  // `done` is called once, at once, or on the thread of the queue or the keeper. Nothing is thrown.
  void handle(const ApiRequest& call, const Done& done);

  // From now on /readyz says 503, and so does every call that comes.
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
  std::string candidates(const ResponseEncoder& form, const retrieval::Snapshot& snapshot, const ListFormat& shape,
                         const SearchOutcome& outcome) const;
  // Of each call: what is asked of the queue, and how the outcomes are written.
  void retrieve(const ApiRequest& call, const Done& done);
  void retrieve_batch(const ApiRequest& call, const Done& done);
  void similar(const ApiRequest& call, const Done& done);
  void encode(const ApiRequest& call, const Done& done);
  void upsert_items(const ApiRequest& call, const Done& done);
  void delete_items(const ApiRequest& call, const Done& done);
  void change_items(const ApiRequest& call, std::vector<retrieval::ItemChange> changes, const Done& done);
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
  SearchQueue& queue_;
  ServeMetrics& metrics_;
  const Keys& keys_;
  Handler* compared_ = nullptr;
  mutable std::atomic<bool> warned_of_former_prefix_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace pagoda::server
