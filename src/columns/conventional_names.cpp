#include "columns/conventional_names.h"

#include <algorithm>
#include <cctype>

namespace pagoda::columns {

const Names kUserNames = {"user_id",   "user",        "userid",     "uid",       "visitor_id", "visitor",
                          "visitorid", "customer_id", "customer",   "member_id", "member",     "session_id",
                          "session",   "profile_id",  "account_id", "player_id", "reader_id",  "listener_id",
                          "viewer_id", "device_id",   "person_id",  "uuid",      "username",   "reviewer_id",
                          "source",    "source_id",   "query_id",   "author_id"};
const Names kItemNames = {"item_id",    "item",        "itemid",    "iid",        "product_id", "product",
                          "sku",        "asin",        "movie_id",  "movie",      "track_id",   "track",
                          "song_id",    "song",        "book_id",   "book",       "video_id",   "video",
                          "article_id", "article",     "news_id",   "post_id",    "ad_id",      "business_id",
                          "game_id",    "game",        "isbn",      "listing_id", "venue_id",   "location_id",
                          "poi_id",     "document_id", "doc_id",    "campaign",   "recipe_id",  "anime_id",
                          "artist_id",  "target",      "target_id", "content_id", "page_id"};
const Names kTimeNames = {"timestamp",  "ts",       "time",       "date",      "datetime",
                          "event_time", "created",  "created_at", "when",      "event_timestamp",
                          "unix_time",  "unixtime", "clicked_at", "viewed_at", "occurred_at",
                          "at"};
const Names kTimeWords = {"timestamp", "ts", "time",     "date",      "datetime",
                          "created",   "at", "released", "published", "updated"};
const Names kWeightNames = {"weight", "rating",     "reward",     "score",     "stars",    "count",
                            "counts", "plays",      "play_count", "playcount", "strength", "confidence",
                            "dwell",  "dwell_time", "watch_time", "views",     "clicks",   "listens"};
const Names kTitleNames = {"title",    "name",  "item_name",    "product_name", "product_title", "movie_title",
                           "headline", "label", "display_name", "track_name",   "book_title",    "article_title"};

std::string normalised_name(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool capital = std::isupper(c) && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1]));
    if (capital) out += '_';
    out += std::isalnum(c) ? static_cast<char>(std::tolower(c)) : '_';
  }
  return out;
}

bool is_one_of(std::string_view name, const Names& names) {
  const auto plain = normalised_name(name);
  return std::find(names.begin(), names.end(), plain) != names.end();
}

bool has_word_of(std::string_view name, const Names& names) {
  const auto plain = "_" + normalised_name(name) + "_";
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view word) { return plain.find("_" + std::string(word) + "_") != plain.npos; });
}

bool is_conventional_name(std::string_view name) {
  for (const auto* names : {&kUserNames, &kItemNames, &kTimeNames, &kWeightNames, &kTitleNames})
    if (is_one_of(name, *names)) return true;
  return has_word_of(name, {"id", "ids"});
}

}  // namespace pagoda::columns
