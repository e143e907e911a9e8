#include "server/handler.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "core/suggest.h"
#include "server/json_encoder.h"
#include "server/openapi.h"
#include "server/request_parser.h"
#include "server/ui/page.h"
#include "server/ui/page_answers.h"

namespace pagoda::server {

struct Handler::Route {
  std::string_view method, path, call;
  Role role;  // that the call needs
  void (Handler::*answer)(const ApiRequest&, const Done&);
  bool ui = false;  // exists only with --ui
  bool searches() const {
    return path == "/v1/retrieve" || path == "/v1/retrieve_batch" || path == "/v1/similar" || path == "/v1/encode";
  }
};

namespace {

constexpr size_t kMaxMessage = 1000;  // bytes; a message may quote the request

constexpr std::string_view kComparePrefix = "/compare/", kFormerComparePrefix = "/beside/";
constexpr size_t kAnswerBytes = 256 << 20;  // bytes of a batch's answers

std::string_view kind_of(int status) {
  switch (status) {
    case 400: return "invalid_argument";
    case 401: return "unauthenticated";
    case 403: return "permission_denied";
    case 404: return "not_found";
    case 405: return "method_not_allowed";
    case 413: return "too_large";
    case 429: return "resource_exhausted";
    case 503: return "unavailable";
    case 504: return "deadline_exceeded";
    default: return "internal";
  }
}

ApiResponse error_of(const SearchOutcome& outcome, const std::string& field) {
  switch (outcome.error) {
    case SearchOutcome::Error::invalid: return error_response(400, outcome.message, field);
    case SearchOutcome::Error::timed_out: return error_response(504, "the deadline passed before there was an answer");
    default: return error_response(500, "the search failed; the server's log says why");
  }
}

ApiResponse json_reply(std::string body) { return {.body = std::move(body)}; }

}  // namespace

ApiResponse error_response(int status, std::string_view message, std::string_view field) {
  std::string body = "{\"error\": {\"kind\": ";
  append_json_text(body, kind_of(status));
  body += ", \"message\": ";
  append_json_text(body, message.substr(0, kMaxMessage));
  body += ", \"field\": ";
  append_json_text(body, field.substr(0, kMaxMessage));
  return {.status = status,
          .body = body + "}}",
          .error = std::string(message.substr(0, kMaxMessage)),
          .field = std::string(field.substr(0, kMaxMessage))};
}

ApiResponse overloaded_response() {
  auto reply = error_response(429, "the queue is too long: try again later, or slower");
  reply.retry_after_s = 1;
  return reply;
}

std::span<const Handler::Route> Handler::routes() {
  static constexpr std::array<Route, 18> kRoutes{{
      {"POST", "/v1/retrieve", "retrieve", Role::read, &Handler::retrieve},
      {"POST", "/v1/retrieve_batch", "retrieve_batch", Role::read, &Handler::retrieve_batch},
      {"POST", "/v1/similar", "similar", Role::read, &Handler::similar},
      {"POST", "/v1/encode", "encode", Role::read, &Handler::encode},
      {"POST", "/v1/items:upsert", "items:upsert", Role::write, &Handler::upsert_items},
      {"POST", "/v1/items:delete", "items:delete", Role::write, &Handler::delete_items},
      {"POST", "/v1/events", "events", Role::write, &Handler::add_events},
      {"POST", "/v1/items:find", "items:find", Role::read, &Handler::find_items, true},
      {"POST", "/v1/users:find", "users:find", Role::read, &Handler::find_users, true},
      {"GET", "/v1/catalogue", "catalogue", Role::read, &Handler::catalogue, true},
      {"GET", "/", "page", Role::anonymous, &Handler::page, true},
      {"GET", "/page.js", "page", Role::anonymous, &Handler::page, true},
      {"GET", "/page.css", "page", Role::anonymous, &Handler::page, true},
      {"GET", "/v1/model", "model", Role::read, &Handler::model},
      {"GET", "/openapi.json", "openapi", Role::read, &Handler::openapi},
      {"GET", "/livez", "livez", Role::anonymous, &Handler::livez},
      {"GET", "/readyz", "readyz", Role::anonymous, &Handler::readyz},
      {"GET", "/metrics", "metrics", Role::metrics, &Handler::metrics_text},
  }};
  return kRoutes;
}

const Handler::Route* Handler::find_route(std::string_view path) {
  const auto found = std::ranges::find(routes(), path, &Route::path);
  return found == routes().end() ? nullptr : &*found;
}

std::optional<ApiRequest> Handler::for_compared(const ApiRequest& call) const {
  if (!compared_) return std::nullopt;
  const bool former = call.path.starts_with(kFormerComparePrefix);
  if (!former && !call.path.starts_with(kComparePrefix)) return std::nullopt;
  if (former && !warned_of_former_prefix_.exchange(true))
    log_warning(
        "a client calls '{}': /beside (in gRPC \"pagoda-model\": \"beside\") is called /compare now; a later version "
        "will not know the former name",
        call.path);
  ApiRequest other = call;
  other.path.erase(0, (former ? kFormerComparePrefix : kComparePrefix).size() - 1);
  return other;
}

Role Handler::role_of(const ApiRequest& call) const { return keys_.none() ? Role::admin : keys_.role_of(call.key); }

std::optional<ApiResponse> Handler::refuse(const ApiRequest& call, size_t body_bytes) const {
  if (const auto other = for_compared(call)) return compared_->refuse(*other, body_bytes);
  const auto* route = find_route(call.path);
  std::optional<ApiResponse> reply;
  if (!route) {
    std::vector<std::string> paths;
    for (const auto& one : routes()) paths.emplace_back(one.path);
    reply = error_response(404, fmt::format("there is no '{}'{}", call.path, suggestion(call.path, paths)));
  } else if (route->ui && !options_.ui) {
    reply = error_response(404, fmt::format("'{}' needs a server that was started with --ui", route->path));
  } else if (call.method != route->method) {
    reply = error_response(405, fmt::format("{} takes {} only", route->path, route->method));
    reply->allow = route->method;
  } else if (const Role role = role_of(call); !may(role, route->role)) {
    reply = role == Role::anonymous ? error_response(401, "an API key is needed: Authorization: Bearer KEY")
                                    : error_response(403, "this API key's role does not allow the call");
  } else if (body_bytes > static_cast<size_t>(options_.max_body_kb) * 1024) {
    reply = error_response(413, fmt::format("the body is larger than {} kB", options_.max_body_kb));
  } else if (draining_ && route->method == "POST") {
    reply = error_response(503, "the server is shutting down");
    reply->retry_after_s = 1;
    reply->close = true;
  }
  if (reply) metrics_.refused(route ? route->call : "none", reply->status);
  return reply;
}

bool Handler::should_reject(const ApiRequest& call) const {
  if (const auto other = for_compared(call)) return compared_->should_reject(*other);
  const auto* route = find_route(call.path);
  if (!route || !route->searches() || !queue_.full()) return false;
  metrics_.refused(route->call, 429);
  return true;
}

void Handler::reject_overloaded(const ApiRequest& call) const {
  if (const auto other = for_compared(call)) return compared_->reject_overloaded(*other);
  metrics_.refused(find_route(call.path)->call, 429);
}

void Handler::handle(const ApiRequest& call, const Done& done) {
  if (const auto other = for_compared(call)) return compared_->handle(*other, done);
  const auto began = SteadyClock::now();
  const auto* route = find_route(call.path);
  if (auto refused = refuse(call, call.body_bytes > 0 ? call.body_bytes : call.body.size()))
    return done([reply = *refused] { return reply; });
  const Done counted = [this, done, route, began](const ResponseBuilder& build) {
    done([this, build, route, began] {
      ApiResponse reply;
      try {
        reply = build();
      } catch (const std::exception& e) {
        log_warning("{}: the response cannot be built: {}", route->call, e.what());
        reply = error_response(500, "the response cannot be built; the server's log says why");
      }
      metrics_.answered(route->call, reply.status, std::chrono::duration<double>(SteadyClock::now() - began).count());
      return reply;
    });
  };
  std::optional<ApiResponse> error;
  try {
    (this->*route->answer)(call, counted);
  } catch (const retrieval::RequestError& e) {
    error = error_response(400, e.what(), e.field());
  } catch (const std::exception& e) {
    log_warning("{}: {}", route->call, e.what());
    error = error_response(500, "the call failed; the server's log says why");
  }
  if (error) counted([reply = *error] { return reply; });
}

void Handler::retrieve(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  auto asked = reader.retrieve(body, RequestParser::Place::alone);
  add_live_events(*snapshot, asked.query);
  const auto answered = [this, form = call.encoder, snapshot, shape = asked.format, done](SearchOutcome outcome) {
    done([this, form, snapshot, shape, outcome = std::make_shared<const SearchOutcome>(std::move(outcome))] {
      if (outcome->error != SearchOutcome::Error::none) return error_of(*outcome, outcome->field);
      return ApiResponse{.body = candidates(*form, *snapshot, shape, *outcome), .items = outcome->items.size()};
    });
  };
  enqueue({{.snapshot = snapshot,
            .payload = std::move(asked.query),
            .deadline = reader.deadline(body, call.deadline),
            .done = answered}},
          done);
}

void Handler::retrieve_batch(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  // All outcomes come from the queue's one thread.
  struct Gathering {
    std::vector<RetrieveCall> asked;
    std::vector<SearchOutcome> outcomes;
    size_t missing;
  };
  const auto gathering = std::make_shared<Gathering>();
  gathering->asked = reader.retrieve_batch(body);
  for (auto& [query, format] : gathering->asked) add_live_events(*snapshot, query);
  gathering->missing = gathering->asked.size();
  gathering->outcomes.resize(gathering->missing);
  const auto write = [this, form = call.encoder, snapshot, gathering] {
    const auto& [asked, outcomes, missing] = *gathering;
    std::vector<std::string> lists;
    size_t bytes = 0, items = 0;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].error != SearchOutcome::Error::none)
        return error_of(outcomes[i],
                        fmt::format("requests[{}]{}{}", i, outcomes[i].field.empty() ? "" : ".", outcomes[i].field));
      lists.push_back(candidates(*form, *snapshot, asked[i].format, outcomes[i]));
      items += outcomes[i].items.size();
      if ((bytes += lists.back().size()) > kAnswerBytes)
        return error_response(
            400,
            fmt::format("the answers come to more than {} MB: ask for fewer items or attributes, or send "
                        "several batches",
                        kAnswerBytes >> 20),
            "requests");
    }
    return ApiResponse{.body = form->batch(lists), .items = items};
  };
  std::vector<SearchTask> queries;
  for (size_t i = 0; i < gathering->asked.size(); ++i)
    queries.push_back({.snapshot = snapshot,
                       .payload = std::move(gathering->asked[i].query),
                       .deadline = reader.deadline(body, call.deadline),
                       .done = [gathering, write, done, i](SearchOutcome outcome) {
                         gathering->outcomes[i] = std::move(outcome);
                         if (--gathering->missing == 0) done(write);
                       }});
  enqueue(std::move(queries), done);
}

void Handler::similar(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  const auto asked = reader.similar(body);
  const auto answered = [form = call.encoder, snapshot, shape = asked.format, done](SearchOutcome outcome) {
    done([form, snapshot, shape, outcome = std::make_shared<const SearchOutcome>(std::move(outcome))] {
      if (outcome->error != SearchOutcome::Error::none) return error_of(*outcome, outcome->field);
      return ApiResponse{.body = form->neighbours(snapshot->retrieval, *outcome, shape.attributes),
                         .items = outcome->items.size()};
    });
  };
  enqueue({{.snapshot = snapshot,
            .payload = asked.query,
            .deadline = reader.deadline(body, call.deadline),
            .done = answered}},
          done);
}

void Handler::encode(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  const auto answered = [form = call.encoder, snapshot, done](SearchOutcome outcome) {
    done([form, snapshot, outcome = std::make_shared<const SearchOutcome>(std::move(outcome))] {
      if (outcome->error != SearchOutcome::Error::none) return error_of(*outcome, outcome->field);
      return ApiResponse{.body = form->vectors(snapshot->bundle(), outcome->vectors)};
    });
  };
  auto asked = reader.encode(body);
  if (auto* query = std::get_if<UserVectorsQuery>(&asked))
    for (auto& user : query->users) events_.held().put_into(user, snapshot->retrieval);
  enqueue({{.snapshot = snapshot,
            .payload = std::move(asked),
            .deadline = reader.deadline(body, call.deadline),
            .done = answered}},
          done);
}

void Handler::upsert_items(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  change_items(call, reader.upserted_items(reader.body(call.body)), done);
}

void Handler::delete_items(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  change_items(call, reader.deleted_items(reader.body(call.body)), done);
}

void Handler::change_items(const ApiRequest& call, std::vector<retrieval::ItemChange> changes, const Done& done) {
  const auto changed = [this, form = call.encoder, count = changes.size(), done](SnapshotUpdater::ChangeResult made) {
    done([this, form, count, made] {
      switch (made) {
        case SnapshotUpdater::ChangeResult::applied: return ApiResponse{.body = form->changed(count)};
        case SnapshotUpdater::ChangeResult::full:
          return error_response(
              429, fmt::format("more than {} items would be added: train a new bundle with them", options_.max_added));
        case SnapshotUpdater::ChangeResult::busy:
          return error_response(503, "another process changes the items of this bundle: send changes there, or end it");
        default: return error_response(500, "the items cannot be changed; the server's log says why");
      }
    });
  };
  if (!updater_.change(std::move(changes), changed)) done(overloaded_response);
}

void Handler::add_events(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  auto events =
      reader.events(reader.body(call.body), std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  const auto unknown_items = static_cast<size_t>(std::ranges::count_if(events, [&](const retrieval::LiveEvent& event) {
    return snapshot->retrieval.find_item(event.item) == columns::Interner::kNone;
  }));
  const auto taken = [this, form = call.encoder, count = events.size(), unknown_items,
                      done](EventWriter::Result result) {
    if (result.outcome == EventWriter::Outcome::taken) metrics_.took_events(count - result.repeated, result.repeated);
    done([form, count, unknown_items, result] {
      switch (result.outcome) {
        case EventWriter::Outcome::taken:
          return ApiResponse{
              .body = form->taken({.events = count, .repeated = result.repeated, .unknown_items = unknown_items})};
        case EventWriter::Outcome::busy:
          return error_response(503, "another process takes the events of this bundle: send events there, or end it");
        case EventWriter::Outcome::away:
          return error_response(503, "the events' Redis cannot be reached: send the events again");
        default: return error_response(500, "the events cannot be taken; the server's log says why");
      }
    });
  };
  if (!events_.add(std::move(events), taken)) done(overloaded_response);
}

void Handler::add_live_events(const retrieval::Snapshot& snapshot, CandidateQuery& query) const {
  query.live = !query.request.user || query.request.history || events_.log().is_live();  // before it is read
  query.live_events = events_.held().put_into(query.request, snapshot.retrieval);
}

void Handler::enqueue(std::vector<SearchTask> queries, const Done& done) {
  if (!queue_.push(std::move(queries))) done(overloaded_response);
}

std::string Handler::candidates(const ResponseEncoder& form, const retrieval::Snapshot& snapshot,
                                const ListFormat& shape, const SearchOutcome& outcome) const {
  metrics_.list(outcome.items.size(), shape.k);
  if (!outcome.user_known) metrics_.unknown_user();
  return form.candidates(snapshot.retrieval, outcome, shape.attributes);
}

void Handler::find_items(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  done([snapshot, asked = reader.find_items(reader.body(call.body))] {
    const auto rows =
        asked.named ? asked.rows : snapshot->catalogue->find_items(snapshot->retrieval, asked.text, asked.limit);
    return json_reply(found_items_json(*snapshot, rows, asked.format.attributes));
  });
}

void Handler::find_users(const ApiRequest& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const RequestParser reader(options_, *snapshot);
  done([this, snapshot, asked = reader.find_users(reader.body(call.body))] {
    const auto rows = asked.named ? asked.rows : snapshot->catalogue->find_users(asked.text, asked.limit);
    return json_reply(found_users_json(*snapshot, events_.held(), rows, asked.history));
  });
}

void Handler::catalogue(const ApiRequest&, const Done& done) {
  done([snapshot = snapshots_.current(), compares = compared_ != nullptr] {
    return json_reply(catalogue_json(*snapshot, compares));
  });
}

// The policy: the page runs only its own script and style, connects only to this server, and cannot be framed.
void Handler::page(const ApiRequest& call, const Done& done) {
  const auto* file = find_page_file(call.path);
  check(file, "each of the page's routes is one of its files");
  done([file, known = call.if_none_match == file->tag, gzip = call.takes_gzip] {
    ApiResponse reply{.status = known ? 304 : 200, .content_type = std::string(file->content_type)};
    reply.fields = {{"ETag", file->tag},
                    {"Cache-Control", "no-cache"},
                    {"Vary", "Accept-Encoding"},
                    {"X-Content-Type-Options", "nosniff"},
                    {"Referrer-Policy", "no-referrer"},
                    {"Content-Security-Policy",
                     "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
                     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}};
    if (known) return reply;
    if (gzip) reply.fields.emplace_back("Content-Encoding", "gzip");
    reply.body = gzip ? file->zipped : std::string(file->bytes);
    return reply;
  });
}

// Only admins see the paths of the data.
void Handler::model(const ApiRequest& call, const Done& done) {
  const bool with_paths = role_of(call) == Role::admin;
  done([form = call.encoder, snapshot = snapshots_.current(), with_paths] {
    return ApiResponse{.body = form->model(snapshot->retrieval, with_paths)};
  });
}

void Handler::openapi(const ApiRequest&, const Done& done) {
  done([] { return json_reply(std::string(openapi_document())); });
}

void Handler::livez(const ApiRequest&, const Done& done) {
  done([] { return json_reply("{\"live\": true}"); });
}

void Handler::readyz(const ApiRequest&, const Done& done) {
  if (draining_) return done([] { return error_response(503, "the server is shutting down"); });
  done([snapshot = snapshots_.current()] {
    return json_reply("{\"ready\": true, \"model\": \"" + snapshot->bundle().fingerprint() + "\"}");
  });
}

void Handler::metrics_text(const ApiRequest&, const Done& done) {
  done([this] {
    const auto held = events_.held().counts();
    metrics_.live_events(held.events, held.users, held.users_let_go);
    return ApiResponse{.body = metrics_.text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"};
  });
}

}  // namespace pagoda::server
