// Sends arbitrary bytes as the body of a call, as JSON or as a gRPC message: it must be answered, or refused with a 400
// whose body is JSON.
//
// The first byte selects the call and its encoding. Changes of items and events are parsed and applied over the bundle,
// but not kept, so that the outcome of an input does not depend on earlier ones.
#include <future>
#include <google/protobuf/stubs/logging.h>
#include <nlohmann/json.hpp>

#include "fuzz/entry.h"
#include "fuzz/scratch.h"
#include "retrieval/event_journal.h"
#include "server/grpc/proto_encoder.h"
#include "server/grpc/proto_request.h"
#include "server/handler.h"
#include "server/request_parser.h"

namespace pagoda {
namespace {

constexpr const char* kPaths[] = {"/v1/retrieve",     "/v1/retrieve_batch", "/v1/similar", "/v1/encode",
                                  "/v1/items:upsert", "/v1/items:delete",   "/v1/events"};
constexpr size_t kUpsert = 4, kDelete = 5, kEvents = 6, kCalls = 7;

retrieval::ServeOptions limits() {
  retrieval::ServeOptions options;
  options.k = 4;
  options.max_k = 1000;
  options.timeout_ms = 0;
  return options;
}

struct World {
  google::protobuf::LogSilencer silent;  // about texts that are not UTF-8
  Scratch scratch;
  retrieval::ServeOptions options = limits();
  retrieval::Snapshots snapshots{scratch.bundle()};
  server::ServeMetrics metrics;
  server::Keys keys;
  server::SnapshotUpdater updater{{.watch = {}, .max_added = 0}, snapshots, metrics};
  server::EventWriter events{server::make_journal_log(scratch.bundle() + ".events", {})};
  server::SearchQueue queue{{.limit = 1024, .batch = 64, .wait = {}, .threads = 1}, metrics};
  server::Handler handler{options, snapshots, updater, events, queue, metrics, keys};
};

template <class Message>
std::optional<std::string> json_of(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  return server::request_json(message);
}

std::optional<std::string> json_of(size_t call, std::string_view bytes) {
  switch (call) {
    case 0: return json_of<v1::RetrieveRequest>(bytes);
    case 1: return json_of<v1::RetrieveBatchRequest>(bytes);
    case 2: return json_of<v1::SimilarRequest>(bytes);
    case 3: return json_of<v1::EncodeRequest>(bytes);
    case kUpsert: return json_of<v1::UpsertItemsRequest>(bytes);
    case kDelete: return json_of<v1::DeleteItemsRequest>(bytes);
    default: return json_of<v1::AddEventsRequest>(bytes);
  }
}

void change_items(World& world, size_t call, std::string_view body) {
  const auto snapshot = world.snapshots.current();
  const server::RequestParser reader(world.options, *snapshot);
  try {
    const auto object = reader.body(body);
    const auto changes = call == kUpsert ? reader.upserted_items(object) : reader.deleted_items(object);
    retrieval::with_changes(snapshot->retrieval.shared_bundle(), changes, {});
  } catch (const retrieval::RequestError& e) {
    // Builds the response, because that throws for a message that is not UTF-8.
    check(nlohmann::json::accept(server::error_response(400, e.what(), e.field()).body), "a refusal is JSON");
  }
}

void take_events(World& world, std::string_view body) {
  const auto snapshot = world.snapshots.current();
  const server::RequestParser reader(world.options, *snapshot);
  try {
    retrieval::LiveEvents held({});
    for (const auto& event : reader.events(reader.body(body), 0)) {
      check(retrieval::parse_event(retrieval::json_of(event)) == event, "the journal has the event");
      held.add(event);
      retrieval::RetrieveRequest request;
      request.user = event.user;
      held.put_into(request, snapshot->retrieval);
    }
  } catch (const retrieval::RequestError& e) {
    check(nlohmann::json::accept(server::error_response(400, e.what(), e.field()).body), "a refusal is JSON");
  }
}

void ask(World& world, size_t call, std::string_view body, bool as_message) {
  std::promise<server::ApiResponse> promise;
  world.handler.handle({.method = "POST",
                        .path = kPaths[call],
                        .key = {},
                        .body = std::string(body),
                        .encoder = as_message ? &server::proto_encoder() : &server::json_encoder()},
                       [&](const server::Handler::ResponseBuilder& build) { promise.set_value(build()); });
  const auto reply = promise.get_future().get();
  // 504: the timeout_ms of the input, on a busy machine.
  check(reply.status == 200 || reply.status == 400 || reply.status == 504, "a call is answered or refused");
  if (reply.status != 200 || !as_message) check(nlohmann::json::accept(reply.body), "an answer is JSON");
}

}  // namespace

void try_input(std::string_view input) {
  static World world;
  if (input.empty()) return;
  const auto what = static_cast<uint8_t>(input[0]);
  const size_t call = what % kCalls;
  const bool as_message = what / kCalls % 2 == 1;
  std::string body(input.substr(1));
  if (as_message) {
    auto json = json_of(call, body);
    if (!json) return;
    body = std::move(*json);
  }
  if (call == kUpsert || call == kDelete) return change_items(world, call, body);
  if (call == kEvents) return take_events(world, body);
  ask(world, call, body, as_message);
}

std::vector<std::string> seeds() {
  const std::vector<std::pair<size_t, std::string>> bodies{
      {0, R"({"user": "ann", "k": 5, "filter": "year >= 1992 and not seen", "attributes": )"
          R"(["year", "author"], "explain": true})"},
      {0, R"({"history": ["i1", "i2"], "context": {"device": "tv"}, "features": )"
          R"({"country": "FR", "likes": ["tea"]}, "time": "2024-05-01"})"},
      {0, R"({"vector": [0.5, -1, 2e3, 0, 1, 1, 1, 1], "k": 3, "exclude": ["i3"], "min_score": -0.5})"},
      {0, R"({"vector": [3e38, -3e38, 1e-40, 0, 1, 1, 1, 1], "k": 3, "exact": true, "explain": true})"},
      {0, R"({"user": "bob", "exclude_seen": false, "quota": {"attribute": "author", "max": 2}, "timeout_ms": )"
          R"(5000, "exclude": [7]})"},
      {1, R"({"requests": [{"user": "dan", "k": 1}, {}], "timeout_ms": 5000})"},
      {2, R"({"item": "i3", "k": 2, "attributes": ["author"]})"},
      {3, R"({"users": [{"user": "cat", "recent": ["i5"]}, {"history": ["i4"]}]})"},
      {3, R"({"items": ["i1", {"item": "n", "attributes": {"year": 2001, "author": "kim"}}]})"},
      {kUpsert, R"({"items": [{"item": "n", "attributes": {"year": 2001, "author": null}}, {"item": "i2"}]})"},
      {kDelete, R"({"items": ["i1", 5, "none"]})"},
      {kEvents, R"({"events": [{"user": "ann", "item": "i7", "time": "2024-05-01", "context": {"device": "tv"}, )"
                R"("id": "e-1"}, {"user": 5, "item": 7}]})"}};
  std::vector<std::string> all;
  for (const auto& [call, body] : bodies) all.push_back(static_cast<char>(call) + body);
  const auto add = [&](size_t call, const auto& message) {
    all.push_back(static_cast<char>(kCalls + call) + message.SerializeAsString());
  };
  v1::RetrieveRequest retrieve;
  retrieve.set_user("ann");
  retrieve.set_k(3);
  retrieve.set_filter("author = 'kim'");
  retrieve.set_min_score(-1);
  retrieve.mutable_history()->add_values("i1");
  (*retrieve.mutable_context())["device"].set_text("tv");
  (*retrieve.mutable_features())["likes"].mutable_list()->add_values("tea");
  retrieve.mutable_quota()->set_attribute("author");
  retrieve.mutable_quota()->set_max(2);
  add(0, retrieve);
  v1::RetrieveBatchRequest batch;
  batch.add_requests()->set_user("bob");
  add(1, batch);
  v1::SimilarRequest similar;
  similar.set_item("i3");
  add(2, similar);
  v1::EncodeRequest encode;
  encode.add_users()->set_user("cat");
  add(3, encode);
  v1::UpsertItemsRequest upsert;
  upsert.add_items()->set_item("n");
  (*upsert.mutable_items(0)->mutable_attributes()->mutable_values())["year"].set_integer(2001);
  add(kUpsert, upsert);
  v1::DeleteItemsRequest remove;
  remove.add_items("i1");
  add(kDelete, remove);
  return all;
}

}  // namespace pagoda
