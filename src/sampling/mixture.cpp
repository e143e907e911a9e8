#include "sampling/mixture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/log.h"

namespace pagoda::sampling {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// log(e^a + e^b)
double log_add(double a, double b) {
  const double high = std::max(a, b), low = std::min(a, b);
  return high == -kInfinity ? high : high + std::log1p(std::exp(low - high));
}

}  // namespace

Mixture::Mixture(const std::vector<NegativesOptions>& options, const SamplingContext& context, CorrectBy correct_by)
    : context_(context), correct_by_(correct_by) {
  if (options.empty())
    fail(ErrorKind::usage, "sampling.negatives: no source of negatives; add one, such as source = \"in_batch\"");
  std::set<std::pair<std::string, Mining>> seen;
  for (const auto& o : options) {
    auto source = make_negative_source(o, context);
    if (!seen.insert({o.source, o.mining}).second)
      fail(ErrorKind::usage, "sampling.negatives: source '{}' is named twice; name it once, with the counts added up",
           o.source);
    if (o.source == "catalogue") {
      catalogue_ = true;
      if (o.power.value_or(0) != 0) log_multiplicity_ = catalogue_log_multiplicity(*o.power, context);
    } else if (o.count > context.catalogue_items && !source->memory() && !source->per_row()) {
      log_warning(
          "sampling.negatives: source '{}' draws {} columns of {} items; source = \"catalogue\" has every item "
          "once, for less",
          o.source, o.count, context.catalogue_items);
    }
    if (o.source == "mined" && o.mining == Mining::online) mined_online_ = source.get();
    per_row_ |= source->per_row();
    // The batch's positives are the first columns, wherever the config names them.
    const bool first = o.source == "in_batch";
    in_batch_ |= first;
    sources_.insert(first ? sources_.begin() : sources_.end(), std::move(source));
  }
  if (catalogue_ && sources_.size() > 1)
    fail(ErrorKind::usage,
         "sampling.negatives: source 'catalogue' already has every item as a column; remove it or the other sources");
  if (std::ranges::none_of(options, draws_any_item))
    fail(ErrorKind::usage,
         "sampling.negatives: source '{}' does not draw every item all through training, so positives have no expected "
         "count; add source = \"in_batch\", \"uniform\" or \"popularity\" beside it",
         options[0].source);
  check(!per_row_ || context.user_items != nullptr, "sources of per-row columns know each user's positives");
}

int64_t Mixture::hardest(const SamplingStep& step) const {
  return mined_online_ ? static_cast<int64_t>(mined_online_->draws(step)) : 0;
}

void Mixture::draw(const SamplingStep& step, Columns& columns) const {
  auto& items = columns.items;
  items.clear();
  if (!catalogue_) items.assign(step.positives.begin(), step.positives.end());
  const bool remembers =
      std::ranges::any_of(sources_, [&](const auto& s) { return s->memory() && s->draws(step) > 0; });
  columns.first_negative = catalogue_ || (in_batch_ && !remembers) ? 0 : items.size();
  columns.memory_begin = columns.memory_end = 0;
  columns.source.assign(items.size(), 0);
  for (size_t k = 0; k < sources_.size(); ++k) {
    const auto& source = sources_[k];
    if (remembers && in_batch_ && source == sources_[0])
      items.insert(items.end(), step.positives.begin(), step.positives.end());
    const size_t before = items.size();
    source->draw(step, items);
    if (source->memory()) {
      columns.memory_begin = before;
      columns.memory_end = items.size();
    }
    columns.source.resize(items.size(), static_cast<uint8_t>(k));
  }
  columns.shared = items.size();
  columns.drawn = static_cast<double>(columns.shared - columns.first_negative);
  columns.log_multiplicity = log_multiplicity_;
  columns.row_columns = {};
  columns.row_log_count.clear();
  if (per_row_) draw_rows(step, columns);
  count(step, columns);
  if (correct_by_ == CorrectBy::source) count_by_source(step, columns);
}

// Fills row_columns with items, then gives each distinct item a column.
void Mixture::draw_rows(const SamplingStep& step, Columns& columns) const {
  auto& row_items = columns.row_columns;
  std::vector<uint32_t> drawn;
  columns.row_source.clear();
  for (const auto& source : sources_)
    if (source->per_row()) columns.drawn += source->draws(step);
  for (size_t row = 0; row < step.users.size(); ++row) {
    const auto own = (*context_.user_items)[step.users[row]];
    for (size_t k = 0; k < sources_.size(); ++k) {
      drawn.clear();
      sources_[k]->draw_row(step, row, drawn);
      for (const uint32_t item : drawn) {
        if (std::ranges::binary_search(own, item)) continue;
        row_items.values.push_back(item);
        columns.row_source.push_back(static_cast<uint8_t>(k));
      }
    }
    row_items.close();
  }
  std::vector<uint32_t> distinct = row_items.values;
  std::ranges::sort(distinct);
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (uint32_t& item : row_items.values)
    item = static_cast<uint32_t>(columns.shared +
                                 static_cast<size_t>(std::ranges::lower_bound(distinct, item) - distinct.begin()));
  columns.items.insert(columns.items.end(), distinct.begin(), distinct.end());
}

void Mixture::count(const SamplingStep& step, Columns& columns) const {
  columns.log_count.assign(columns.items.size(), -kInfinity);
  const bool remembers = columns.memory_end > columns.memory_begin;
  std::vector<double> live(remembers ? columns.items.size() : 0, -kInfinity);  // log lambda without the memory's part
  for (const auto& source : sources_) {
    if (!source->has_known_density()) continue;
    const double log_draws = std::log(source->draws(step));  // -infinity for no draws
    if (log_draws == -kInfinity) continue;
    for (size_t j = 0; j < columns.items.size(); ++j) {
      // The items in the memory were drawn from the stream as it was then.
      const bool kept = source->uses_stored_density() && j >= columns.memory_begin && j < columns.memory_end;
      const double log_density =
          kept ? context_.memory->log_density()[j - columns.memory_begin] : source->log_density(columns.items[j]);
      columns.log_count[j] = log_add(columns.log_count[j], log_draws + log_density);
      if (remembers && !source->memory()) live[j] = log_add(live[j], log_draws + log_density);
    }
  }
  columns.gradient_scale.assign(live.size(), 1.0f);
  for (size_t j = columns.first_negative; j < live.size(); ++j)
    if (live[j] > -kInfinity) columns.gradient_scale[j] = static_cast<float>(std::exp(columns.log_count[j] - live[j]));
  columns.row_log_count.assign(columns.row_columns.values.size(), 0.0);
  for (size_t k = 0; k < columns.row_log_count.size(); ++k)
    if (sources_[columns.row_source[k]]->has_known_density())
      columns.row_log_count[k] = columns.log_count[columns.row_columns.values[k]];
  // A column that only uncorrected sources brought may hold an item with no density; nothing reads its count.
  for (size_t j = columns.shared; j < columns.items.size(); ++j)
    if (columns.log_count[j] == -kInfinity) columns.log_count[j] = 0;
}

// Positives without an in_batch source keep the mixture's count, since no source drew them.
void Mixture::count_by_source(const SamplingStep& step, Columns& columns) const {
  const auto log_count = [&](size_t k, size_t j) {
    const double log_density = sources_[k]->memory() ? context_.memory->log_density()[j - columns.memory_begin]
                                                     : sources_[k]->log_density(columns.items[j]);
    return std::log(sources_[k]->draws(step)) + log_density;
  };
  for (size_t j = in_batch_ ? 0 : columns.first_negative; j < columns.shared; ++j)
    columns.log_count[j] = log_count(columns.source[j], j);
  for (size_t k = 0; k < columns.row_log_count.size(); ++k)
    if (sources_[columns.row_source[k]]->has_known_density())
      columns.row_log_count[k] = log_count(columns.row_source[k], columns.row_columns.values[k]);
}

void add_row_columns(const math::Ragged<uint32_t>& more, Columns& columns) {
  math::Ragged<uint32_t> rows;
  std::vector<double> log_count;
  const auto& before = columns.row_columns;
  for (size_t row = 0; row < more.size(); ++row) {
    if (row < before.size()) {
      const auto own = before[row];
      rows.values.insert(rows.values.end(), own.begin(), own.end());
      const auto from = columns.row_log_count.begin() + static_cast<ptrdiff_t>(before.offsets[row]);
      log_count.insert(log_count.end(), from, from + static_cast<ptrdiff_t>(own.size()));
    }
    rows.values.insert(rows.values.end(), more[row].begin(), more[row].end());
    rows.close();
    log_count.resize(rows.values.size(), 0.0);
  }
  columns.row_columns = std::move(rows);
  columns.row_log_count = std::move(log_count);
}

size_t memory_capacity(const std::vector<NegativesOptions>& options, size_t batch_rows) {
  constexpr size_t kOwnBatches = 8;
  for (const auto& o : options)
    if (o.source == "cross_batch") return o.count > 0 ? static_cast<size_t>(o.count) : kOwnBatches * batch_rows;
  return 0;
}

const NegativesOptions* offline_mining(const std::vector<NegativesOptions>& options) {
  for (const auto& o : options)
    if (o.source == "mined" && o.mining == Mining::offline) return &o;
  return nullptr;
}

}  // namespace pagoda::sampling
