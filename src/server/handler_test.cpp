#include "server/handler.h"

#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <set>

#include "retrieval/event_journal.h"
#include "retrieval/retrieval_test.h"
#include "server/openapi.h"

namespace pagoda::server {
namespace {

using Json = nlohmann::json;

constexpr const char *kReadKey = "read-key", *kWriteKey = "write-key";
constexpr const char *kAdminKey = "admin-key", *kMetricsKey = "metrics-key";

class HandlerOf : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "pagoda_handler_" + std::to_string(getpid()) + ".pagoda";
    retrieval::write_small_bundle(pool_, path_, {});
    snapshots_ = std::make_unique<retrieval::Snapshots>(path_);
    options_.k = 4;
    options_.max_k = 1000;
    options_.timeout_ms = 0;
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + ".items");
  }

  void stop() {
    handler_.reset();
    queue_.reset();
    events_.reset();
    updater_.reset();
  }
  void start() {
    stop();
    updater_ = std::make_unique<SnapshotUpdater>(
        SnapshotUpdaterOptions{.watch = {}, .max_added = static_cast<size_t>(options_.max_added)}, *snapshots_,
        metrics_);
    events_ = std::make_unique<EventWriter>(make_journal_log(retrieval::event_journal_path(path_), {}));
    queue_ = std::make_unique<SearchQueue>(
        SearchQueueOptions{.limit = static_cast<size_t>(options_.queue), .batch = 64, .threads = 1}, metrics_);
    handler_ = std::make_unique<Handler>(options_, *snapshots_, *updater_, *events_, *queue_, metrics_, keys_);
  }

  // As long as there is an updater, its thread alone changes the snapshots.
  bool reload() {
    stop();
    const bool taken = snapshots_->reload();
    start();
    return taken;
  }

  ApiResponse send(const ApiRequest& call) {
    std::promise<ApiResponse> reply;
    handler_->handle(call, [&](const Handler::ResponseBuilder& build) { reply.set_value(build()); });
    return reply.get_future().get();
  }
  ApiResponse post(const std::string& path, const std::string& body) {
    return send({.method = "POST", .path = path, .key = {}, .body = body});
  }
  ApiResponse get(const std::string& path) { return send({.method = "GET", .path = path, .key = {}, .body = {}}); }
  Json answer(const std::string& path, const std::string& body) {
    const auto reply = post(path, body);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }
  void expect_error(const std::string& path, const std::string& body, const std::string& field,
                    const std::string& message) {
    const auto reply = post(path, body);
    EXPECT_EQ(reply.status, 400) << body << "\n" << reply.body;
    const Json expected{{"error", {{"kind", "invalid_argument"}, {"message", message}, {"field", field}}}};
    EXPECT_EQ(Json::parse(reply.body), expected) << body;
  }
  // The list that the library gives.
  std::pair<std::vector<std::string>, std::vector<float>> list(const std::string& line,
                                                               const retrieval::RetrieveOptions& options) {
    const auto& retrieval = snapshots_->current()->retrieval;
    const auto found = retrieval.retrieve(pool_, {retrieval::parse_request(line, "")}, options).found;
    std::vector<std::string> ids;
    for (const auto row : found.items.values) ids.emplace_back(retrieval.bundle().item_ids()[row]);
    return {ids, found.scores};
  }

  ThreadPool pool_{2};
  std::string path_;
  std::unique_ptr<retrieval::Snapshots> snapshots_;
  ServeMetrics metrics_;
  Keys keys_;
  retrieval::ServeOptions options_;
  std::unique_ptr<SnapshotUpdater> updater_;
  std::unique_ptr<EventWriter> events_;
  std::unique_ptr<SearchQueue> queue_;
  std::unique_ptr<Handler> handler_;
};

std::vector<std::string> items(const Json& answer) { return answer.at("items").get<std::vector<std::string>>(); }

TEST_F(HandlerOf, AListIsThatOfTheLibraryBitForBit) {
  const std::vector<std::pair<std::string, retrieval::RetrieveOptions>> cases{
      {R"("user": "ann", "k": 3)", {.k = 3}},
      {R"("user": "ann")", {.k = 4}},
      {R"("user": "nobody", "history": ["i1", "i9"], "context": {"device": "tv"}, "k": 10)", {.k = 10}},
      {R"("history": ["i2"], "features": {"likes": ["jam", "tea"], "country": "FR"}, "time": "2024-05-01")", {.k = 4}},
      {R"("user": "bob", "filter": "year >= 1994", "k": 10)", {.k = 10, .filter = "year >= 1994"}},
      {R"("user": "bob", "exclude": ["i8", "i2", "unknown"], "k": 10)", {.k = 10, .exclude = {"i8", "i2"}}},
      {R"("user": "ann", "exclude_seen": false, "k": 10)", {.k = 10, .exclude_seen = false}},
      {R"("user": "ann", "exclude_seen": false, "filter": "not seen", "k": 10)", {.k = 10}},
      {R"("user": "ann", "exclude_seen": false, "quota": {"attribute": "author", "max": 2}, "k": 10)",
       {.k = 10, .exclude_seen = false, .quota = retrieval::QuotaOptions{"author", 2}}},
      {R"("user": "ann", "min_score": 0.25, "k": 10)", {.k = 10, .min_score = 0.25f}},
  };
  std::string batch;
  for (const auto& [text, options] : cases) {
    auto line = Json::parse("{" + text + "}");
    for (const char* key : {"k", "filter", "exclude", "exclude_seen", "quota", "min_score"}) line.erase(key);
    const auto [ids, scores] = list(line.dump(), options);
    const auto got = answer("/v1/retrieve", "{" + text + "}");
    EXPECT_EQ(items(got), ids) << text;
    EXPECT_EQ(got.at("scores").get<std::vector<float>>(), scores) << text;
    EXPECT_EQ(got.at("model"), snapshots_->current()->bundle().fingerprint());
    batch += (batch.empty() ? "{" : ", {") + text + "}";
  }
  const auto answers = answer("/v1/retrieve_batch", "{\"requests\": [" + batch + "]}").at("answers");
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(answers[i], answer("/v1/retrieve", "{" + cases[i].first + "}")) << cases[i].first;
}

TEST_F(HandlerOf, AnUnknownUserGetsTheStrangersAnswer) {
  const auto unknown_user = answer("/v1/retrieve", "{}");
  EXPECT_EQ(unknown_user.at("user_known"), false);
  EXPECT_EQ(items(unknown_user).size(), 4u);
  EXPECT_EQ(answer("/v1/retrieve", R"({"user": "nobody"})"), unknown_user);
  EXPECT_EQ(answer("/v1/retrieve", R"({"user": null, "history": null, "k": null, "filter": null})"), unknown_user);
  EXPECT_EQ(answer("/v1/retrieve", R"({"user": "bob"})").at("user_known"), true);
  EXPECT_NE(get("/metrics").body.find("pagoda_unknown_users_total 3"), std::string::npos);
}

TEST_F(HandlerOf, AQuotaHoldsAndListsAreStillFilled) {
  const auto got = answer("/v1/retrieve", R"({"exclude_seen": false, "quota": {"attribute": "author", "max": 2}, "k": 4,
                                              "attributes": ["author"]})");
  ASSERT_EQ(items(got).size(), 4u);
  std::map<std::string, int> of_author;
  for (const auto& one : got.at("attributes")) ++of_author[one.at("author")];
  for (const auto& [author, count] : of_author) EXPECT_EQ(count, 2) << author;
}

TEST_F(HandlerOf, AttributesComeBackTyped) {
  const auto got = answer("/v1/retrieve", R"({"k": 10, "attributes": ["year", "author"]})");
  for (size_t i = 0; i < 10; ++i) {
    const int number = std::stoi(items(got)[i].substr(1));
    EXPECT_EQ(got.at("attributes")[i], (Json{{"year", 1990 + number}, {"author", number % 3 ? "kim" : "lee \"x\""}}));
  }
  EXPECT_FALSE(answer("/v1/retrieve", "{}").contains("attributes"));
}

TEST_F(HandlerOf, AnExplanationTellsWhatTheSearchDid) {
  const auto explain = answer("/v1/retrieve", R"({"filter": "year < 1995", "explain": true})").at("explain");
  EXPECT_EQ(explain.at("selectivity"), 0.5);
  EXPECT_GT(explain.at("vectors_scored").get<int>(), 0);
  EXPECT_FALSE(explain.at("plan").get<std::string>().empty());
  for (const char* stage : {"queue", "encode", "filter", "search", "scan"})
    EXPECT_GE(explain.at("times_ms").at(stage).get<double>(), 0) << stage;
  EXPECT_FALSE(answer("/v1/retrieve", "{}").contains("explain"));
}

TEST_F(HandlerOf, SimilarItemsAreThoseOfTheLibrary) {
  const auto& retrieval = snapshots_->current()->retrieval;
  const std::vector<uint32_t> asked{3};
  const auto found = retrieval.similar(pool_, asked, 5);
  const auto got = answer("/v1/similar", R"({"item": "i3", "k": 5, "attributes": ["year"]})");
  for (size_t r = 0; r < 5; ++r) EXPECT_EQ(items(got)[r], retrieval.bundle().item_ids()[found.items.values[r]]);
  EXPECT_EQ(got.at("scores").get<std::vector<float>>(), found.scores);
  EXPECT_EQ(got.at("attributes").size(), 5u);
  EXPECT_FALSE(got.contains("user_known"));
}

TEST_F(HandlerOf, VectorsAreThoseOfTheLibrary) {
  const auto& retrieval = snapshots_->current()->retrieval;
  const auto users =
      retrieval.user_vectors(pool_, {retrieval::parse_request("ann", ""), retrieval::parse_request("{}", "")});
  auto got = answer("/v1/encode", R"({"users": [{"user": "ann"}, {}]})").at("vectors");
  for (size_t i = 0; i < 2; ++i)
    EXPECT_EQ(got[i].get<std::vector<float>>(), std::vector<float>(users.row(i).begin(), users.row(i).end()));

  const auto known = retrieval.bundle().item_vectors().f32();
  got = answer("/v1/encode", R"({"items": ["i7", {"item": "new", "attributes": {"year": 1991}}, "i2",
                                           {"item": "i7", "attributes": {"year": 1997}}]})")
            .at("vectors");
  const auto row = [&](size_t r) { return std::vector<float>(known.row(r).begin(), known.row(r).end()); };
  EXPECT_EQ(got[0].get<std::vector<float>>(), row(7));
  EXPECT_EQ(got[2].get<std::vector<float>>(), row(2));
  EXPECT_EQ(got[3].get<std::vector<float>>(), row(7)) << "the tower gives a known item's own vector";
  EXPECT_EQ(got[1].size(), 8u);
}

TEST_F(HandlerOf, AQueryVectorStandsInPlaceOfAUser) {
  const auto vector = answer("/v1/encode", R"({"users": [{"history": ["i1"]}]})").at("vectors")[0];
  auto expected = answer("/v1/retrieve", R"({"history": ["i1"], "exclude_seen": false})");
  const auto by_vector = answer("/v1/retrieve", Json{{"vector", vector}}.dump());
  EXPECT_EQ(by_vector.at("items"), expected.at("items"));
  EXPECT_EQ(by_vector.at("scores"), expected.at("scores"));
}

TEST_F(HandlerOf, AWrongRequestIsToldItsFieldAndTheNearestName) {
  const std::string retrieve = "/v1/retrieve";
  expect_error(retrieve, "", "", "invalid JSON at character 1");
  expect_error(retrieve, "{\"k\": 1", "", "invalid JSON at character 8");
  expect_error(retrieve, "{\"k\": 1e999}", "", "invalid JSON: a number is out of range");
  expect_error(retrieve, "{\"user\": \"\xff\"}", "", "invalid JSON at character 11");
  expect_error(retrieve, "[1, 2]", "", "the body is a list, expected a JSON object");
  expect_error(retrieve, "3", "", "the body is 3, expected a JSON object");
  expect_error(retrieve, R"({"usr": "ann"})", "usr", "unknown key 'usr'; did you mean 'user'?");
  expect_error(retrieve, R"({"user": ["ann"]})", "user", "'user' has the wrong type");
  expect_error(retrieve, R"({"history": "i1"})", "history", "'history' has the wrong type");
  expect_error(retrieve, R"({"context": {"devise": "tv"}})", "context",
               "the model reads no context 'devise'; did you mean 'device'?");
  expect_error(retrieve, R"({"features": {"contry": "DE"}})", "features",
               "the model reads no user feature 'contry'; did you mean 'country'?");
  expect_error(retrieve, R"({"features": {"likes": [["a"]]}})", "features",
               "feature 'likes' has the wrong type: write a text, a number or a list of them");
  expect_error(retrieve, R"({"time": "noon"})", "time",
               "'time' is \"noon\", expected a time such as 2024-05-01T10:00:00Z");
  for (const char* k : {"0", "-1", "1001", "2.5", "\"9\"", "true", "1e3"})
    expect_error(retrieve, fmt::format("{{\"k\": {}}}", k), "k",
                 fmt::format("'k' is {}, expected a whole number from 1 to 1000", Json::parse(k).dump()));
  expect_error(retrieve, R"({"filter": "yaer >= 1990"})", "filter",
               "unknown field 'yaer' in filter; did you mean 'year'? (at character 1 of the filter)");
  expect_error(retrieve, R"({"filter": 7})", "filter", "'filter' is 7, expected a text");
  expect_error(retrieve, R"({"exclude": "i1"})", "exclude", "'exclude' has the wrong type");
  expect_error(retrieve, R"({"exclude_seen": 1})", "exclude_seen", "'exclude_seen' is 1, expected true or false");
  expect_error(retrieve, R"({"quota": 3})", "quota", "'quota' is 3, expected {\"attribute\": ..., \"max\": ...}");
  expect_error(retrieve, R"({"quota": {"attribute": "author", "max": 0}})", "quota.max",
               "'quota.max' is 0, expected a whole number from 1 to 4294967295");
  expect_error(retrieve, R"({"quota": {"attribute": "autor", "max": 1}})", "quota",
               "unknown field 'autor' in quota; did you mean 'author'?");
  expect_error(retrieve, R"({"min_score": "high"})", "min_score", "'min_score' is \"high\", expected a number");
  expect_error(retrieve, R"({"attributes": ["yeer"]})", "attributes", "unknown attribute 'yeer'; did you mean 'year'?");
  expect_error(retrieve, R"({"attributes": ["year", "year"]})", "attributes", "attribute 'year' is named twice");
  expect_error(retrieve, R"({"attributes": "year"})", "attributes",
               "'attributes' is \"year\", expected a list of texts");
  expect_error(retrieve, R"({"explain": "yes"})", "explain", "'explain' is \"yes\", expected true or false");
  expect_error(retrieve, R"({"timeout_ms": 0})", "timeout_ms",
               "'timeout_ms' is 0, expected a whole number from 1 to 3600000");
  expect_error(retrieve, R"({"vector": [1, 2]})", "vector", "'vector' has 2 components, the bundle's items 8");
  expect_error(retrieve, R"({"vector": [1], "user": "ann"})", "vector", "'vector' replaces a user: leave 'user' out");

  expect_error("/v1/retrieve_batch", "{}", "requests",
               "'requests' is missing, expected a list of one or more requests");
  expect_error("/v1/retrieve_batch", R"({"requests": [{}, 3]})", "requests[1]",
               "'requests[1]' is 3, expected an object");
  expect_error("/v1/retrieve_batch", R"({"requests": [{}, {"k": 0}]})", "requests[1].k",
               "'k' is 0, expected a whole number from 1 to 1000");
  expect_error("/v1/retrieve_batch", R"({"requests": [{}, {"filter": "yaer = 1"}]})", "requests[1].filter",
               "unknown field 'yaer' in filter; did you mean 'year'? (at character 1 of the filter)");
  expect_error("/v1/retrieve_batch", R"({"requests": [{"timeout_ms": 3}]})", "requests[0].timeout_ms",
               "'timeout_ms' belongs next to 'requests': a batch has one for all");

  expect_error("/v1/similar", "{}", "item", "'item' is missing: which item's neighbours?");
  expect_error("/v1/similar", R"({"item": "i99"})", "item", "item 'i99' is not in the catalogue");
  expect_error("/v1/encode", "{}", "", "give either 'users' or 'items'");
  expect_error("/v1/encode", R"({"users": [], "items": []})", "", "give either 'users' or 'items'");
  expect_error("/v1/encode", R"({"users": [{"k": 1}]})", "users[0].k",
               "unknown key 'k'; known: user, history, recent, events, context, features, time");
  expect_error("/v1/encode", R"({"items": ["i99"]})", "items[0]",
               "item 'i99' is not in the catalogue: send {\"item\": ..., \"attributes\": {...}}");
  expect_error("/v1/encode", R"({"items": [{"item": "n", "attributes": {"yeer": 3}}]})", "items[0].attributes",
               "unknown attribute 'yeer'; did you mean 'year'?");
  expect_error("/v1/encode", R"({"items": [{"item": "n"}, {"item": "n"}]})", "items", "item 'n' is described twice");
  EXPECT_EQ(answer("/v1/retrieve", "{}").at("items").size(), 4u) << "and none of it hurts";
}

TEST_F(HandlerOf, LimitsHold) {
  options_.max_list = 3;
  options_.max_requests = 2;
  options_.max_body_kb = 1;
  options_.max_depth = 4;
  start();
  expect_error("/v1/retrieve", R"({"history": ["a", "b", "c", "d"]})", "history", "'history' holds 4, at most 3");
  expect_error("/v1/retrieve", R"({"exclude": ["a", "b", "c", "d"]})", "exclude", "'exclude' holds 4, at most 3");
  expect_error("/v1/retrieve", R"({"features": {"likes": ["a", "b", "c", "d"]}})", "features",
               "'features' holds 4, at most 3");
  expect_error("/v1/retrieve_batch", R"({"requests": [{}, {}, {}]})", "requests", "'requests' holds 3, at most 2");
  expect_error("/v1/encode", R"({"users": [{}, {}, {}]})", "users", "'users' holds 3, at most 2");
  expect_error("/v1/retrieve", R"({"user": [[[[[1]]]]]})", "", "the JSON is nested deeper than 4 levels");
  options_.max_body_kb = 100;
  options_.max_filter_kb = 1;
  start();
  expect_error("/v1/retrieve", "{\"filter\": \"" + std::string(1025, ' ') + "\"}", "filter",
               "the filter is longer than 1 kB");
  const auto reply = post("/v1/retrieve", std::string(100 * 1024 + 1, ' '));
  EXPECT_EQ(reply.status, 413);
  EXPECT_EQ(reply.body,
            R"({"error": {"kind": "too_large", "message": "the body is larger than 100 kB", "field": ""}})");
}

TEST_F(HandlerOf, RoutesAndMethodsThatAreNotThere) {
  auto reply = get("/v1/modle");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body, R"({"error": {"kind": "not_found", "message": "there is no '/v1/modle'; did you mean )"
                        R"('/v1/model'?", "field": ""}})");
  reply = get("/v1/retrieve");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.allow, "POST");
  EXPECT_EQ(post("/livez", "").status, 405);
}

TEST_F(HandlerOf, EachRouteAsksForItsRole) {
  const auto file = path_ + ".keys";
  std::ofstream(file) << "# keys\n"
                         "44c9abdfd0d2911ed76de7f22a7b5e69d38d71127d4a8a5a08c0f2ae2e1e4a4c read wrong one\n";
  EXPECT_EQ(Keys::from_file(file).role_of(kReadKey), Role::anonymous);
  std::ofstream(file) << "8578df6c579d44d3bf7caeada69ed9cbca30b318a50a0e60216b46760edf5477 read shop\n\n"
                         "9a7ac94eebad54f90bf2ee767e6765138c44b2ad6bd68e05938b5e7b0f4b232f write\n"
                         "69a5265506c94c77b787a7d7377b7685a0eff82e33920a71e7ee22cd6154953e admin\n"
                         "65d4b602383661868c37d43f1996ba907872c96a1f2f0e86e3b6f5e35d464066 metrics prometheus\n";
  keys_ = Keys::from_file(file);
  std::filesystem::remove(file);
  const std::vector<std::pair<ApiRequest, Role>> routes{
      {{.method = "POST", .path = "/v1/retrieve", .key = {}, .body = "{}"}, Role::read},
      {{.method = "POST", .path = "/v1/retrieve_batch", .key = {}, .body = R"({"requests": [{}]})"}, Role::read},
      {{.method = "POST", .path = "/v1/similar", .key = {}, .body = R"({"item": "i1"})"}, Role::read},
      {{.method = "POST", .path = "/v1/encode", .key = {}, .body = R"({"users": [{}]})"}, Role::read},
      {{.method = "POST", .path = "/v1/items:upsert", .key = {}, .body = R"({"items": [{"item": "n"}]})"}, Role::write},
      {{.method = "POST", .path = "/v1/items:delete", .key = {}, .body = R"({"items": ["n"]})"}, Role::write},
      {{.method = "GET", .path = "/v1/model", .key = {}, .body = {}}, Role::read},
      {{.method = "GET", .path = "/openapi.json", .key = {}, .body = {}}, Role::read},
      {{.method = "GET", .path = "/livez", .key = {}, .body = {}}, Role::anonymous},
      {{.method = "GET", .path = "/readyz", .key = {}, .body = {}}, Role::anonymous},
      {{.method = "GET", .path = "/metrics", .key = {}, .body = {}}, Role::metrics}};
  const std::vector<std::pair<std::string, Role>> callers{{"", Role::anonymous},    {"other", Role::anonymous},
                                                          {kReadKey, Role::read},   {kWriteKey, Role::write},
                                                          {kAdminKey, Role::admin}, {kMetricsKey, Role::metrics}};
  const auto allowed = [](Role role, Role needed) {
    if (needed == Role::anonymous || role == Role::admin) return true;
    if (needed == Role::metrics) return role == Role::metrics;
    return role == needed || (role == Role::write && needed == Role::read);
  };
  for (auto [call, needed] : routes)
    for (const auto& [key, role] : callers) {
      call.key = key;
      const int expected = allowed(role, needed) ? 200 : role == Role::anonymous ? 401 : 403;
      EXPECT_EQ(send(call).status, expected) << call.path << " with '" << key << "'";
    }
}

TEST_F(HandlerOf, AKeyFileIsReadStrictly) {
  const auto file = path_ + ".keys";
  const auto message = [&](const std::string& text) -> std::string {
    std::ofstream(file) << text;
    try {
      Keys::from_file(file);
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return std::string(e.what()).substr(file.size());
    }
    return "";
  };
  EXPECT_EQ(message("secret read\n"), ":1: a line must begin with the SHA-256 of a key, 64 hexadecimal digits");
  EXPECT_EQ(message("\n" + std::string(64, 'a') + " reed\n"), ":2: 'reed' is not a role; did you mean 'read'?");
  EXPECT_EQ(message(std::string(64, 'g') + " read\n"),
            ":1: a line must begin with the SHA-256 of a key, 64 hexadecimal digits");
  EXPECT_EQ(message("# none\n"), ": holds no key; leave serve.keys empty to let everybody in");
  std::filesystem::remove(file);
}

TEST_F(HandlerOf, WhatDoesNotFitTheQueueIsToldToComeAgain) {
  options_.queue = options_.max_requests = 1;
  start();
  options_.max_requests = 8;
  Handler handler(options_, *snapshots_, *updater_, *events_, *queue_, metrics_, keys_);
  std::promise<ApiResponse> reply;
  handler.handle({.method = "POST", .path = "/v1/retrieve_batch", .key = {}, .body = R"({"requests": [{}, {}]})"},
                 [&](const Handler::ResponseBuilder& build) { reply.set_value(build()); });
  const auto got = reply.get_future().get();
  EXPECT_EQ(got.status, 429);
  EXPECT_EQ(got.retry_after_s, 1);
  EXPECT_EQ(Json::parse(got.body).at("error").at("kind"), "resource_exhausted");
}

TEST_F(HandlerOf, DrainingTurnsCallsAwayAndSaysSo) {
  EXPECT_EQ(get("/readyz").status, 200);
  handler_->drain();
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_EQ(get("/livez").status, 200);
  const auto reply = post("/v1/retrieve", "{}");
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.close);
  EXPECT_EQ(Json::parse(reply.body).at("error").at("kind"), "unavailable");
}

TEST_F(HandlerOf, ABadNewBundleIsRefusedAndTheOldOneServesOn) {
  const auto before = answer("/v1/retrieve", R"({"user": "ann"})");
  EXPECT_FALSE(snapshots_->changed());
  write_file(path_, "no bundle");
  EXPECT_TRUE(snapshots_->changed());
  EXPECT_FALSE(reload());
  EXPECT_FALSE(snapshots_->changed()) << "it is not tried again until there is another file";
  EXPECT_EQ(answer("/v1/retrieve", R"({"user": "ann"})"), before);
  std::filesystem::remove(path_);
  EXPECT_FALSE(snapshots_->changed());
  retrieval::write_small_bundle(pool_, path_, {.seed = 6});
  EXPECT_TRUE(snapshots_->changed());
  const auto held = snapshots_->current();
  EXPECT_TRUE(reload());
  const auto after = answer("/v1/retrieve", R"({"user": "ann"})");
  EXPECT_NE(after.at("model"), before.at("model"));
  EXPECT_EQ(after.at("model").get<std::string>(), snapshots_->current()->bundle().fingerprint());
  EXPECT_EQ(held->bundle().fingerprint(), before.at("model").get<std::string>()) << "who holds the old one keeps it";
}

TEST_F(HandlerOf, ItemsAreAddedReplacedAndDeleted) {
  const auto all = [&] {
    return answer("/v1/retrieve", R"({"user": "cat", "k": 100, "attributes": ["year", "author"]})");
  };
  const auto before = all();
  ASSERT_EQ(items(before).size(), 10u);
  EXPECT_EQ(answer("/v1/items:upsert", R"({"items": [{"item": "n1", "attributes": {"year": 2024, "author": "kim"}},
      {"item": "i3", "attributes": {"year": 2025, "author": "new"}}, {"item": "n2"}]})"),
            Json({{"items", 3}}));
  EXPECT_EQ(answer("/v1/items:delete", R"({"items": ["i5", "unknown"]})"), Json({{"items", 2}}));

  // The list is that of the vectors' scores.
  const auto after = all();
  const auto user = answer("/v1/encode", R"({"users": [{"user": "cat"}]})").at("vectors")[0];
  const auto vectors = answer("/v1/encode", Json{{"items", after.at("items")}}.dump()).at("vectors");
  std::set<std::string> found;
  for (size_t i = 0; i < after.at("items").size(); ++i) {
    double score = 0;
    for (size_t d = 0; d < user.size(); ++d) score += user[d].get<double>() * vectors[i][d].get<double>();
    EXPECT_NEAR(after.at("scores")[i].get<double>(), score, 1e-5);
    if (i > 0) {
      EXPECT_GE(after.at("scores")[i - 1], after.at("scores")[i]);
    }
    found.insert(items(after)[i]);
    const auto& attributes = after.at("attributes")[i];
    if (items(after)[i] == "i3") {
      EXPECT_EQ(attributes, (Json{{"year", 2025}, {"author", "new"}}));
    }
    if (items(after)[i] == "n2") {
      EXPECT_EQ(attributes, (Json{{"year", nullptr}, {"author", nullptr}}));
    }
  }
  EXPECT_EQ(found, (std::set<std::string>{"i0", "i1", "i2", "i3", "i4", "i6", "i7", "i8", "i9", "n1", "n2"}));

  const auto names = [&](const std::string& body) {
    const auto list = items(answer("/v1/retrieve", body));
    return std::set<std::string>(list.begin(), list.end());
  };
  EXPECT_EQ(names(R"({"filter": "year >= 1998"})"), (std::set<std::string>{"i8", "i9", "i3", "n1"}));
  EXPECT_EQ(names(R"({"filter": "year >= 1998", "exclude": ["n1", "i8"]})"), (std::set<std::string>{"i9", "i3"}));
  EXPECT_EQ(names(R"({"filter": "year >= 1998", "history": ["n1", "i3"]})"), (std::set<std::string>{"i8", "i9"}));
  EXPECT_FALSE(names(R"({"user": "ann", "k": 100})").contains("i3")) << "who has seen an item has seen its new state";
  const auto quota = answer("/v1/retrieve", R"({"user": "cat", "k": 100, "attributes": ["author"],
                                               "quota": {"attribute": "author", "max": 1}})");
  std::map<std::string, int> of_author;
  for (const auto& one : quota.at("attributes")) ++of_author[one.at("author").is_null() ? "" : one.at("author")];
  EXPECT_EQ(of_author, (std::map<std::string, int>{{"", 1}, {"kim", 1}, {"lee \"x\"", 1}, {"new", 1}}));

  const auto near = items(answer("/v1/similar", R"({"item": "n1", "k": 100})"));
  EXPECT_EQ(near.size(), 10u);
  EXPECT_EQ(std::ranges::count(near, "n1"), 0);
  expect_error("/v1/similar", R"({"item": "i5"})", "item", "item 'i5' is not in the catalogue");
  const auto model = Json::parse(get("/v1/model").body);
  EXPECT_EQ(model.at("added_items"), 3);
  EXPECT_EQ(model.at("hidden_items"), 2);

  // What is taken back is as it was, but for what stays hidden.
  answer("/v1/items:delete", R"({"items": ["n1", "n2", "i3"]})");
  EXPECT_EQ(items(all()).size(), 8u);
  answer("/v1/items:upsert", R"({"items": [{"item": "i5", "attributes": {"year": 1995, "author": "kim"}},
      {"item": "i3", "attributes": {"year": 1993, "author": "lee \"x\""}}]})");
  auto again = all();
  EXPECT_EQ(again.at("items"), before.at("items"));
  EXPECT_EQ(again.at("scores"), before.at("scores")) << "the tower gives an item's vector anew, bit for bit";
  EXPECT_EQ(again.at("attributes"), before.at("attributes"));
}

TEST_F(HandlerOf, ChangedItemsOutliveTheServerAndItsBundle) {
  answer("/v1/items:upsert", R"({"items": [{"item": "n1", "attributes": {"year": 2024}}, {"item": "n2"}]})");
  answer("/v1/items:delete", R"({"items": ["i5", "n2"]})");
  const std::string body = R"({"user": "cat", "k": 100, "attributes": ["year"]})";
  const auto before = answer("/v1/retrieve", body);
  std::ofstream(path_ + ".items", std::ios::app) << R"({"item": "torn", "attri)";  // a kill in the midst of a change
  stop();
  snapshots_.reset();
  snapshots_ = std::make_unique<retrieval::Snapshots>(path_);
  start();
  EXPECT_EQ(answer("/v1/retrieve", body), before);
  answer("/v1/items:upsert", R"({"items": [{"item": "n3"}]})");
  retrieval::write_small_bundle(pool_, path_, {.seed = 6});
  EXPECT_TRUE(reload());
  auto list = items(answer("/v1/retrieve", body));
  EXPECT_EQ(list.size(), 11u);
  EXPECT_EQ(std::ranges::count(list, "n1") + std::ranges::count(list, "n3"), 2);
  EXPECT_EQ(std::ranges::count(list, "i5") + std::ranges::count(list, "torn"), 0);

  std::filesystem::remove(path_ + ".items");
  EXPECT_TRUE(reload());
  EXPECT_EQ(items(answer("/v1/retrieve", body)).size(), 10u);
  write_file(path_ + ".items", "no change\n");
  EXPECT_FALSE(reload());
}

TEST_F(HandlerOf, OneProcessChangesItemsAndOthersReadThem) {
  EXPECT_EQ(post("/v1/items:upsert", R"({"items": [{"item": "n1"}]})").status, 200);
  const auto own = read_file(path_ + ".items");
  {
    std::ofstream(path_ + ".items", std::ios::app) << R"({"item": "n)";  // it is in the midst of a change
    retrieval::Snapshots other(path_);
    EXPECT_NE(other.current()->retrieval.find_item("n1"), columns::Interner::kNone);
    EXPECT_EQ(read_file(path_ + ".items"), own + R"({"item": "n)");
    EXPECT_THROW(other.change({{.item = "n2", .attributes = {}, .deleted = false}}), Error);
    EXPECT_EQ(other.current()->retrieval.find_item("n2"), columns::Interner::kNone);
    std::filesystem::resize_file(path_ + ".items", own.size());
    EXPECT_EQ(post("/v1/items:delete", R"({"items": ["i1"]})").status, 200);
    stop();
    snapshots_.reset();
    other.change({{.item = "n2", .attributes = {}, .deleted = false}});
    EXPECT_NE(other.current()->retrieval.find_item("n2"), columns::Interner::kNone);
    EXPECT_EQ(other.current()->retrieval.find_item("i1"), columns::Interner::kNone)
        << "what the first did meanwhile is taken over";
  }
  snapshots_ = std::make_unique<retrieval::Snapshots>(path_);
  start();
}

TEST_F(HandlerOf, WrongChangesOfItemsChangeNothing) {
  const std::string upsert = "/v1/items:upsert";
  expect_error(upsert, "{}", "items", "'items' is missing, expected a list of one or more items");
  expect_error(upsert, R"({"items": []})", "items", "'items' is a list, expected a list of one or more items");
  expect_error(upsert, R"({"items": ["i1"]})", "items[0]", "'items[0]' is \"i1\", expected an object");
  expect_error(upsert, R"({"items": [{"item": "n"}, {"item": "n"}]})", "items", "item 'n' is described twice");
  expect_error(upsert, R"({"items": [{"item": ""}]})", "items[0]", "'items[0]' has an empty id");
  expect_error(upsert, R"({"items": [{"item": "n", "attributes": {"yeer": 1}}]})", "items[0].attributes",
               "unknown attribute 'yeer'; did you mean 'year'?");
  expect_error(upsert, R"({"items": [{"item": "n", "attributes": {"year": "old"}}]})", "items[0].attributes",
               "attribute 'year' is 'old', expected a whole number of 64 bits");
  expect_error(upsert, R"({"items": [{"item": "n", "attributes": {"author": ["a", "b"]}}]})", "items[0].attributes",
               "attribute 'author' is a list, expected one value");
  expect_error("/v1/items:delete", R"({"items": [null]})", "items", "'items' has the wrong type");
  EXPECT_EQ(snapshots_->current()->retrieval.fresh(), nullptr);
  options_.max_added = 2;
  start();
  EXPECT_EQ(post(upsert, R"({"items": [{"item": "a"}, {"item": "b"}, {"item": "c"}]})").status, 429);
  EXPECT_EQ(post(upsert, R"({"items": [{"item": "a"}, {"item": "b"}]})").status, 200);
  EXPECT_EQ(post(upsert, R"({"items": [{"item": "c"}]})").status, 429);
  EXPECT_EQ(post("/v1/items:delete", R"({"items": ["a"]})").status, 200);
  EXPECT_EQ(post(upsert, R"({"items": [{"item": "c"}]})").status, 200);
}

TEST_F(HandlerOf, TheModelIsDescribedWithTheNamesThatRequestsMayUse) {
  const auto model = Json::parse(get("/v1/model").body);
  EXPECT_EQ(model.at("fingerprint"), snapshots_->current()->bundle().fingerprint());
  EXPECT_EQ(model.at("context"), Json({"device"}));
  EXPECT_EQ(model.at("features"), Json({"country", "likes"}));
  EXPECT_EQ(model.at("attributes"), (Json{{"year", "integer"}, {"author", "text"}}));
  EXPECT_EQ(model.at("index"), "exact");
}

TEST_F(HandlerOf, MetricsCountWhatWasDone) {
  answer("/v1/retrieve", "{}");
  post("/v1/retrieve", "{");
  get("/nothing");
  const auto text = get("/metrics").body;
  for (const char* line :
       {"pagoda_requests_total{call=\"retrieve\",status=\"200\"} 1",
        "pagoda_requests_total{call=\"retrieve\",status=\"400\"} 1",
        "pagoda_requests_total{call=\"none\",status=\"404\"} 1", "pagoda_stage_seconds_count{stage=\"search\"} 1",
        "pagoda_batch_size_count 1", "pagoda_fill_count 1", "pagoda_queue_length 0"})
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
}

TEST(OpenApi, IsADocumentOfEveryRoute) {
  const auto document = Json::parse(openapi_document());
  for (const char* path : {"/v1/retrieve", "/v1/retrieve_batch", "/v1/similar", "/v1/encode", "/v1/items:upsert",
                           "/v1/items:delete", "/v1/model", "/openapi.json", "/livez", "/readyz", "/metrics"})
    EXPECT_TRUE(document.at("paths").contains(path)) << path;
  // Every reference leads somewhere.
  const std::function<void(const Json&)> follow = [&](const Json& node) {
    if (node.is_object() && node.contains("$ref")) {
      EXPECT_TRUE(document.contains(Json::json_pointer(node["$ref"].get<std::string>().substr(1)))) << node;
    }
    if (node.is_structured())
      for (const auto& child : node) follow(child);
  };
  follow(document);
}

}  // namespace
}  // namespace pagoda::server
