// A synthetic world: users with tastes, a catalogue with titles and attributes, a recommender that decides what users
// see, the log of what they clicked, and the truth about what they would have liked.
//
//   taste     u, v in R^12 of length 1, near the centres of the topics that a user likes or an item is about
//   relevance P(u clicks v | sees it, on device d) = sigmoid(9 <u, v> + quality_v + c_d length_v - 5.5)
//   exposure  a user scrolls through items that the logging recommender shows, drawn by an exposure weight
//             (rank + 4)^-skew that knows quality only in part: half of them from two of the user's three topics, the
//             others from the whole catalogue, some from what is new; a share of the catalogue is never shown. The user
//             clicks at most one, clicks an item once in a lifetime, and gives up after 24.
//
// So clicks are relevance times exposure: popularity is about 80/20, and some of what a user would like best was never
// shown to anyone. A user's third topic reaches the log only through popularity.
//
// Files, in `folder`, with the extension of the format (times are UTC; ids are texts, "u17", "i4"):
//   interactions  user_id, item_id, ts, device, watched (share of the item that was watched: a reward, above 0);
//                 in order of ts. With `events` a column `event` besides: "like" for the clicks, and rows of "view" and
//                 "dislike" (both without a share watched) for some of what was shown and not clicked: viewed with
//                 sigmoid(x + 2), disliked with sigmoid(-x - 7) / 5, x the logit of relevance
//   items         item_id, title, genres (list), author, minutes, rating (some null), released; in order of release
//   users         user_id, age_group, country, interests (list, noisy, some empty), joined
//   truth         user_id, item_id, rank (from 1), probability, shown (to anyone, ever), clicked (by anyone): the most
//                 relevant items of a user, of all items, on the user's usual device
//   exposure      item_id, impressions, clicks, withheld (never shown by the recommender)
//   impressions   user_id, item_id, ts: the requested share of what was shown and not clicked; not written for 0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_visitor.h"
#include "core/thread_pool.h"

namespace pagoda::simulate {

struct WorldOptions {
  int64_t interactions = 100000;
  int64_t users = 0;  // 0: one user for every 30 interactions
  int64_t items = 0;  // 0: 20 sqrt(interactions)
  int64_t days = 90;
  int64_t seed = 1;
  std::string format = "parquet";  // an extension that open_writer knows: parquet, csv, tsv, jsonl, csv.gz
  double skew = 1.2;               // exponent of the exposure weight
  double withheld = 0.1;           // share of the catalogue that the recommender never shows
  double new_items = 0.3;          // share of the catalogue that is released during the log
  double impressions = 0;          // share of what was shown and not clicked that is written
  bool events = false;             // views and dislikes among the interactions; the clicks are the same without them
  int64_t truth_users = 10000;     // users with a truth, evenly picked; all if there are fewer
  int64_t truth_items = 100;       // most relevant items of each
};

void describe(OptionVisitor& visitor, WorldOptions& options);

// The options with users and items filled in. Error{usage}: a number out of range, or more interactions than the users
// and items allow (each user clicks an item once, and on average at most 150 items or a quarter of the catalogue).
WorldOptions resolved(WorldOptions options);

struct WorldSummary {
  std::string interactions, items, users, truth, exposure, shown;  // paths; shown: the impressions
  uint64_t views = 0, dislikes = 0;
  uint64_t n_interactions = 0, n_items = 0, n_users = 0, impressions = 0;
  double top_fifth_share = 0;  // of the clicks, on the most clicked fifth of the items
  uint64_t items_never_shown = 0, items_never_clicked = 0;
  uint64_t truth_rows = 0;
  double truth_never_shown_share = 0;  // of the truth's rows
};

// Writes the world. The same options give the same bytes. Memory: O(users + items) for any number of interactions
// (about 100 bytes per user and 150 per item). The pool ranks the truth; the log itself is one sequential random
// stream.
WorldSummary simulate_world(ThreadPool& pool, const WorldOptions& options, const std::string& folder);

}  // namespace pagoda::simulate
