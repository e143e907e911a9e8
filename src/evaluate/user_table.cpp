#include "evaluate/user_table.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "formats/reader.h"
#include "formats/writer.h"

namespace pagoda::evaluate {

namespace {
constexpr const char* kUser = "user_id";
}

const std::vector<double>* UserTable::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? nullptr : &columns[static_cast<size_t>(found - names.begin())];
}

void write_user_table(const std::string& path, const UserTable& table) {
  std::vector<formats::ColumnSpec> specs{{kUser, columns::ColumnType::text}};
  columns::RawBatch batch;
  batch.rows = table.users.size();
  batch.columns.resize(1);
  for (const auto& user : table.users) batch.columns[0].push_text(user);
  for (size_t c = 0; c < table.names.size(); ++c) {
    specs.push_back({table.names[c], columns::ColumnType::real});
    auto& column = batch.columns.emplace_back();
    column.type = columns::ColumnType::real;
    for (const double value : table.columns[c])
      if (std::isnan(value))
        column.push_null();
      else
        column.push_real(value);
  }
  for (size_t c = 0; c < specs.size(); ++c) batch.columns[c].name = specs[c].name;
  const auto writer = formats::open_writer(path, specs, files::Format::parquet);
  writer->write(batch);
  writer->close();
}

UserTable read_user_table(const std::string& path) {
  const auto reader = formats::open_reader({.paths = {path}, .format = files::Format::parquet, .columns = {}});
  UserTable table;
  const auto& names = reader->columns();
  if (names.empty() || names[0] != kUser)
    fail(ErrorKind::input, "{}: is not a table of users: its first column is not '{}'", path, kUser);
  table.names.assign(names.begin() + 1, names.end());
  table.columns.resize(table.names.size());
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t row = 0; row < batch.rows; ++row) {
      table.users.emplace_back(batch.columns[0].as_text(row, scratch));
      for (size_t c = 0; c < table.columns.size(); ++c)
        table.columns[c].push_back(batch.columns[c + 1].as_number(row).value_or(NAN));
    }
  return table;
}

}  // namespace pagoda::evaluate
