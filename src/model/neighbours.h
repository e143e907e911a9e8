// Neighbours beside the towers: what a user's very history says of the items that go with it, which no vector of a few
// hundred numbers holds.
//
// With s_ij the similarity of item i to its neighbour j, and H the user's latest items:
//   n_j = max(0, sum_{i in H} s_ij)        score_j = <u, v_j> + weight n_j / (mean of the 20 largest n outside H)
// The scale makes users of long and of short histories alike: the weight says how many points of the towers' score the
// best neighbours are worth.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/option_visitor.h"
#include "core/section_file.h"
#include "index/index.h"
#include "model/nearest_items.h"

namespace pagoda::model {

enum class NeighbourKind : uint8_t { none, cosine, swing, automatic, ease };  // numbers stand in bundles

std::string_view name_of(NeighbourKind kind);

struct NeighbourOptions {
  NeighbourKind kind = NeighbourKind::none;
  int64_t count = 100;              // neighbours of an item
  std::optional<double> shrinkage;  // of the similarity; nothing: 10 for cosine, 1 for swing, ease: what is chosen
  int64_t history = 100;            // the user's latest items that count
  std::optional<double> weight;     // nothing: chosen on the validation part
};
void describe(OptionVisitor& fields, NeighbourOptions& options);
void validate(const NeighbourOptions& options);  // Error{usage}, with the key

// What was chosen; weight 0: towers alone.
struct NeighbourChoice {
  NeighbourKind kind = NeighbourKind::none;
  double weight = 0;
  double shrinkage = 0;
};

// Immutable. Thread-safe.
class Neighbours {
 public:
  Neighbours(math::Ragged<Neighbour> nearest, NeighbourChoice choice, size_t history);
  Neighbours(Neighbours&&) = default;
  Neighbours& operator=(Neighbours&&) = default;
  // Views of the sections; the file outlives it. nothing: the file has none. Error{failed}: they are not of `items`.
  static std::optional<Neighbours> load(const SectionFile& file, size_t items);
  // Of a file that may not hold whole neighbours; none: it has no section of that name.
  static NeighbourKind kind_in(const SectionFile& file);
  // Sections neighbours, neighbours/offsets, neighbours/of; with another weight, if one is given.
  void save(SectionWriter& out, std::optional<double> weight = {}) const;
  bool has_the_lists_of(const Neighbours& other) const;

  size_t items() const { return offsets_.size() - 1; }
  const NeighbourChoice& choice() const { return choice_; }
  double weight() const { return choice_.weight; }
  void set_weight(double weight) { choice_.weight = weight; }
  std::span<const Neighbour> of(uint32_t item) const {
    return nearest_.subspan(offsets_[item], offsets_[item + 1] - offsets_[item]);
  }
  // What they add to the scores of a user; history: rows of items, the latest last. At most kMost items get a boost,
  // those with the largest n. Appends one list to `boosts`.
  static constexpr size_t kMost = 2048;
  void add_boosts(std::span<const uint32_t> history, index::Boosts& boosts) const;
  index::Boosts boosts(ThreadPool& pool, const math::Ragged<uint32_t>& histories) const;

 private:
  Neighbours() = default;
  math::Ragged<Neighbour> own_;  // empty where it views a file
  std::span<const uint64_t> offsets_;
  std::span<const Neighbour> nearest_;
  NeighbourChoice choice_;
  size_t history_ = 0;
};

}  // namespace pagoda::model
