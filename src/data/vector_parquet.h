// Reads and writes vectors in a Parquet file. Private to this room; read_vectors() and write_vectors() call it.
#pragma once

#include "data/vector_file.h"

namespace pagoda::data {

Vectors read_parquet_vectors(const std::string& path, const VectorColumns& columns);
void write_parquet_vectors(const std::string& path, math::MatrixView<const float> values,
                           const std::vector<std::string>& ids, const std::string& id_name, bool integer_ids);

}  // namespace pagoda::data
