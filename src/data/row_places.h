// Remembers where the kept rows of some files came from, for messages about a row after the reading has ended.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "formats/reader.h"

namespace pagoda::data {

// 24 bytes for each run of rows that are consecutive in a file.
class RowPlaces {
 public:
  // Notes that kept row `row` came from this record. Rows must be noted in rising order.
  void note(size_t row, size_t file, uint64_t record) {
    if (runs_.empty() || runs_.back().file != file || runs_.back().record + (row - runs_.back().row) != record)
      runs_.push_back({row, file, record});
  }
  // "clicks.csv:1842" for a row that was noted.
  std::string text(const formats::Reader& reader, size_t row) const {
    const auto& of = run_of(row);
    return reader.place(of.file, of.record + (row - of.row));
  }
  uint64_t record(size_t row) const {  // of its file
    const auto& of = run_of(row);
    return of.record + (row - of.row);
  }

 private:
  struct Run {
    size_t row, file;
    uint64_t record;
  };
  const Run& run_of(size_t row) const { return *(std::ranges::upper_bound(runs_, row, {}, &Run::row) - 1); }
  std::vector<Run> runs_;
};

}  // namespace pagoda::data
