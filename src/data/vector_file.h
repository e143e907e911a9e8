// Files of vectors: .npy, .fbin and .parquet.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "math/matrix.h"

namespace pagoda::data {

// Which columns of a Parquet file to read. By name; "": the only one, or of several the one whose name says what it is.
struct VectorColumns {
  std::string vector, id;
  bool ids = true;                   // false: none are wanted
  std::string usual_id = "item_id";  // the name that is taken among several; "item" or "id" otherwise
};

struct Vectors {
  math::Matrix<float> values;    // [n, D]
  std::vector<std::string> ids;  // parallel, exactly as they stand; or empty when the file has none
  std::string id_column;         // what they are of: a column of the file,
  std::string ids_file;          // or the file beside it; "" without
};

// .npy: float32 or float64 [n, D], C order. .fbin: u32 n, u32 D, then float32; the ids of both one a line in `path`.ids.txt,
// if there is such a file. .parquet: a column of lists of float16, float32 or float64, and an id column of any type that a
// table's may have. Error{input}: another shape or type, no row, a row without a vector or id, or of another length, a
// component that is not finite (with its row), as many ids as vectors there are not, columns of which none is told to be
// the one (naming them), a file cut short. Error{usage}: no column of the name that is asked for.
Vectors read_vectors(const std::string& path, const VectorColumns& columns = {});

// The same without reading it in, where the file holds float32 as they are in memory (.npy of float32, .fbin): the values
// are those of the mapped file, which may be larger than memory, and are checked only for their number.
struct MappedVectors {
  math::MatrixView<const float> values;  // [n, D]
  std::vector<std::string> ids;          // as in Vectors
  std::string id_column, ids_file;
  std::shared_ptr<const void> owner;
};
MappedVectors map_vectors(const std::string& path, const VectorColumns& columns = {});

// .npy and .fbin, with the ids (if any) one a line in `path`.ids.txt; .parquet with columns `id_name` and "vector"
// (fixed_size_list<float>), the ids as int64 (null where one is empty) when they are said to be integers. Written by
// rename. Error{usage}: another extension; Error{input}: an id that a line of a .txt can not hold; Error{failed}: disk full.
void write_vectors(const std::string& path, math::MatrixView<const float> values, const std::vector<std::string>& ids,
                   const std::string& id_name, bool integer_ids = false);

}  // namespace pagoda::data
