// The vectors of a table of items or users: in columns of its own, or in a file beside it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "columns/notices.h"
#include "columns/vector_column.h"
#include "data/attributes.h"

namespace pagoda::data {

// Adds the vectors of a file to the rows that have its ids, as a column that is named like the file without folder and
// extension (of a .parquet: like its column of vectors). The ids of a table without rows are those of the file;
// otherwise a warning counts vectors whose ids the table lacks. Floats that lie in the file as they do in memory are
// mapped, not read (vector_file.h). id: the usual name of the id column of a .parquet. Error{input}: no ids, an id
// twice, a component that is not finite, none of the ids, a name that is taken; as read_vectors().
void add_vectors(Attributes& table, const std::string& path, const std::string& id);

// Reads columns of vectors while a table is read: those that are wanted. Others that look like vectors are left out,
// because their numbers would be useless and expensive words.
class TableVectors {
 public:
  // The cells of the first batch say how long the vectors are. id: the number of the id column.
  TableVectors(const std::vector<std::string>& wanted, const columns::RawBatch& first, size_t id);

  bool is_one(size_t column) const { return rows_[column] || length_[column] > 0; }
  void say_left_out(const columns::RawBatch& batch, columns::Notices& notices) const;
  // A cell that is no vector of that length counts as missing, and is counted.
  void push(const columns::RawBatch& batch, size_t row, columns::Notices& notices,
            const std::function<std::string()>& place);
  // The columns that were wanted. Error{input} that names the file: one without any vector.
  std::vector<std::shared_ptr<const columns::VectorColumn>> finish(const std::string& file);

 private:
  std::vector<size_t> length_;  // per column of the file; 0: no vectors
  std::vector<std::optional<columns::VectorRows>> rows_;
};

}  // namespace pagoda::data
