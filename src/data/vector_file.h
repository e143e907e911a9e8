// Reads and writes files of vectors: .npy, .fbin and .parquet.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "math/matrix.h"
#include "math/rows_view.h"

namespace pagoda::data {

// Which columns of a Parquet file to read, by name. "": the only candidate, or among several the one with a
// conventional name.
struct VectorColumns {
  std::string vector, id;
  bool ids = true;                     // false: no ids are wanted
  std::string default_id = "item_id";  // the conventional name of the id column; "item" and "id" come after it
};

struct Vectors {
  math::Matrix<float> values;    // [n, D]
  std::vector<std::string> ids;  // parallel, unchanged; empty if the file has none
  std::string id_column;         // the column of the file that they come from; "" otherwise
  std::string ids_file;          // the file beside it that they come from; "" otherwise
  std::string vector_column;     // of a .parquet; "" otherwise
};

// .npy: float16, float32 or float64 [n, D], C order. .fbin: u32 n, u32 D, then float32. The ids of both are one per
// line in `path`.ids.txt, if there is such a file. .parquet: a column of lists of float16, float32 or float64, and an
// id column of any type that the id column of a table may have. Error{input}: another shape or type, no row, a row
// without a vector or id or of another length, a component that is not finite (with its row), a number of ids that is
// not that of the vectors, several candidate columns (with their names), a truncated file. Error{usage}: no column of
// the given name.
Vectors read_vectors(const std::string& path, const VectorColumns& columns = {});

// The same, mapped and not read, if the file holds the numbers as they are in memory (.npy of float16 and float32,
// .fbin). The file may be larger than memory; only the number of its values is checked.
struct MappedVectors {
  math::RowsView values;         // [n, D]
  std::vector<std::string> ids;  // as in Vectors
  std::string id_column, ids_file, vector_column;
  std::shared_ptr<const void> owner;
};
MappedVectors map_vectors(const std::string& path, const VectorColumns& columns = {});

// Error{input} with the row and the component if a component is not finite.
void check_finite(const std::string& path, size_t row, std::span<const float> vector);

// Writes .npy and .fbin with the ids (if any) one per line in `path`.ids.txt; .parquet with columns `id_name` and
// "vector" (fixed_size_list<float>); with `integer_ids`, the ids as int64 (null if empty). Files are put in place by
// renaming. Error{usage}: another extension. Error{input}: an id that cannot be a line of a .txt. Error{failed}: disk
// full.
void write_vectors(const std::string& path, math::MatrixView<const float> values, const std::vector<std::string>& ids,
                   const std::string& id_name, bool integer_ids = false);

}  // namespace pagoda::data
