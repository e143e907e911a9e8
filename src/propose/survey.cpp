#include "propose/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "columns/whitespace.h"
#include "columns/ids.h"
#include "columns/time_form.h"
#include "data/row_places.h"
#include "propose/column_meaning.h"

namespace pagoda::propose {

double LogSurvey::share_of_users_with_several() const {
  const auto several = std::count_if(rows_of_user.begin(), rows_of_user.end(), [](uint32_t n) { return n > 1; });
  return rows_of_user.empty() ? 0 : static_cast<double>(several) / static_cast<double>(rows_of_user.size());
}

namespace {

void take_times(columns::ParsedTimes written, columns::TimeForm told, bool trust_clock, const data::RowPlaces& places,
                const formats::Reader& reader, LogSurvey& survey) {
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
  for (const int64_t moment : timestamps)
    if (moment != columns::ParsedTimes::kNone && bounds.hold(moment)) survey.time_us.push_back(moment);
  for (const auto& time : bad) {
    if (!time.timestamp_us) {
      ++survey.rows_without_time;
      continue;
    }
    if (survey.rows_of_bad_clocks++ == 0)
      survey.bad_clock =
          fmt::format("{}: {}", places.text(reader, time.row), columns::format_time_us(*time.timestamp_us));
  }
  std::sort(survey.time_us.begin(), survey.time_us.end());
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

}  // namespace

LogSurvey survey_log(const formats::ReaderOptions& files, const LogColumns& roles,
                     const std::vector<std::string>& others, columns::TimeForm times_told, bool trust_clock) {
  const auto& [user, item, time, weight, clicked] = roles;
  formats::ReaderOptions wanted = files;
  wanted.columns = {user, item};
  if (!time.empty()) wanted.columns.push_back(time);
  if (!weight.empty()) wanted.columns.push_back(weight);
  const size_t clicked_at = wanted.columns.size();
  if (!clicked.empty()) wanted.columns.push_back(clicked);
  wanted.required = wanted.columns;
  const size_t first_other = wanted.columns.size();
  wanted.columns.insert(wanted.columns.end(), others.begin(), others.end());
  std::vector<FirstValues> first_values(others.begin(), others.end());
  const auto reader = formats::open_reader(wanted);
  LogSurvey survey;
  columns::RawBatch batch;
  std::string scratch;
  columns::ParsedTimes written;
  data::RowPlaces places;  // of what is written
  while (reader->next(batch)) {
    for (const auto& ids : {&batch.columns[0], &batch.columns[1]})
      columns::count_rounded_ids(*ids, survey.notices,
                                 [&](size_t row) { return reader->place(batch.file, batch.first_record + row); });
    const columns::Column* times = time.empty() ? nullptr : &batch.columns[2];
    const columns::Column* weights = weight.empty() ? nullptr : &batch.columns[clicked_at - 1];
    const columns::Column* answers = clicked.empty() ? nullptr : &batch.columns[clicked_at];
    for (size_t row = 0; row < batch.rows; ++row) {
      if (answers) {
        const auto answer = answer_of(answers->as_text(row, scratch));
        if (answer == false) ++survey.shown;
        if (!answer) ++survey.rows_without_answer;
        if (answer != true) continue;
      }
      const auto item_id = batch.columns[1].as_text(row, scratch);
      const uint32_t i = item_id.empty() ? columns::Interner::kNone : survey.items.add(item_id);
      const auto user_id = batch.columns[0].as_text(row, scratch);
      if (i == columns::Interner::kNone || user_id.empty()) {
        ++survey.rows_without_id;
        continue;
      }
      const uint32_t u = survey.users.add(user_id);
      if (u == survey.rows_of_user.size()) survey.rows_of_user.push_back(0);
      ++survey.rows_of_user[u];
      ++survey.rows;
      if (times) {
        if (const auto t = columns::parse_time(*times, row)) {
          places.note(written.size(), batch.file, batch.first_record + row);
          written.push(*t);
        } else {
          ++survey.rows_without_time;
        }
      }
      if (weights && !(weights->as_number(row).value_or(0) > 0)) ++survey.rows_without_weight;
      for (size_t c = 0; c < others.size(); ++c) first_values[c].look(batch.columns[first_other + c], row, u, i);
    }
  }
  survey.notices.add(reader->notices());
  columns::warn_of_whitespace(reader->files()[0], user, survey.users);
  columns::warn_of_whitespace(reader->files()[0], item, survey.items);
  for (const auto& values : first_values) survey.belongings.push_back(values.found());
  take_times(std::move(written), times_told, trust_clock, places, *reader, survey);
  return survey;
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
