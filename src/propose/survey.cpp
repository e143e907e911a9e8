#include "propose/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

#include "columns/whitespace.h"
#include "columns/ids.h"
#include "columns/time_form.h"
#include "data/answer.h"
#include "data/row_places.h"
#include "predicate/row_predicate.h"
#include "propose/column_meaning.h"

namespace pagoda::propose {

double LogSurvey::share_of_users_with_several() const {
  const auto several = std::count_if(rows_of_user.begin(), rows_of_user.end(), [](uint32_t n) { return n > 1; });
  return rows_of_user.empty() ? 0 : static_cast<double>(several) / static_cast<double>(rows_of_user.size());
}

namespace {

// users: of each time that was written.
void take_times(columns::ParsedTimes written, std::span<const uint32_t> users, columns::TimeForm told, bool trust_clock,
                const data::RowPlaces& places, const formats::Reader& reader, LogSurvey& survey) {
  const auto form = written.form(told);
  survey.times_said = columns::text_of(written, form);
  if (form.order == columns::DateOrder::automatic)
    if (const auto open = written.first_open_date())
      survey.open_date = fmt::format("{}: {}", places.text(reader, open->row), open->text);
  // The cut in time is a proposal: it goes by one of the two orders where it is open.
  const columns::TimeForm read{
      form.unit, form.order == columns::DateOrder::automatic ? columns::DateOrder::month_first : form.order};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  columns::ClockBounds bounds;
  if (!trust_clock)
    bounds =
        columns::clock_bounds(written.sample(read), std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  std::vector<columns::UnusableTime> bad;
  const auto timestamps = std::move(written).timestamps(read, bounds, bad);
  std::vector<std::pair<int64_t, uint32_t>> rows;
  for (size_t i = 0; i < timestamps.size(); ++i)
    if (timestamps[i] != columns::ParsedTimes::kNone && bounds.hold(timestamps[i]))
      rows.emplace_back(timestamps[i], users[i]);
  for (const auto& time : bad) {
    if (!time.timestamp_us) {
      ++survey.rows_without_time;
      continue;
    }
    if (survey.rows_of_bad_clocks++ == 0)
      survey.bad_clock =
          fmt::format("{}: {}", places.text(reader, time.row), columns::format_time_us(*time.timestamp_us));
  }
  std::ranges::sort(rows);
  for (const auto& [time, user] : rows) {
    survey.time_us.push_back(time);
    survey.user_of_time.push_back(user);
  }
}

// The first value that each item and each user had in a column, as a hash; 0: none yet.
class FirstValues {
 public:
  explicit FirstValues(const std::string& column) { found_.column = column; }

  void look(const columns::Column& cells, size_t row, uint32_t user, uint32_t item) {
    if (cells.absent(row)) return;
    const auto text = cells.as_text(row, scratch_);
    if (text.empty()) return;
    const uint32_t value = columns::Interner::hash_of(text) | 1;
    take(of_item_, item, value, found_.item_repeats, found_.item_changes);
    take(of_user_, user, value, found_.user_repeats, found_.user_changes);
  }
  const Belonging& found() const { return found_; }

 private:
  static void take(std::vector<uint32_t>& first, uint32_t id, uint32_t value, uint64_t& repeats, uint64_t& changes) {
    if (id >= first.size()) first.resize(std::max<size_t>(id + 1, first.size() * 2));
    if (first[id] == 0) {
      first[id] = value;
      return;
    }
    ++repeats;
    changes += first[id] != value;
  }

  Belonging found_;
  std::vector<uint32_t> of_item_, of_user_;
  std::string scratch_;
};

class LogSurveyor {
 public:
  LogSurveyor(const formats::ReaderOptions& files, const SurveyOptions& options)
      : options_(options), where_(options.where, "data.where"), positive_(options.positive, "data.positive"),
        first_values_(options.others.begin(), options.others.end()) {
    const auto& [user, item, time, weight, clicked] = options.columns;
    formats::ReaderOptions wanted = files;
    wanted.columns = {user, item};
    // A column may have a role and stand in an expression: it is read once.
    const auto ask = [&](const std::string& name) {
      const auto at = std::ranges::find(wanted.columns, name) - wanted.columns.begin();
      if (static_cast<size_t>(at) == wanted.columns.size()) wanted.columns.push_back(name);
      return static_cast<size_t>(at);
    };
    if (!time.empty()) time_ = ask(time);
    if (!weight.empty()) weight_ = ask(weight);
    if (!clicked.empty()) clicked_ = ask(clicked);
    for (const auto& name : where_.columns()) where_columns_.push_back(ask(name));
    for (const auto& name : positive_.columns()) positive_columns_.push_back(ask(name));
    wanted.required = wanted.columns;
    for (const auto& name : options.others) others_.push_back(ask(name));
    reader_ = formats::open_reader(wanted);
  }

  LogSurvey run() {
    while (reader_->next(batch_)) take_batch();
    survey_.notices.add(reader_->notices());
    columns::warn_of_whitespace(reader_->files()[0], options_.columns.user, survey_.users);
    columns::warn_of_whitespace(reader_->files()[0], options_.columns.item, survey_.items);
    for (const auto& values : first_values_) survey_.belongings.push_back(values.found());
    take_times(std::move(written_), user_of_written_, options_.times, options_.trust_clock, places_, *reader_, survey_);
    return std::move(survey_);
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;

  void take_batch() {
    for (const size_t ids : {0, 1})
      columns::count_rounded_ids(batch_.columns[ids], survey_.notices,
                                 [&](size_t row) { return reader_->place(batch_.file, batch_.first_record + row); });
    const auto wanted = where_.holds(batch_, where_columns_, survey_.notices);
    const auto positives = positive_.holds(batch_, positive_columns_, survey_.notices);
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (!wanted.empty() && !wanted[row]) {
        ++survey_.left_out;
        continue;
      }
      const auto answer =
          clicked_ == kNone ? std::optional(true) : data::answer_of(batch_.columns[clicked_], row, scratch_);
      if (!answer)
        ++survey_.rows_without_answer;
      else if (!*answer || (!positives.empty() && !positives[row]))
        ++survey_.shown;
      else
        take_row(row);
    }
  }

  void take_row(size_t row) {
    const auto item_id = batch_.columns[1].as_text(row, scratch_);
    const uint32_t item = item_id.empty() ? columns::Interner::kNone : survey_.items.add(item_id);
    const auto user_id = batch_.columns[0].as_text(row, scratch_);
    if (item == columns::Interner::kNone || user_id.empty()) {
      ++survey_.rows_without_id;
      return;
    }
    const uint32_t user = survey_.users.add(user_id);
    if (user == survey_.rows_of_user.size()) survey_.rows_of_user.push_back(0);
    ++survey_.rows_of_user[user];
    ++survey_.rows;
    if (time_ != kNone) {
      if (const auto t = columns::parse_time(batch_.columns[time_], row)) {
        places_.note(written_.size(), batch_.file, batch_.first_record + row);
        written_.push(*t);
        user_of_written_.push_back(user);
      } else {
        ++survey_.rows_without_time;
      }
    }
    if (weight_ != kNone && !(batch_.columns[weight_].as_number(row).value_or(0) > 0)) ++survey_.rows_without_weight;
    for (size_t c = 0; c < others_.size(); ++c) first_values_[c].look(batch_.columns[others_[c]], row, user, item);
  }

  const SurveyOptions& options_;
  predicate::RowPredicate where_, positive_;
  std::vector<FirstValues> first_values_;
  size_t time_ = kNone, weight_ = kNone, clicked_ = kNone;  // columns of the batch, as are the next three
  std::vector<size_t> where_columns_, positive_columns_, others_;
  std::unique_ptr<formats::Reader> reader_;
  columns::RawBatch batch_;
  LogSurvey survey_;
  columns::ParsedTimes written_;
  data::RowPlaces places_;                 // of what is written
  std::vector<uint32_t> user_of_written_;  // parallel to written_
  std::string scratch_;
};

}  // namespace

LogSurvey survey_log(const formats::ReaderOptions& files, const SurveyOptions& options) {
  return LogSurveyor(files, options).run();
}

TableSurvey survey_table(const formats::ReaderOptions& files, const columns::Interner& ids) {
  const auto reader = formats::open_reader(files);
  TableSurvey survey;
  const size_t n = reader->columns().size();
  survey.columns.resize(n);
  std::vector<std::vector<uint8_t>> met(n, std::vector<uint8_t>(ids.size()));
  std::vector<double> sums(n), squares(n);
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch)) {
    survey.rows += batch.rows;
    for (size_t c = 0; c < n; ++c) {
      auto& column = survey.columns[c];
      for (size_t row = 0; row < batch.rows; ++row) {
        const auto& cells = batch.columns[c];
        if (cells.type == columns::ColumnType::texts) break;
        if (const uint32_t id = ids.find(cells.as_text(row, scratch)); id != columns::Interner::kNone) {
          ++(met[c][id] ? column.repeated : column.known);
          met[c][id] = 1;
        }
        const auto number = cells.as_number(row);
        if (!number) continue;
        column.least = column.numbers ? std::min(column.least, *number) : *number;
        column.most = column.numbers ? std::max(column.most, *number) : *number;
        ++column.numbers;
        sums[c] += *number;
        squares[c] += *number * *number;
      }
    }
  }
  for (size_t c = 0; c < n; ++c) {
    auto& column = survey.columns[c];
    column.name = reader->columns()[c];
    if (column.numbers == 0) continue;
    const auto numbers = static_cast<double>(column.numbers);
    column.mean = sums[c] / numbers;
    column.deviation = std::sqrt(std::max(0.0, squares[c] / numbers - column.mean * column.mean));
  }
  return survey;
}

}  // namespace pagoda::propose
