// The figures of each user, from which intervals over users are computed. As a file, a Parquet table that Python reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::evaluate {

struct UserTable {
  std::vector<std::string> users;            // ids
  std::vector<std::string> names;            // of the columns: "recall@20"
  std::vector<std::vector<double>> columns;  // [name][user]; NaN: not measured for that user

  const std::vector<double>* find(std::string_view name) const;  // nullptr: no such column
};

// Writes the columns user_id, then the names; NaN is null. Error{failed}: the path cannot be written.
void write_user_table(const std::string& path, const UserTable& table);
UserTable read_user_table(const std::string& path);  // Error{input}: missing, or not such a table

}  // namespace pagoda::evaluate
