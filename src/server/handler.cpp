#include "server/handler.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "core/suggest.h"
#include "server/answer_writer.h"
#include "server/call_reader.h"
#include "server/openapi.h"
#include "server/ui/page.h"
#include "server/ui/page_answers.h"

namespace pagoda {

struct Handler::Route {
  std::string_view method, path, call;
  Role role;  // that it takes
  void (Handler::*answer)(const Call&, const Done&);
  bool ui = false;  // there with --ui alone
  bool searches() const {
    return path == "/v1/retrieve" || path == "/v1/retrieve_batch" || path == "/v1/similar" || path == "/v1/encode";
  }
};

namespace {

constexpr size_t kLongestMessage = 1000;  // it may quote what was sent

constexpr std::string_view kBeside = "/beside/";
constexpr size_t kAnswerBytes = 256 << 20;  // of a batch

Call for_other(Call call) {
  call.path.erase(0, kBeside.size() - 1);
  return call;
}

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

Reply error_of(const Outcome& outcome, const std::string& field) {
  switch (outcome.error) {
    case Outcome::Error::wrong: return error_reply(400, outcome.message, field);
    case Outcome::Error::late: return error_reply(504, "the deadline passed before there was an answer");
    default: return error_reply(500, "the search failed; the server's log says why");
  }
}

Reply json_reply(std::string body) { return {.body = std::move(body)}; }

}  // namespace

Reply error_reply(int status, std::string_view message, std::string_view field) {
  std::string body = "{\"error\": {\"kind\": ";
  append_json_text(body, kind_of(status));
  body += ", \"message\": ";
  append_json_text(body, message.substr(0, kLongestMessage));
  body += ", \"field\": ";
  append_json_text(body, field.substr(0, kLongestMessage));
  return {.status = status,
          .body = body + "}}",
          .error = std::string(message.substr(0, kLongestMessage)),
          .field = std::string(field.substr(0, kLongestMessage))};
}

Reply overloaded_reply() {
  auto reply = error_reply(429, "the queue is too long: try again later, or slower");
  reply.retry_after_s = 1;
  return reply;
}

std::span<const Handler::Route> Handler::routes() {
  static constexpr std::array<Route, 17> kRoutes{{
      {"POST", "/v1/retrieve", "retrieve", Role::read, &Handler::retrieve},
      {"POST", "/v1/retrieve_batch", "retrieve_batch", Role::read, &Handler::retrieve_batch},
      {"POST", "/v1/similar", "similar", Role::read, &Handler::similar},
      {"POST", "/v1/encode", "encode", Role::read, &Handler::encode},
      {"POST", "/v1/items:upsert", "items:upsert", Role::write, &Handler::upsert_items},
      {"POST", "/v1/items:delete", "items:delete", Role::write, &Handler::delete_items},
      {"POST", "/v1/items:find", "items:find", Role::read, &Handler::find_items, true},
      {"POST", "/v1/users:find", "users:find", Role::read, &Handler::find_users, true},
      {"GET", "/v1/catalogue", "catalogue", Role::read, &Handler::catalogue, true},
      {"GET", "/", "page", Role::open, &Handler::page, true},
      {"GET", "/page.js", "page", Role::open, &Handler::page, true},
      {"GET", "/page.css", "page", Role::open, &Handler::page, true},
      {"GET", "/v1/model", "model", Role::read, &Handler::model},
      {"GET", "/openapi.json", "openapi", Role::read, &Handler::openapi},
      {"GET", "/livez", "livez", Role::open, &Handler::livez},
      {"GET", "/readyz", "readyz", Role::open, &Handler::readyz},
      {"GET", "/metrics", "metrics", Role::admin, &Handler::metrics_text},
  }};
  return kRoutes;
}

const Handler::Route* Handler::find_route(std::string_view path) {
  const auto found = std::ranges::find(routes(), path, &Route::path);
  return found == routes().end() ? nullptr : &*found;
}

Role Handler::role_of(const Call& call) const { return keys_.none() ? Role::admin : keys_.role_of(call.key); }

std::optional<Reply> Handler::refuse(const Call& call, size_t body_bytes) const {
  if (beside_ && call.path.starts_with(kBeside)) return beside_->refuse(for_other(call), body_bytes);
  const auto* route = find_route(call.path);
  std::optional<Reply> reply;
  if (!route) {
    std::vector<std::string> paths;
    for (const auto& one : routes()) paths.emplace_back(one.path);
    reply = error_reply(404, fmt::format("there is no '{}'{}", call.path, suggestion(call.path, paths)));
  } else if (route->ui && !options_.ui) {
    reply = error_reply(404, fmt::format("'{}' is there when the server is started with --ui", route->path));
  } else if (call.method != route->method) {
    reply = error_reply(405, fmt::format("{} is called by {}", route->path, route->method));
    reply->allow = route->method;
  } else if (const Role role = role_of(call); role < route->role) {
    reply = role == Role::open ? error_reply(401, "an API key is needed: Authorization: Bearer KEY")
                               : error_reply(403, "this API key's role does not allow the call");
  } else if (body_bytes > static_cast<size_t>(options_.most_body_kb) * 1024) {
    reply = error_reply(413, fmt::format("the body is larger than {} kB", options_.most_body_kb));
  } else if (draining_ && route->method == "POST") {
    reply = error_reply(503, "the server is shutting down");
    reply->retry_after_s = 1;
    reply->close = true;
  }
  if (reply) metrics_.refused(route ? route->call : "none", reply->status);
  return reply;
}

bool Handler::turns_away(const Call& call) const {
  if (beside_ && call.path.starts_with(kBeside)) return beside_->turns_away(for_other(call));
  const auto* route = find_route(call.path);
  if (!route || !route->searches() || !queue_.full()) return false;
  metrics_.refused(route->call, 429);
  return true;
}

void Handler::no_room_for(const Call& call) const {
  if (beside_ && call.path.starts_with(kBeside)) return beside_->no_room_for(for_other(call));
  metrics_.refused(find_route(call.path)->call, 429);
}

void Handler::handle(const Call& call, const Done& done) {
  if (beside_ && call.path.starts_with(kBeside)) return beside_->handle(for_other(call), done);
  const auto began = Clock::now();
  const auto* route = find_route(call.path);
  if (auto refused = refuse(call, call.body_bytes > 0 ? call.body_bytes : call.body.size()))
    return done([reply = *refused] { return reply; });
  const Done counted = [this, done, route, began](const Writing& writing) {
    done([this, writing, route, began] {
      Reply reply;
      try {
        reply = writing();
      } catch (const std::exception& e) {
        log_warning("{}: the answer can not be written: {}", route->call, e.what());
        reply = error_reply(500, "the answer can not be written; the server's log says why");
      }
      metrics_.answered(route->call, reply.status, std::chrono::duration<double>(Clock::now() - began).count());
      return reply;
    });
  };
  std::optional<Reply> error;
  try {
    (this->*route->answer)(call, counted);
  } catch (const RequestError& e) {
    error = error_reply(400, e.what(), e.field());
  } catch (const std::exception& e) {
    log_warning("{}: {}", route->call, e.what());
    error = error_reply(500, "the call failed; the server's log says why");
  }
  if (error) counted([reply = *error] { return reply; });
}

void Handler::retrieve(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  auto asked = reader.retrieve(body, CallReader::Place::alone);
  const auto answered = [this, form = call.form, snapshot, shape = asked.shape, done](Outcome outcome) {
    done([this, form, snapshot, shape, outcome = std::make_shared<const Outcome>(std::move(outcome))] {
      if (outcome->error != Outcome::Error::none) return error_of(*outcome, outcome->field);
      return Reply{.body = candidates(*form, *snapshot, shape, *outcome)};
    });
  };
  ask({{.snapshot = snapshot,
        .what = std::move(asked.query),
        .deadline = reader.deadline(body, call.deadline),
        .done = answered}},
      done);
}

void Handler::retrieve_batch(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  // All answers come from the queue's one thread.
  struct Gathering {
    std::vector<RetrieveCall> asked;
    std::vector<Outcome> outcomes;
    size_t missing;
  };
  const auto gathering = std::make_shared<Gathering>();
  gathering->asked = reader.retrieve_batch(body);
  gathering->missing = gathering->asked.size();
  gathering->outcomes.resize(gathering->missing);
  const auto write = [this, form = call.form, snapshot, gathering] {
    const auto& [asked, outcomes, missing] = *gathering;
    std::vector<std::string> lists;
    size_t bytes = 0;
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].error != Outcome::Error::none)
        return error_of(outcomes[i],
                        fmt::format("requests[{}]{}{}", i, outcomes[i].field.empty() ? "" : ".", outcomes[i].field));
      lists.push_back(candidates(*form, *snapshot, asked[i].shape, outcomes[i]));
      if ((bytes += lists.back().size()) > kAnswerBytes)
        return error_reply(
            400,
            fmt::format("the answers come to more than {} MB: ask for fewer items or attributes, or send "
                        "several batches",
                        kAnswerBytes >> 20),
            "requests");
    }
    return Reply{.body = form->batch(lists)};
  };
  std::vector<Query> queries;
  for (size_t i = 0; i < gathering->asked.size(); ++i)
    queries.push_back({.snapshot = snapshot,
                       .what = std::move(gathering->asked[i].query),
                       .deadline = reader.deadline(body, call.deadline),
                       .done = [gathering, write, done, i](Outcome outcome) {
                         gathering->outcomes[i] = std::move(outcome);
                         if (--gathering->missing == 0) done(write);
                       }});
  ask(std::move(queries), done);
}

void Handler::similar(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  const auto asked = reader.similar(body);
  const auto answered = [form = call.form, snapshot, shape = asked.shape, done](Outcome outcome) {
    done([form, snapshot, shape, outcome = std::make_shared<const Outcome>(std::move(outcome))] {
      if (outcome->error != Outcome::Error::none) return error_of(*outcome, outcome->field);
      return Reply{.body = form->neighbours(snapshot->retrieval, *outcome, shape.attributes)};
    });
  };
  ask({{.snapshot = snapshot, .what = asked.query, .deadline = reader.deadline(body, call.deadline), .done = answered}},
      done);
}

void Handler::encode(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  const auto body = reader.body(call.body);
  const auto answered = [form = call.form, snapshot, done](Outcome outcome) {
    done([form, snapshot, outcome = std::make_shared<const Outcome>(std::move(outcome))] {
      if (outcome->error != Outcome::Error::none) return error_of(*outcome, outcome->field);
      return Reply{.body = form->vectors(snapshot->bundle(), outcome->vectors)};
    });
  };
  ask({{.snapshot = snapshot,
        .what = reader.encode(body),
        .deadline = reader.deadline(body, call.deadline),
        .done = answered}},
      done);
}

void Handler::upsert_items(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  change_items(call, reader.upserted_items(reader.body(call.body)), done);
}

void Handler::delete_items(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  change_items(call, reader.deleted_items(reader.body(call.body)), done);
}

void Handler::change_items(const Call& call, std::vector<ItemChange> changes, const Done& done) {
  const auto changed = [this, form = call.form, count = changes.size(), done](Keeper::Made made) {
    done([this, form, count, made] {
      switch (made) {
        case Keeper::Made::yes: return Reply{.body = form->changed(count)};
        case Keeper::Made::full:
          return error_reply(429, fmt::format("more than {} items would lie over the bundle: train a new one with them",
                                              options_.most_added));
        case Keeper::Made::busy:
          return error_reply(503, "another process changes the items of this bundle: send changes there, or end it");
        default: return error_reply(500, "the items can not be changed; the server's log says why");
      }
    });
  };
  if (!keeper_.change(std::move(changes), changed)) done(overloaded_reply);
}

void Handler::ask(std::vector<Query> queries, const Done& done) {
  if (!queue_.push(std::move(queries))) done(overloaded_reply);
}

std::string Handler::candidates(const AnswerForm& form, const Snapshot& snapshot, const ListShape& shape,
                                const Outcome& outcome) const {
  metrics_.list(outcome.items.size(), shape.k);
  if (!outcome.user_known) metrics_.unknown_user();
  return form.candidates(snapshot.retrieval, outcome, shape.attributes);
}

void Handler::find_items(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  done([snapshot, asked = reader.find_items(reader.body(call.body))] {
    const auto rows =
        asked.named ? asked.rows : snapshot->catalogue->find_items(snapshot->retrieval, asked.text, asked.limit);
    return json_reply(found_items_json(*snapshot, rows, asked.shape.attributes));
  });
}

void Handler::find_users(const Call& call, const Done& done) {
  const auto snapshot = snapshots_.current();
  const CallReader reader(options_, *snapshot);
  done([snapshot, asked = reader.find_users(reader.body(call.body))] {
    const auto rows = asked.named ? asked.rows : snapshot->catalogue->find_users(asked.text, asked.limit);
    return json_reply(found_users_json(*snapshot, rows, asked.history));
  });
}

void Handler::catalogue(const Call&, const Done& done) {
  done([snapshot = snapshots_.current(), beside = beside_ != nullptr] {
    return json_reply(catalogue_json(*snapshot, beside));
  });
}

// Nothing but its own script and style runs on it, it talks to this server alone, and no other page may frame it.
void Handler::page(const Call& call, const Done& done) {
  const auto* file = find_page_file(call.path);
  check(file, "each of the page's routes is one of its files");
  done([file, known = call.known_tag == file->tag, gzip = call.takes_gzip] {
    Reply reply{.status = known ? 304 : 200, .content_type = std::string(file->content_type)};
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

// Where the data lay is for those who keep the server.
void Handler::model(const Call& call, const Done& done) {
  const bool with_paths = role_of(call) == Role::admin;
  done([form = call.form, snapshot = snapshots_.current(), with_paths] {
    return Reply{.body = form->model(snapshot->retrieval, with_paths)};
  });
}

void Handler::openapi(const Call&, const Done& done) {
  done([] { return json_reply(std::string(openapi_document())); });
}

void Handler::livez(const Call&, const Done& done) {
  done([] { return json_reply("{\"live\": true}"); });
}

void Handler::readyz(const Call&, const Done& done) {
  if (draining_) return done([] { return error_reply(503, "the server is shutting down"); });
  done([snapshot = snapshots_.current()] {
    return json_reply("{\"ready\": true, \"model\": \"" + snapshot->bundle().fingerprint() + "\"}");
  });
}

void Handler::metrics_text(const Call&, const Done& done) {
  done([this] { return Reply{.body = metrics_.text(), .content_type = "text/plain; version=0.0.4; charset=utf-8"}; });
}

}  // namespace pagoda
