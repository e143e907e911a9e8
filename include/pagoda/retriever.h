// Candidates from a bundle, the file that `pagoda train`, `pagoda index` or pagoda::train_model() writes.
#pragma once

#include <pagoda/candidates.h>
#include <pagoda/error.h>
#include <pagoda/export.h>
#include <pagoda/vectors.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pagoda {

// A column of the user or the item table and what one row holds there: one value, or all elements of a list.
struct Feature {
  std::string name{};
  std::vector<std::string> values{};  // texts or numbers as they are written: "DE", "1994"
  bool is_list = false;               // the column holds lists
};

// Whose candidates you ask for. Everything may be missing: then it is a stranger, who gets what a stranger would.
struct Request {
  std::optional<std::string> user{};                  // an id; an unknown one is no error
  std::optional<std::vector<std::string>> history{};  // item ids, the latest last; takes the place of the known history
  std::vector<std::string> recent{};  // item ids since then, the latest last; come after the history, known or given
  // Kinds of events and their items, the latest last: after what is known of the user, or, with a history, in its place.
  std::vector<std::pair<std::string, std::vector<std::string>>> events{};
  std::vector<std::pair<std::string, std::string>> context{};  // name and value: {"device", "phone"}
  std::vector<Feature> features{};  // columns of the user table, for users that the bundle lacks
  std::optional<std::int64_t>
      time_us{};  // of the request, microseconds since 1970 UTC; the bundle's latest time otherwise
  std::vector<std::string> exclude{};  // item ids that do not come back; unknown ones exclude nothing
};

// At most `most` items of one value of an attribute, such as of one author.
struct Quota {
  std::string attribute{};
  std::uint32_t most = 1;
};

// What holds for all requests of a call.
struct RetrieveOptions {
  std::size_t k = 1000;                // candidates a request, at least 1
  std::string filter{};                // "year >= 1990 and genre = 'drama'"; "": every item
  bool exclude_seen = true;            // items of the history and of `recent` do not come back
  std::vector<std::string> exclude{};  // as in Request, for all of them
  float min_score = -std::numeric_limits<float>::infinity();
  std::optional<Quota> quota{};
  double recall = 0;  // wanted of a partitioned index, up to 1, which is exact; 0: what the index was built for
};

// An item that is added to the catalogue, replaces the one of its id, or is deleted.
struct ItemChange {
  std::string item{};
  std::vector<Feature> attributes{};  // its whole row of the item table; a column that is not named is null
  bool deleted = false;
};

struct RetrieverOptions {
  int threads = 0;       // of one call, the caller's included; 0: one a CPU
  bool journal = false;  // lay the changes of FILE.items, which `pagoda serve` writes, over the bundle, as of now
};

// A loaded bundle.
//
// Thread-safety: every const function may be called by any number of threads at once. One call at a time uses the
// threads of the options; a call that finds them busy works on its caller's thread alone, with the same result.
// Ownership: results own what they hold. Copies of a Retriever share one bundle, whose file stays mapped until the last
// of them is gone; so replace the file by rename and do not write into it. To take up another bundle, open it as
// another Retriever and assign it where your readers look, under a lock of yours.
// Errors: Error{input} for what a request holds, {usage} for options and calls; field() says what is wrong, such as
// "requests[3].context" or "filter".
class PAGODA_EXPORT Retriever {
 public:
  // Verifies every checksum of the file. Error{input}: there is no such file; Error{failed}: it is damaged, no bundle,
  // or of a newer version.
  explicit Retriever(const std::string& path, const RetrieverOptions& options = {});

  // One list a request, in their order. Answers many requests of one call faster than each alone.
  // Error{input}: a context or feature that the model does not read; Error{usage}: k = 0, a recall beyond [0, 1], a
  // filter that does not parse or names no attribute, a quota over no attribute, or a bundle of vectors without towers.
  std::vector<Candidates> retrieve(std::span<const Request> requests, const RetrieveOptions& options = {}) const;
  Candidates retrieve(const Request& request, const RetrieveOptions& options = {}) const;

  // For query vectors [Q, dim()], a list each; exclude_seen means nothing. Error{input}: another number of components,
  // or one that is not finite.
  std::vector<Candidates> search(VectorsView queries, const RetrieveOptions& options = {}) const;

  // The items most like each of the given ones, by the inner product of their vectors, without itself.
  // Error{input}: an id that the catalogue lacks.
  std::vector<Candidates> similar(std::span<const std::string> items, std::size_t k = 20) const;

  // The towers' vectors: of users, [requests, dim()]; of items by id and attributes, known or new, [items, dim()].
  // Error{usage}: a bundle of vectors without towers.
  Vectors encode_users(std::span<const Request> requests) const;
  Vectors encode_items(std::span<const ItemChange> items) const;

  // The same bundle with the changes made in their order, in memory alone: neither this Retriever nor the file changes.
  // It knows the changes made before. Costs as much as there are changes in all; encodes each added item once.
  // Error{usage}: a bundle of vectors without towers; Error{input}: an empty id.
  Retriever with_changes(std::span<const ItemChange> changes) const;

  bool knows_user(std::string_view user) const;
  bool has_item(std::string_view item) const;  // and it was not deleted
  bool has_towers() const noexcept;            // false: it was made of vectors, and knows no users
  std::size_t items() const;                   // that can come back
  std::size_t dim() const noexcept;            // components of a vector
  std::string_view fingerprint()
      const noexcept;  // of the bundle, 16 hexadecimal digits; the same training, the same one

 private:
  class Impl;
  explicit Retriever(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace pagoda
