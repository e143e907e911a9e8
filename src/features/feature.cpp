#include "features/feature.h"

#include <algorithm>
#include <cmath>

#include "columns/decimal.h"
#include "columns/list_text.h"
#include "columns/time_form.h"
#include "columns/vector_cells.h"
#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "features/ngrams.h"
#include "features/saved.h"

namespace pagoda::features {

namespace {

constexpr uint32_t kDefaultTextBuckets = 65536, kDefaultBuckets = 16, kNumberBuckets = 32;
constexpr uint32_t kAgeBuckets = 64;  // of log2(1 + days), four per doubling: the last starts at 150 years
constexpr int64_t kDayUs = 86'400'000'000, kHourUs = 3'600'000'000;

// Whether its table has a row for each value.
bool has_values(FeatureKind kind) { return kind == FeatureKind::categorical || kind == FeatureKind::multi; }

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

double number_form(NumericForm form, double value) {
  return form == NumericForm::log ? std::copysign(std::log1p(std::abs(value)), value) : value;
}

// The number that a numeric feature reads from a cell. As in typed columns, the texts true and false are 1 and 0, and a
// text that is a time is its seconds since 1970.
std::optional<double> number_of(std::string_view text) {
  if (const auto number = columns::parse_number(text)) return number;
  const auto key = columns::value_key(text);
  if (!key || columns::Decimal::parse(*key)) return std::nullopt;
  if (*key == "true") return 1;
  if (*key == "false") return 0;
  return static_cast<double>(*columns::parse_time_us(*key)) * 1e-6;
}

std::optional<double> number_of(const columns::Column& column, size_t row) {
  const bool text = column.type == columns::ColumnType::text && !column.absent(row);
  return text ? number_of(column.text_of(row)) : column.as_number(row);
}

// Four times the fourth root of the number of values, in steps of 4: 8 for 16 values, 40 for 10,000.
size_t default_dim(size_t values) {
  const auto dim = 4 * static_cast<size_t>(std::ceil(std::pow(static_cast<double>(values), 0.25)));
  return std::clamp<size_t>(dim, 4, 64);
}

}  // namespace

bool Feature::is_dense() const {
  return is_vector() || (options_.kind == FeatureKind::numeric && options_.form != NumericForm::bucket);
}
bool Feature::depends_on_time() const { return options_.kind == FeatureKind::time; }

uint32_t Feature::rows() const {
  switch (options_.kind) {
    case FeatureKind::categorical:
    case FeatureKind::multi: return vocabulary_.rows();
    case FeatureKind::text: return text_buckets_;
    case FeatureKind::numeric: return is_dense() ? 0 : static_cast<uint32_t>(bounds_.size()) + 2;
    case FeatureKind::time:
      return options_.part == TimePart::hour ? 24 : options_.part == TimePart::weekday ? 7 : kAgeBuckets + 1;
    case FeatureKind::vector: return 0;
  }
  return 0;
}

uint32_t Feature::buckets() const { return has_values(options_.kind) ? vocabulary_.buckets() : 0; }

std::string Feature::name() const {
  if (options_.kind != FeatureKind::time) return options_.column;
  return options_.part == TimePart::hour      ? "hour"
         : options_.part == TimePart::weekday ? "weekday"
                                              : options_.column + ".age";
}

// Computes mean, deviation and quantiles over the numbers, each counted as often as it occurs in the data.
void Feature::fit_numbers(const columns::Column& column, std::span<const uint64_t> counts) {
  std::vector<std::pair<double, uint64_t>> numbers;
  for (size_t row = 0; row < column.rows(); ++row) {
    const auto times = counts.empty() ? 1 : counts[row];
    if (const auto v = number_of(column, row); v && times > 0)
      numbers.push_back({number_form(options_.form, *v), times});
  }
  if (numbers.empty())
    fail(ErrorKind::input, "column '{}' is declared numeric but holds no number; is it text or categorical?",
         options_.column);
  double sum = 0, squares = 0;
  uint64_t total = 0;
  for (const auto& [v, times] : numbers) {
    sum += v * static_cast<double>(times);
    total += times;
  }
  mean_ = sum / static_cast<double>(total);
  for (const auto& [v, times] : numbers) squares += (v - mean_) * (v - mean_) * static_cast<double>(times);
  deviation_ = std::sqrt(squares / static_cast<double>(total));
  if (options_.form == NumericForm::bucket) {
    std::sort(numbers.begin(), numbers.end());
    size_t at = 0;
    uint64_t before = 0;  // count of the numbers before numbers[at]
    for (uint32_t b = 1; b < kNumberBuckets; ++b) {
      const auto quantile = static_cast<uint64_t>(static_cast<unsigned __int128>(total) * b / kNumberBuckets);
      while (before + numbers[at].second <= quantile) before += numbers[at++].second;
      bounds_.push_back(numbers[at].first);
    }
    bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
  } else if (!std::isfinite(deviation_)) {
    fail(ErrorKind::input, "column '{}' holds numbers too large to standardise; set form = \"log\" or \"bucket\"",
         options_.column);
  }
  // A constant column carries no information: a deviation that is only rounding must not inflate it.
  if (!(deviation_ > 1e-9 * std::abs(mean_))) deviation_ = 1;
}

namespace {

// Warns of cells that are not empty but cannot be read as the feature needs.
template <class Reads>
void say_unread(const FeatureOptions& options, const columns::Column& column, const char* what, Reads reads) {
  uint64_t unread = 0;
  std::string example, scratch;
  for (size_t row = 0; row < column.rows(); ++row) {
    if (column.absent(row) || reads(row)) continue;
    if (unread++ == 0) example = column.as_text(row, scratch);
  }
  if (unread > 0)
    log_once(LogLevel::warning,
             fmt::format("column '{}': {} of {} cells are not a {}, such as '{}', and count as missing", options.column,
                         unread, column.rows(), what, printable(example)));
}

// Refuses dates such as 05/06/2024 in a column where no cell shows whether the day or the month comes first.
void refuse_open_dates(const FeatureOptions& options, const columns::Column& column) {
  for (size_t row = 0; row < column.rows(); ++row) {
    if (column.absent(row) || column.as_time_us(row)) continue;
    std::string scratch;
    if (const auto written = columns::parse_time(column, row);
        written && written->kind == columns::ParsedTime::Kind::date)
      fail(ErrorKind::input,
           "column '{}' has dates such as '{}', and none shows whether the day or the month comes first; set "
           "data.date_order = \"day_first\" or \"month_first\"",
           options.column, printable(column.as_text(row, scratch)));
  }
}

// Refuses vectors: nearly every number with a fraction would be a word of its own, and mean nothing.
void refuse_vectors(const FeatureOptions& options, const columns::Column& column) {
  constexpr size_t kEnough = 1000;
  if (options.kind != FeatureKind::multi && column.type != columns::ColumnType::texts) return;
  columns::VectorCells cells(options.separator.empty() ? '\0' : options.separator[0]);
  for (size_t row = 0; row < std::min(kEnough, column.rows()); ++row) cells.look(column, row);
  if (const size_t length = cells.length())
    fail(ErrorKind::input,
         "column '{}' holds vectors of {} numbers, and each number would be a word of its own; remove it from the "
         "features ('pagoda index --vectors' searches vectors as they are)",
         options.column, length);
}

}  // namespace

namespace {

// The distinct values of a categorical or multi column, in order of first occurrence, with their counts.
struct CountedValues {
  columns::Interner values;
  std::vector<uint64_t> counts;
};

CountedValues values_of(const FeatureOptions& options, const columns::Column* column,
                        std::span<const uint64_t> counts) {
  CountedValues seen;
  std::string key, scratch;
  const auto observe = [&](std::string_view word, uint64_t times) {
    const auto i = seen.values.add(columns::canonical_text(word, key));
    if (i == seen.counts.size()) seen.counts.push_back(0);
    seen.counts[i] += times;
  };
  const char separator = options.separator.empty() ? '\0' : options.separator[0];
  for (size_t row = 0; column && row < column->rows(); ++row) {
    const uint64_t times = counts.empty() ? 1 : counts[row];
    if (times == 0) continue;
    if (options.kind == FeatureKind::multi)
      columns::for_each_listed(*column, row, separator, [&](std::string_view word) { observe(word, times); });
    else if (const auto word = column->as_text(row, scratch); !word.empty())
      observe(word, times);
  }
  return seen;
}

}  // namespace

Feature Feature::fit(const FeatureOptions& options, const columns::Column* column, std::span<const uint64_t> counts) {
  Feature f;
  f.options_ = options;
  if (column) refuse_vectors(options, *column);
  const size_t n = column ? column->rows() : 0;
  size_t values = 0;
  if (has_values(options.kind)) {
    const auto seen = values_of(options, column, counts);
    const auto buckets = options.hash_buckets > 0 ? static_cast<uint32_t>(options.hash_buckets) : kDefaultBuckets;
    f.vocabulary_ = Vocabulary::build(seen.values, seen.counts, static_cast<uint64_t>(options.min_count), buckets,
                                      Spelling::canonical);
    values = f.vocabulary_.words();
  } else if (options.kind == FeatureKind::text) {
    f.text_buckets_ = options.hash_buckets > 0 ? static_cast<uint32_t>(options.hash_buckets) : kDefaultTextBuckets;
    values = 1 << 20;  // the widest default
  } else if (options.kind == FeatureKind::numeric) {
    check(column != nullptr, "a numeric feature has a column");
    f.fit_numbers(*column, counts);
    say_unread(options, *column, "number", [&](size_t row) { return number_of(*column, row).has_value(); });
    values = f.bounds_.size() + 2;
  } else {
    if (options.part == TimePart::age) {
      check(column != nullptr, "the age of an item has a column");
      refuse_open_dates(options, *column);
      bool any = false;
      for (size_t row = 0; row < n && !any; ++row) any = column->as_time_us(row).has_value();
      if (!any) fail(ErrorKind::input, "column '{}' is declared a time but holds none", options.column);
      say_unread(options, *column, "time", [&](size_t row) { return column->as_time_us(row).has_value(); });
    }
    values = f.rows();
  }
  f.dim_ = f.is_dense() ? 1 : options.dim > 0 ? static_cast<size_t>(options.dim) : default_dim(values);
  return f;
}

Feature Feature::fit_vectors(const FeatureOptions& options, const columns::VectorColumn& column) {
  const size_t vectors = column.rows() - column.missing(), width = column.width();
  if (vectors == 0) fail(ErrorKind::input, "column '{}' is declared a vector but holds none", options.column);
  if (width > static_cast<size_t>(kMaxVector))
    fail(ErrorKind::input, "column '{}' has vectors of {} components, and at most {} can be read", options.column,
         width, kMaxVector);
  Feature f;
  f.options_ = options;
  f.dim_ = width;
  // Of a large table a part tells the mean well enough.
  constexpr size_t kEnough = 100'000;
  const size_t every = std::max<size_t>(1, vectors / kEnough);
  std::vector<float> vector(width);
  std::vector<double> sum(width);
  double squares = 0;
  size_t seen = 0, read = 0;
  for (size_t row = 0; row < column.rows(); ++row) {
    if (!column.has(row) || seen++ % every != 0) continue;
    column.read(row, vector.data());
    for (size_t c = 0; c < width; ++c) {
      sum[c] += vector[c];
      squares += double{vector[c]} * vector[c];
    }
    ++read;
  }
  const double n = static_cast<double>(read);
  double centre_squares = 0;
  for (const double s : sum) {
    f.centre_.push_back(static_cast<float>(s / n));
    centre_squares += (s / n) * (s / n);
  }
  // The mean square of the difference from the mean; rounding may leave less than nothing of it.
  const double rest = std::max(0.0, squares / n - centre_squares);
  f.deviation_ = rest > 1e-12 * squares / n && rest > 0 ? std::sqrt(rest) : 1.0;
  return f;
}

std::shared_ptr<const columns::VectorColumn> Feature::vectors_of(const data::Attributes* table) const {
  if (auto vectors = table ? table->find_vectors(options_.column) : nullptr) {
    if (vectors->width() != dim_)
      fail(ErrorKind::input, "the vectors of '{}' have {} components, those that the model learnt from have {}",
           options_.column, vectors->width(), dim_);
    return vectors;
  }
  const auto* cells = table ? table->find(options_.column) : nullptr;
  columns::VectorRows rows(options_.column);
  rows.set_width(dim_);
  for (size_t row = 0; cells && row < cells->rows(); ++row) rows.push(*cells, row);
  return rows.finish();
}

void Feature::read_vector(const EncodedColumns& cells, uint32_t cell, float* out) const {
  const uint32_t row = cell == columns::Interner::kNone || cells.vector_rows.empty() ? columns::Interner::kNone
                                                                                     : cells.vector_rows[cell];
  if (row == columns::Interner::kNone || !cells.vectors->has(row)) {
    std::fill_n(out, dim_, 0.f);
    return;
  }
  cells.vectors->read(row, out);
  const auto scale = static_cast<float>(1 / deviation_);
  for (size_t c = 0; c < dim_; ++c) out[c] = (out[c] - centre_[c]) * scale;
}

Feature Feature::extended(const FeatureOptions& options, const columns::Column* column,
                          std::span<const uint64_t> counts) const {
  Feature f = *this;
  if (!has_values(options_.kind) || !column) return f;
  const auto seen = values_of(options_, column, counts);
  f.vocabulary_ = vocabulary_.extended(seen.values, seen.counts, static_cast<uint64_t>(options.min_count));
  return f;
}

RowMove Feature::move_from(const Feature& before) const {
  if (has_values(options_.kind)) return vocabulary_.move_from(before.vocabulary_);
  return {.words_before = before.rows(), .words_now = rows(), .buckets = 0, .renewed = {}};
}

void Feature::encode_number(double value, bool present, EncodedColumns& out) const {
  if (is_dense()) {
    // Clipping at five deviations bounds the effect of one odd price on a layer.
    const double z = (number_form(options_.form, value) - mean_) / deviation_;
    out.numbers.push_back(present ? static_cast<float>(std::clamp(z, -5.0, 5.0)) : 0.f);
    return;
  }
  const auto bucket = std::upper_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  out.bag.add(present ? static_cast<uint32_t>(bucket) : rows() - 1, 1.f);
  out.bag.close();
}

void Feature::encode_words(std::string_view text, EncodedColumns& out) const {
  std::vector<uint32_t> grams;
  hash_ngrams(text, options_.trigrams, static_cast<int>(options_.word_ngrams), text_buckets_, grams);
  // 1/sqrt(n): a long text's sum of independent rows keeps the length of a short one's.
  const float weight = grams.empty() ? 0.f : 1.f / std::sqrt(static_cast<float>(grams.size()));
  for (auto row : grams) out.bag.add(row, weight);
  out.bag.close();
}

void Feature::encode_text(std::string_view text, EncodedColumns& out) const {
  switch (options_.kind) {
    case FeatureKind::categorical:
      if (!text.empty()) out.bag.add(vocabulary_.row(text), 1.f);
      out.bag.close();
      return;
    case FeatureKind::text: return encode_words(text, out);
    case FeatureKind::numeric: {
      const auto v = number_of(text);
      return encode_number(v.value_or(0), v.has_value(), out);
    }
    default: {
      columns::Column one;
      one.push_text(text);
      return encode(one, 0, out);
    }
  }
}

void Feature::encode_null(EncodedColumns& out) const {
  if (options_.kind == FeatureKind::time)
    out.times_us.push_back(kNoTime);
  else if (options_.kind == FeatureKind::numeric)
    encode_number(0, false, out);
  else
    out.bag.close();
}

void Feature::encode(const columns::Column& column, size_t row, EncodedColumns& out) const {
  if (column.is_null(row)) return encode_null(out);
  std::string scratch;
  switch (options_.kind) {
    case FeatureKind::categorical:
    case FeatureKind::text: return encode_text(column.as_text(row, scratch), out);
    case FeatureKind::multi: {
      const size_t first = out.bag.rows.values.size();
      columns::for_each_listed(column, row, options_.separator.empty() ? '\0' : options_.separator[0],
                               [&](std::string_view word) { out.bag.add(vocabulary_.row(word), 1.f); });
      const size_t n = out.bag.rows.values.size() - first;
      for (size_t i = first; i < first + n; ++i) out.bag.weights[i] = 1.f / static_cast<float>(n);
      out.bag.close();
      return;
    }
    case FeatureKind::numeric: {
      const auto v = number_of(column, row);
      return encode_number(v.value_or(0), v.has_value(), out);
    }
    case FeatureKind::time: out.times_us.push_back(column.as_time_us(row).value_or(kNoTime)); return;
    case FeatureKind::vector: check(false, "vectors are not encoded cell by cell");
  }
}

uint32_t Feature::time_row(int64_t moment_us, int64_t cell_time_us) const {
  if (options_.part == TimePart::hour) return static_cast<uint32_t>(floor_div(moment_us, kHourUs) % 24 + 24) % 24;
  if (options_.part == TimePart::weekday)
    return static_cast<uint32_t>((floor_div(moment_us, kDayUs) + 3) % 7 + 7) % 7;  // 0: Monday
  if (cell_time_us == kNoTime) return kAgeBuckets;
  const double age_us = static_cast<double>(moment_us) - static_cast<double>(cell_time_us);  // no int64 can overflow
  const double days = std::max(0.0, age_us / static_cast<double>(kDayUs));
  return std::min(kAgeBuckets - 1, static_cast<uint32_t>(4 * std::log2(1 + days)));
}

void Feature::save(ByteWriter& out) const {
  out.text(options_.column);
  out.value(options_.kind);
  out.text(options_.separator);
  out.value(options_.form);
  out.value(options_.part);
  out.value(options_.trigrams);
  out.value(options_.word_ngrams);
  out.value<uint64_t>(dim_);
  out.value(text_buckets_);
  out.value(mean_);
  out.value(deviation_);
  out.array(bounds_);
  vocabulary_.save(out);
  if (is_vector()) out.array(centre_);
}

Feature Feature::load(ByteReader& in, Spelling spelling) {
  Feature f;
  f.options_.column = in.text();
  f.options_.kind = load_choice(in, FeatureKind::vector);
  f.options_.separator = in.text();
  f.options_.form = load_choice(in, NumericForm::bucket);
  f.options_.part = load_choice(in, TimePart::age);
  f.options_.trigrams = load_bool(in);
  f.options_.word_ngrams = in.value<int64_t>();
  f.dim_ = in.value<uint64_t>();
  f.text_buckets_ = in.value<uint32_t>();
  f.mean_ = in.value<double>();
  f.deviation_ = in.value<double>();
  f.bounds_ = in.array<double>();
  f.vocabulary_ = Vocabulary::load(in, spelling);
  if (f.is_vector()) f.centre_ = in.array<float>();
  const auto words = f.options_.word_ngrams;
  const auto most = static_cast<size_t>(f.is_vector() ? kMaxVector : kMaxDim);
  if (f.dim_ < 1 || f.dim_ > most || (f.is_vector() && f.centre_.size() != f.dim_) || words < 0 ||
      words > kMaxWordNgrams || f.bounds_.size() >= kNumberBuckets ||
      (f.options_.kind == FeatureKind::text && f.text_buckets_ == 0))
    in.damaged("a feature has an impossible shape");
  return f;
}

std::vector<const Feature*> vectors_among(const std::vector<Feature>& features) {
  std::vector<const Feature*> vectors;
  for (const auto& feature : features)
    if (feature.is_vector()) vectors.push_back(&feature);
  return vectors;
}

}  // namespace pagoda::features
