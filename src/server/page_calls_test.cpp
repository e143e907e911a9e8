// The calls that the page makes use of, and the page.
#include <zlib.h>

#include <future>
#include <nlohmann/json.hpp>

#include "retrieval/event_journal.h"
#include "retrieval/retrieval_test.h"
#include "server/handler.h"
#include "server/ui/page.h"

namespace pagoda::server {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

// A model, and another to compare it with.
class PageCalls : public testing::Test {
 protected:
  struct Served {
    Served(const std::string& path, const retrieval::ServeOptions& options, const Keys& keys)
        : snapshots(path, {}, options.ui), updater({.watch = {}, .max_added = 100}, snapshots, metrics),
          events(make_journal_log(retrieval::event_journal_path(path), {})),
          queue({.limit = 100, .batch = 8, .threads = 1}, metrics),
          handler(options, snapshots, updater, events, queue, metrics, keys) {}
    ServeMetrics metrics;
    retrieval::Snapshots snapshots;
    SnapshotUpdater updater;
    EventWriter events;
    SearchQueue queue;
    Handler handler;
  };

  void SetUp() override {
    folder_ = testing::TempDir() + "pagoda_page_" + std::to_string(getpid());
    make_folder(folder_);
    retrieval::write_small_bundle(pool_, folder_ + "/first.pagoda", {});
    retrieval::write_small_bundle(pool_, folder_ + "/second.pagoda", {.seed = 9, .items = 7});
    options_.timeout_ms = 0;
    options_.ui = true;
    start();
  }
  void TearDown() override {
    first_.reset();
    second_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    first_.reset();
    second_.reset();
    first_ = std::make_unique<Served>(folder_ + "/first.pagoda", options_, keys_);
    second_ = std::make_unique<Served>(folder_ + "/second.pagoda", options_, keys_);
    first_->handler.set_compared(second_->handler);
  }

  ApiResponse send(const ApiRequest& call) {
    std::promise<ApiResponse> reply;
    first_->handler.handle(call, [&](const Handler::ResponseBuilder& build) { reply.set_value(build()); });
    return reply.get_future().get();
  }
  ApiResponse get(const std::string& path) { return send({.method = "GET", .path = path, .key = {}, .body = {}}); }
  Json answer(const std::string& path, const std::string& body) {
    const auto reply = send({.method = "POST", .path = path, .key = {}, .body = body});
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }
  std::string wrong(const std::string& path, const std::string& body) {
    const auto reply = send({.method = "POST", .path = path, .key = {}, .body = body});
    EXPECT_EQ(reply.status, 400) << body << "\n" << reply.body;
    return Json::parse(reply.body).at("error").at("message");
  }

  ThreadPool pool_{1};
  std::string folder_;
  retrieval::ServeOptions options_;
  Keys keys_;
  std::unique_ptr<Served> first_, second_;
};

TEST_F(PageCalls, ItemsAreFoundByHowTheirIdBeginsAndThoseAddedToo) {
  auto found = answer("/v1/items:find", R"({"search": "I", "limit": 4, "attributes": ["year"]})");
  EXPECT_EQ(found.at("items"), (Names{"i0", "i1", "i2", "i3"}));
  EXPECT_EQ(found.at("counts"), (std::vector<int>{3, 3, 3, 3}));
  EXPECT_EQ(found.at("attributes")[2], (Json{{"year", 1992}}));
  EXPECT_EQ(answer("/v1/items:find", R"({"search": "i7"})").at("items"), Names{"i7"});
  EXPECT_EQ(answer("/v1/items:find", "{}").at("items").size(), 10u);
  EXPECT_EQ(answer("/v1/items:find", R"({"items": ["i9", "nothing", "i1"]})").at("items"), (Names{"i9", "i1"}));

  answer("/v1/items:upsert", R"({"items": [{"item": "i10"}, {"item": "i3", "attributes": {"year": 5}}]})");
  answer("/v1/items:delete", R"({"items": ["i0"]})");
  found = answer("/v1/items:find", R"({"search": "i", "attributes": ["year"]})");
  EXPECT_EQ(found.at("items"), (Names{"i1", "i2", "i4", "i5", "i6", "i7", "i8", "i9", "i10", "i3"}));
  EXPECT_EQ(found.at("attributes")[9], (Json{{"year", 5}}));
  EXPECT_EQ(found.at("counts")[9], 0);
}

TEST_F(PageCalls, UsersAreFoundWithTheirHistories) {
  auto found = answer("/v1/users:find", R"({"search": "b", "history": 1})");
  EXPECT_EQ(found.at("users"), Names{"bob"});
  EXPECT_EQ(found.at("seen"), std::vector<int>{2});
  EXPECT_EQ(found.at("histories"), std::vector<Names>{{"i6"}});
  found = answer("/v1/users:find", R"({"users": ["cat", "nobody", "ann"]})");
  EXPECT_EQ(found.at("users"), (Names{"cat", "ann"}));
  EXPECT_FALSE(found.contains("histories"));
  EXPECT_EQ(answer("/v1/users:find", "{}").at("users"), Names{"ann"}) << "who has seen enough to be an example";
}

TEST_F(PageCalls, ALookThatIsWronglyAskedForIsRefusedByName) {
  EXPECT_EQ(wrong("/v1/items:find", R"({"search": 1})"), "'search' is 1, expected a text");
  EXPECT_EQ(wrong("/v1/items:find", R"({"search": "i", "items": ["i1"]})"),
            "'items' replaces a search: leave 'search' out");
  EXPECT_EQ(wrong("/v1/items:find", R"({"limit": 1000})"), "'limit' is 1000, expected a whole number from 1 to 256");
  EXPECT_EQ(wrong("/v1/users:find", R"({"history": 0})"), "'history' is 0, expected a whole number from 1 to 1000");
}

TEST_F(PageCalls, TheCatalogueIsCutByPopularityAndMapped) {
  const auto catalogue = Json::parse(get("/v1/catalogue").body);
  EXPECT_EQ(catalogue.at("name"), "first");
  EXPECT_EQ(catalogue.at("compare"), true);
  EXPECT_EQ(catalogue.at("beside"), true) << "its former name";
  EXPECT_EQ(catalogue.at("popularity"),
            Json::parse(R"([{"bucket": "top 1%", "least_count": 3, "items": 10, "rows": 30}])"))
      << "all are equally popular, so they lie in one stretch";
  const auto& map = catalogue.at("map");
  EXPECT_EQ(map.at("items").size(), 10u);
  EXPECT_EQ(map.at("points").size(), 10u);
  EXPECT_EQ(map.at("centre").size(), 8u);
  EXPECT_EQ(map.at("axes")[1].size(), 8u);
}

TEST_F(PageCalls, TheComparedModelAnswersUnderItsPrefix) {
  const auto compared = Json::parse(get("/compare/v1/catalogue").body);
  EXPECT_EQ(compared.at("name"), "second");
  EXPECT_EQ(compared.at("items"), 7);
  EXPECT_EQ(compared.at("compare"), false);
  EXPECT_EQ(compared.at("beside"), false);
  EXPECT_EQ(answer("/compare/v1/retrieve", R"({"user": "ann"})").at("model"),
            second_->snapshots.current()->bundle().fingerprint());
  EXPECT_EQ(answer("/v1/retrieve", R"({"user": "ann"})").at("model"),
            first_->snapshots.current()->bundle().fingerprint());
  EXPECT_EQ(get("/compare/v1/nothing").status, 404);
  first_->handler.drain();
  EXPECT_EQ(get("/compare/readyz").status, 503);
}

TEST_F(PageCalls, TheFormerPrefixOfTheComparedModelStillWorksAndIsWarnedOfOnce) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Json::parse(get("/beside/v1/catalogue").body).at("name"), "second");
  EXPECT_EQ(answer("/beside/v1/retrieve", R"({"user": "ann"})"), answer("/compare/v1/retrieve", R"({"user": "ann"})"));
  const auto said = testing::internal::GetCapturedStderr();
  const auto first = said.find("'/beside/v1/catalogue': /beside");
  EXPECT_NE(first, said.npos) << said;
  EXPECT_NE(said.find("is called /compare now"), said.npos) << said;
  EXPECT_EQ(said.find("is called /compare now", said.find("is called /compare now") + 1), said.npos) << said;
}

TEST_F(PageCalls, AnExactSearchMayBeAskedForOfAnyIndex) {
  const std::string request = R"({"user": "bob", "k": 5)";
  EXPECT_EQ(answer("/v1/retrieve", request + R"(, "exact": true})"), answer("/v1/retrieve", request + "}"));
  EXPECT_EQ(wrong("/v1/retrieve", R"({"exact": 1})"), "'exact' is 1, expected true or false");
}

std::string field(const ApiResponse& reply, std::string_view name) {
  for (const auto& [key, value] : reply.fields)
    if (key == name) return value;
  return {};
}

std::string unzip(const std::string& zipped) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zipped.data()));
  stream.avail_in = static_cast<uInt>(zipped.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST_F(PageCalls, ThePagesFilesAreSentWholeZippedOrNotAtAllToWhoHasThem) {
  for (const std::string path : {"/", "/page.js", "/page.css"}) {
    const auto plain = get(path);
    ASSERT_EQ(plain.status, 200);
    EXPECT_GT(plain.body.size(), 500u) << path;
    EXPECT_NE(field(plain, "Content-Security-Policy").find("default-src 'none'"), std::string::npos);
    ApiRequest call{.method = "GET", .path = path, .key = {}, .body = {}, .takes_gzip = true};
    const auto zipped = send(call);
    EXPECT_EQ(field(zipped, "Content-Encoding"), "gzip");
    EXPECT_LT(zipped.body.size(), plain.body.size());
    EXPECT_EQ(unzip(zipped.body), plain.body) << path;
    call.if_none_match = field(plain, "ETag");
    const auto known = send(call);
    EXPECT_EQ(known.status, 304);
    EXPECT_EQ(known.body, "");
  }
  EXPECT_NE(find_page_file("/page.js")->tag, find_page_file("/page.css")->tag);
}

TEST_F(PageCalls, WithoutTheUiThereIsNeitherThePageNorAListOfUsers) {
  options_.ui = false;
  start();
  for (const std::string path : {"/", "/page.js", "/v1/catalogue"}) {
    const auto reply = get(path);
    EXPECT_EQ(reply.status, 404);
    EXPECT_NE(reply.body.find("started with --ui"), std::string::npos) << reply.body;
  }
  EXPECT_EQ(send({.method = "POST", .path = "/v1/users:find", .key = {}, .body = "{}"}).status, 404);
}

TEST_F(PageCalls, WithKeysThePageIsOpenAndItsCallsAreNot) {
  const auto file = folder_ + "/keys.txt";
  write_file(file, "8578df6c579d44d3bf7caeada69ed9cbca30b318a50a0e60216b46760edf5477 read shop\n");
  keys_ = Keys::from_file(file);
  start();
  EXPECT_EQ(get("/").status, 200);
  for (const std::string path : {"/v1/catalogue", "/compare/v1/catalogue"}) {
    EXPECT_EQ(get(path).status, 401);
    EXPECT_EQ(send({.method = "GET", .path = path, .key = "read-key", .body = {}}).status, 200);
  }
  for (const std::string path : {"/v1/items:find", "/v1/users:find"})
    EXPECT_EQ(send({.method = "POST", .path = path, .key = {}, .body = "{}"}).status, 401);
}

}  // namespace
}  // namespace pagoda::server
