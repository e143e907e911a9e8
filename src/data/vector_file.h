// Files of vectors: .npy, .fbin and .parquet.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "math/matrix.h"

namespace pagoda {

struct Vectors {
  Matrix<float> values;          // [n, D]
  std::vector<std::string> ids;  // parallel, or empty when the file has none
};

// .npy: float32 or float64 [n, D], C order. .fbin: u32 n, u32 D, then float32. .parquet: a list<float> column (the first of
// that type) and an id column (the first text or integer one, if any). Error{input}: another shape or type, a row of
// another length, a component that is not finite (with its row), a file cut short.
Vectors read_vectors(const std::string& path);

// The same without reading it in, where the file holds float32 as they are in memory (.npy of float32, .fbin): the values
// are those of the mapped file, which may be larger than memory, and are checked only for their number.
struct MappedVectors {
  MatrixView<const float> values;  // [n, D]
  std::vector<std::string> ids;    // as in Vectors
  std::shared_ptr<const void> owner;
};
MappedVectors map_vectors(const std::string& path);

// .npy and .fbin, with the ids (if any) one a line in `path`.ids.txt; .parquet with columns `id_name` and "vector"
// (fixed_size_list<float>). Written by rename. Error{usage}: another extension; Error{failed}: disk full, an id with a
// line end in it for a .txt.
void write_vectors(const std::string& path, MatrixView<const float> values, const std::vector<std::string>& ids,
                   const std::string& id_name);

}  // namespace pagoda
