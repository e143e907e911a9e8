// Where the rows that were kept of some files came from: for messages about a row when the reading has ended.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/reader.h"

namespace pagoda::data {

// 24 bytes for each stretch of rows that stood one after another in a file.
class RowPlaces {
 public:
  // Row `row` of what is kept, the rows rising, came from that record.
  void note(size_t row, size_t file, uint64_t record) {
    if (stretches_.empty() || stretches_.back().file != file ||
        stretches_.back().record + (row - stretches_.back().row) != record)
      stretches_.push_back({row, file, record});
  }
  // "clicks.csv:1842", of a row that was noted.
  std::string text(const formats::Reader& reader, size_t row) const {
    const auto& of = *(std::ranges::upper_bound(stretches_, row, {}, &Stretch::row) - 1);
    return reader.place(of.file, of.record + (row - of.row));
  }

 private:
  struct Stretch {
    size_t row, file;
    uint64_t record;
  };
  std::vector<Stretch> stretches_;
};

}  // namespace pagoda::data
