#include "sampling/negatives.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/suggest.h"

namespace pagoda {

namespace {

// log(e^a + e^b)
double log_add(double a, double b) {
  const double high = std::max(a, b), low = std::min(a, b);
  return high == -std::numeric_limits<double>::infinity() ? high : high + std::log1p(std::exp(low - high));
}

}  // namespace

void describe(Fields& fields, NegativesOptions& options) {
  fields.field(
      "source", options.source,
      "in_batch (free), uniform (beside it: pushes away what nobody clicked), catalogue (alone: every item, exact)");
  fields.field("count", options.count, "uniform: columns drawn a step; more is nearer to the full softmax, and slower");
  fields.field("power", options.power,
               "catalogue: weighs columns by popularity^this; above 0 pushes popular items down");
}

namespace {

// The one list of sources.
struct SourceKind {
  const char* name;
  std::unique_ptr<NegativeSource> (*make)(const NegativesOptions& options, const NegativeWorld& world);
};
using Options = NegativesOptions;
using World = NegativeWorld;
constexpr SourceKind kSources[] = {
    {"in_batch", [](const Options&, const World& world) { return make_in_batch(world); }},
    {"uniform", [](const Options& o, const World& world) { return make_uniform(o.count, world.catalogue_items); }},
    {"catalogue", [](const Options&, const World& world) { return make_catalogue(world.catalogue_items); }},
};

}  // namespace

std::vector<std::string> negative_source_names() {
  std::vector<std::string> names;
  for (const auto& kind : kSources) names.emplace_back(kind.name);
  return names;
}

std::unique_ptr<NegativeSource> make_negative_source(const NegativesOptions& options, const NegativeWorld& world) {
  if (options.count < 1)
    fail(ErrorKind::usage, "sampling.negatives: source '{}' has count = {}, expected 1 or more columns a step",
         options.source, options.count);
  for (const auto& kind : kSources)
    if (options.source == kind.name) return kind.make(options, world);
  const auto names = negative_source_names();
  fail(ErrorKind::usage, "sampling.negatives: unknown source '{}'{}", options.source,
       suggestion(options.source, names));
}

Mixture::Mixture(const std::vector<NegativesOptions>& options, const NegativeWorld& world) : world_(world) {
  if (options.empty())
    fail(ErrorKind::usage, "sampling.negatives: no source of negatives; add one, such as source = \"in_batch\"");
  std::set<std::string> seen;
  for (const auto& o : options) {
    auto source = make_negative_source(o, world);
    if (!seen.insert(o.source).second)
      fail(ErrorKind::usage, "sampling.negatives: source '{}' is named twice; name it once, with the counts added up",
           o.source);
    if (o.source == "catalogue") {
      catalogue_ = true;
      if (o.power != 0) log_multiplicity_ = catalogue_log_multiplicity(o.power, world);
    }
    // The batch's positives are the first columns, wherever the config names them.
    const bool first = o.source == "in_batch";
    in_batch_ |= first;
    sources_.insert(first ? sources_.begin() : sources_.end(), std::move(source));
  }
  if (catalogue_ && sources_.size() > 1)
    fail(ErrorKind::usage,
         "sampling.negatives: source 'catalogue' already has every item as a column; remove it or the other sources");
}

bool Mixture::is_catalogue() const { return catalogue_; }

void Mixture::draw(std::span<const uint32_t> positives, uint64_t seed, uint64_t step, Columns& columns) const {
  auto& items = columns.items;
  items.clear();
  if (!catalogue_) items.assign(positives.begin(), positives.end());
  const size_t own = items.size();
  for (const auto& source : sources_) source->draw(seed, step, items);
  columns.first_negative = catalogue_ || in_batch_ ? 0 : own;
  columns.drawn = static_cast<double>(items.size() - columns.first_negative);
  columns.log_multiplicity = log_multiplicity_;

  const bool by_example = in_batch_ && world_.frequency->clock() == FrequencyClock::example;
  const double shorter =
      by_example && own > 0 ? std::log(static_cast<double>(own) / static_cast<double>(world_.batch_rows)) : 0;
  columns.log_count.assign(items.size(), -std::numeric_limits<double>::infinity());
  for (size_t k = 0; k < sources_.size(); ++k) {
    const double offset = in_batch_ && k == 0 ? shorter : 0.0;
    for (size_t j = 0; j < items.size(); ++j)
      columns.log_count[j] = log_add(columns.log_count[j], sources_[k]->log_expected_count(items[j]) + offset);
  }
}

}  // namespace pagoda
