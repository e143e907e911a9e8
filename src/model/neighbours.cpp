#include "model/neighbours.h"

#include <algorithm>
#include <cmath>

#include "core/bytes.h"
#include "core/error.h"

namespace pagoda::model {

namespace {

constexpr size_t kTop = 20;  // whose mean is the scale

// Sums by item: an open table, so that its size goes by the history and not by the catalogue.
class SparseSums {
 public:
  explicit SparseSums(size_t most) {
    size_t size = 64;
    while (size < 2 * most) size *= 2;
    table_.assign(size, {kFree, 0});
  }
  void add(uint32_t item, float amount) {
    const size_t mask = table_.size() - 1;
    size_t at = item * size_t{0x9E3779B97F4A7C15} >> 20 & mask;
    while (table_[at].item != item && table_[at].item != kFree) at = (at + 1) & mask;
    table_[at].item = item;
    table_[at].similarity += amount;
  }
  std::vector<Neighbour> take() && {
    std::erase_if(table_, [](const Neighbour& n) { return n.item == kFree; });
    return std::move(table_);
  }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;  // no row
  std::vector<Neighbour> table_;
};

}  // namespace

std::string_view name_of(NeighbourKind kind) {
  switch (kind) {
    case NeighbourKind::cosine: return "cosine";
    case NeighbourKind::swing: return "swing";
    case NeighbourKind::ease: return "ease";
    case NeighbourKind::automatic: return "auto";
    case NeighbourKind::none: break;
  }
  return "none";
}

void describe(OptionVisitor& f, NeighbourOptions& o) {
  f.choice("kind", o.kind,
           {{"none", NeighbourKind::none},
            {"cosine", NeighbourKind::cosine},
            {"swing", NeighbourKind::swing},
            {"ease", NeighbourKind::ease},
            {"auto", NeighbourKind::automatic}},
           "none: the towers rank alone; cosine: of the users that two items have in common; swing: of pairs of such "
           "users, the more the less else they share; ease: of a regression of each item on all others; auto: the best "
           "of the three on validation");
  f.field("count", o.count, "neighbours of an item");
  f.number_or("shrinkage", o.shrinkage, "auto",
              "few users in common count less: added to the denominator of the similarity; with ease added to the "
              "diagonal, in units of the mean number of users of an item; \"auto\": 10 for cosine, 1 for swing, for "
              "ease what is best on validation");
  f.field("history", o.history, "a user's latest items whose neighbours count");
  f.number_or("weight", o.weight, "auto",
              "points of the towers' score that the best neighbours are worth; \"auto\": what is best on validation");
}

void validate(const NeighbourOptions& o) {
  if (o.count < 1) fail(ErrorKind::usage, "neighbours.count = {} must be at least 1", o.count);
  if (o.history < 1) fail(ErrorKind::usage, "neighbours.history = {} must be at least 1", o.history);
  if (o.shrinkage && !(*o.shrinkage >= 0 && std::isfinite(*o.shrinkage)))
    fail(ErrorKind::usage, "neighbours.shrinkage is {}, expected 0 or more, or \"auto\"", *o.shrinkage);
  constexpr double kLeast = 1e-3;  // of the mean number of users of an item, which floats add to it without loss
  const bool ease = o.kind == NeighbourKind::ease || o.kind == NeighbourKind::automatic;
  if (ease && o.shrinkage && *o.shrinkage < kLeast)
    fail(ErrorKind::usage,
         "neighbours.shrinkage is {}, but kind = \"{}\" needs {} or more: the regression has no answer else",
         *o.shrinkage, name_of(o.kind), kLeast);
  if (o.weight && !(*o.weight >= 0 && std::isfinite(*o.weight)))
    fail(ErrorKind::usage, "neighbours.weight is {}, expected 0 or more, or \"auto\"", *o.weight);
}

Neighbours::Neighbours(math::Ragged<Neighbour> nearest, NeighbourChoice choice, size_t history)
    : own_(std::move(nearest)), offsets_(own_.offsets), nearest_(own_.values), choice_(choice), history_(history) {}

void Neighbours::add_boosts(std::span<const uint32_t> history, index::Boosts& boosts) const {
  const auto latest = latest_items(history, history_);
  size_t most = 0;
  for (const uint32_t item : latest) most += of(item).size();
  SparseSums sums(most);
  for (const uint32_t item : latest)
    for (const auto& [near, similarity] : of(item)) sums.add(near, similarity);
  auto found = std::move(sums).take();
  std::erase_if(found, [](const Neighbour& n) { return n.similarity <= 0; });
  const size_t kept = std::min(found.size(), kMost);
  std::ranges::nth_element(found, found.begin() + static_cast<std::ptrdiff_t>(kept), is_nearer);
  found.resize(kept);
  std::vector<float> outside;
  for (const auto& one : found)
    if (!std::ranges::binary_search(latest, one.item)) outside.push_back(one.similarity);
  const size_t top = std::min(outside.size(), kTop);
  std::ranges::partial_sort(outside, outside.begin() + static_cast<std::ptrdiff_t>(top), std::ranges::greater());
  double scale = 0;
  for (size_t i = 0; i < top; ++i) scale += outside[i];
  scale /= static_cast<double>(std::max<size_t>(1, top));
  if (scale > 0) {
    std::ranges::sort(found, {}, &Neighbour::item);
    for (const auto& [item, sum] : found) {
      boosts.rows.values.push_back(item);
      boosts.amounts.push_back(static_cast<float>(weight() * sum / scale));
    }
  }
  boosts.rows.close();
}

index::Boosts Neighbours::boosts(ThreadPool& pool, const math::Ragged<uint32_t>& histories) const {
  constexpr size_t kUsers = 64;  // of a task
  std::vector<index::Boosts> parts((histories.size() + kUsers - 1) / kUsers);
  pool.run(parts.size(), [&](size_t task) {
    for (size_t user = task * kUsers; user < std::min(histories.size(), (task + 1) * kUsers); ++user)
      add_boosts(histories[user], parts[task]);
  });
  index::Boosts all;
  for (const auto& part : parts) {
    for (size_t user = 0; user < part.rows.size(); ++user) all.rows.push(part.rows[user]);
    all.amounts.insert(all.amounts.end(), part.amounts.begin(), part.amounts.end());
  }
  return all;
}

bool Neighbours::has_the_lists_of(const Neighbours& other) const {
  return history_ == other.history_ && std::ranges::equal(offsets_, other.offsets_) &&
         std::ranges::equal(nearest_, other.nearest_);
}

void Neighbours::save(SectionWriter& out, std::optional<double> weight) const {
  ByteWriter head;
  head.value(weight.value_or(choice_.weight));
  head.value<uint64_t>(history_);
  head.value(choice_.kind);
  head.value(choice_.shrinkage);
  out.section("neighbours", head.bytes());
  out.section("neighbours/offsets", std::as_bytes(offsets_));
  out.section("neighbours/of", std::as_bytes(nearest_));
}

NeighbourKind Neighbours::kind_in(const SectionFile& file) {
  if (!file.has("neighbours")) return NeighbourKind::none;
  ByteReader head(file.bytes("neighbours"), file.path() + ": section 'neighbours'");
  head.value<double>();
  head.value<uint64_t>();
  return head.value<NeighbourKind>();
}

std::optional<Neighbours> Neighbours::load(const SectionFile& file, size_t items) {
  if (!file.has("neighbours")) return std::nullopt;
  ByteReader head(file.bytes("neighbours"), file.path() + ": section 'neighbours'");
  Neighbours out;
  out.choice_.weight = head.value<double>();
  out.history_ = head.value<uint64_t>();
  out.choice_.kind = head.value<NeighbourKind>();
  if (!head.at_end()) out.choice_.shrinkage = head.value<double>();  // none in 0.2
  const auto offsets = file.bytes("neighbours/offsets"), of = file.bytes("neighbours/of");
  out.offsets_ = {reinterpret_cast<const uint64_t*>(offsets.data()), offsets.size() / sizeof(uint64_t)};
  out.nearest_ = {reinterpret_cast<const Neighbour*>(of.data()), of.size() / sizeof(Neighbour)};
  const auto kind = out.choice_.kind;
  const bool signed_sums = kind == NeighbourKind::ease;
  const bool is_chosen = signed_sums || kind == NeighbourKind::cosine || kind == NeighbourKind::swing;
  const bool whole = is_chosen && out.weight() >= 0 && std::isfinite(out.weight()) && out.history_ > 0 &&
                     out.offsets_.size() == items + 1 && out.offsets_.front() == 0 &&
                     out.offsets_.back() == out.nearest_.size() && std::ranges::is_sorted(out.offsets_) &&
                     std::ranges::all_of(out.nearest_, [&](const Neighbour& n) {
                       return n.item < items && (signed_sums || n.similarity >= 0) && std::isfinite(n.similarity);
                     });
  if (!whole)
    fail(ErrorKind::failed, "{}: section 'neighbours' does not hold the neighbours of {} items", file.path(), items);
  return out;
}

}  // namespace pagoda::model
