#include "cli/survey.h"

#include <algorithm>
#include <cmath>

#include "data/blanks.h"
#include "data/ids.h"

namespace pagoda {

double LogSurvey::share_of_users_with_several() const {
  const auto several = std::count_if(rows_of_user.begin(), rows_of_user.end(), [](uint32_t n) { return n > 1; });
  return rows_of_user.empty() ? 0 : static_cast<double>(several) / static_cast<double>(rows_of_user.size());
}

uint64_t LogSurvey::rows_between(int64_t after_us, int64_t until_us) const {
  return static_cast<uint64_t>(std::upper_bound(time_us.begin(), time_us.end(), until_us) -
                               std::upper_bound(time_us.begin(), time_us.end(), after_us));
}

LogSurvey survey_log(const ReaderOptions& files, const std::string& user, const std::string& item,
                     const std::string& time, const std::string& weight) {
  ReaderOptions wanted = files;
  wanted.columns = {user, item};
  if (!time.empty()) wanted.columns.push_back(time);
  if (!weight.empty()) wanted.columns.push_back(weight);
  wanted.required = wanted.columns;
  const auto reader = open_reader(wanted);
  LogSurvey survey;
  RawBatch batch;
  std::string scratch;
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
        if (const auto t = times->as_time_us(row))
          survey.time_us.push_back(*t);
        else
          ++survey.rows_without_time;
      }
      if (weights && !(weights->as_number(row).value_or(0) > 0)) ++survey.rows_without_weight;
    }
  }
  survey.notices.add(reader->notices());
  say_blanks(reader->files()[0], user, survey.users);
  say_blanks(reader->files()[0], item, survey.items);
  std::sort(survey.time_us.begin(), survey.time_us.end());
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
