#include "cli/survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "columns/blanks.h"
#include "columns/ids.h"
#include "columns/time_form.h"
#include "data/row_places.h"

namespace pagoda {

double LogSurvey::share_of_users_with_several() const {
  const auto several = std::count_if(rows_of_user.begin(), rows_of_user.end(), [](uint32_t n) { return n > 1; });
  return rows_of_user.empty() ? 0 : static_cast<double>(several) / static_cast<double>(rows_of_user.size());
}

namespace {

void take_times(WrittenTimes written, TimeForm told, bool trust_clock, const RowPlaces& places, const Reader& reader,
                LogSurvey& survey) {
  const auto form = written.form(told);
  survey.times_said = text_of(written, form);
  if (form.order == DateOrder::automatic)
    if (const auto open = written.first_open_date())
      survey.open_date = fmt::format("{}: {}", places.text(reader, open->row), open->text);
  // The cut in time is a proposal: it goes by one of the two orders where it is open.
  const TimeForm read{form.unit, form.order == DateOrder::automatic ? DateOrder::month_first : form.order};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  ClockBounds bounds;
  if (!trust_clock)
    bounds = clock_bounds(written.sample(read), std::chrono::duration_cast<std::chrono::microseconds>(now).count());
  std::vector<UnusableTime> bad;
  const auto moments = std::move(written).moments(read, bounds, bad);
  for (const int64_t moment : moments)
    if (moment != WrittenTimes::kNone && bounds.hold(moment)) survey.time_us.push_back(moment);
  for (const auto& time : bad) {
    if (!time.moment_us) {
      ++survey.rows_without_time;
      continue;
    }
    if (survey.rows_of_bad_clocks++ == 0)
      survey.bad_clock = fmt::format("{}: {}", places.text(reader, time.row), format_time_us(*time.moment_us));
  }
  std::sort(survey.time_us.begin(), survey.time_us.end());
}

}  // namespace

LogSurvey survey_log(const ReaderOptions& files, const std::string& user, const std::string& item,
                     const std::string& time, const std::string& weight, TimeForm times_told, bool trust_clock) {
  ReaderOptions wanted = files;
  wanted.columns = {user, item};
  if (!time.empty()) wanted.columns.push_back(time);
  if (!weight.empty()) wanted.columns.push_back(weight);
  wanted.required = wanted.columns;
  const auto reader = open_reader(wanted);
  LogSurvey survey;
  RawBatch batch;
  std::string scratch;
  WrittenTimes written;
  RowPlaces places;  // of what is written
  while (reader->next(batch)) {
    for (const auto& ids : {&batch.columns[0], &batch.columns[1]})
      count_rounded_ids(*ids, survey.notices,
                        [&](size_t row) { return reader->place(batch.file, batch.first_record + row); });
    const Column* times = time.empty() ? nullptr : &batch.columns[2];
    const Column* weights = weight.empty() ? nullptr : &batch.columns.back();
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto item_id = batch.columns[1].as_text(row, scratch);
      const uint32_t i = item_id.empty() ? Interner::kNone : survey.items.add(item_id);
      const auto user_id = batch.columns[0].as_text(row, scratch);
      if (i == Interner::kNone || user_id.empty()) {
        ++survey.rows_without_id;
        continue;
      }
      const uint32_t u = survey.users.add(user_id);
      if (u == survey.rows_of_user.size()) survey.rows_of_user.push_back(0);
      ++survey.rows_of_user[u];
      ++survey.rows;
      if (times) {
        if (const auto t = written_time(*times, row)) {
          places.note(written.size(), batch.file, batch.first_record + row);
          written.push(*t);
        } else {
          ++survey.rows_without_time;
        }
      }
      if (weights && !(weights->as_number(row).value_or(0) > 0)) ++survey.rows_without_weight;
    }
  }
  survey.notices.add(reader->notices());
  say_blanks(reader->files()[0], user, survey.users);
  say_blanks(reader->files()[0], item, survey.items);
  take_times(std::move(written), times_told, trust_clock, places, *reader, survey);
  return survey;
}

TableSurvey survey_table(const ReaderOptions& files, const Interner& ids) {
  const auto reader = open_reader(files);
  TableSurvey survey;
  const size_t n = reader->columns().size();
  survey.columns.resize(n);
  std::vector<std::vector<uint8_t>> met(n, std::vector<uint8_t>(ids.size()));
  std::vector<double> sums(n), squares(n);
  RawBatch batch;
  std::string scratch;
  while (reader->next(batch)) {
    survey.rows += batch.rows;
    for (size_t c = 0; c < n; ++c) {
      auto& column = survey.columns[c];
      for (size_t row = 0; row < batch.rows; ++row) {
        const auto& cells = batch.columns[c];
        if (cells.type == ColumnType::texts) break;
        if (const uint32_t id = ids.find(cells.as_text(row, scratch)); id != Interner::kNone)
          ++(met[c][id] ? column.repeated : column.known), met[c][id] = 1;
        const auto number = cells.as_number(row);
        if (!number) continue;
        column.least = column.numbers ? std::min(column.least, *number) : *number;
        column.most = column.numbers ? std::max(column.most, *number) : *number;
        ++column.numbers, sums[c] += *number, squares[c] += *number * *number;
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

}  // namespace pagoda
