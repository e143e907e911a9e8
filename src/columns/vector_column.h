// A column of given vectors, such as embeddings of titles or images: one of a fixed number of components in each row,
// or none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "columns/column.h"
#include "columns/interner.h"
#include "math/rows_view.h"

namespace pagoda::columns {

// The vectors lie in one or several sources, in memory or in mapped files, which columns share: a row costs 8 bytes
// here. Once filled it is only read, so threads may share it.
class VectorColumn {
 public:
  struct Source {
    math::RowsView rows;
    std::shared_ptr<const void> owner;  // keeps the rows alive
  };

  VectorColumn(std::string name, size_t width) : name_(std::move(name)), width_(width) {}

  const std::string& name() const { return name_; }
  size_t width() const { return width_; }  // components of a vector
  size_t rows() const { return places_.size(); }
  bool has(size_t row) const { return places_[row].row != Interner::kNone; }
  size_t missing() const;
  void read(size_t row, float* out) const;  // the row has a vector; `out` has room for width()

  // The rows of `source`, which has width() columns, can be pushed from now on. Returns its number.
  uint32_t add(Source source);
  void push(uint32_t source, uint32_t row) { places_.push_back({source, row}); }
  void push_null() { places_.push_back({0, Interner::kNone}); }
  void push_from(const VectorColumn& from, size_t row);  // of the same width; shares its sources

 private:
  struct Place {
    uint32_t source, row;
  };
  std::string name_;
  size_t width_;
  std::vector<Source> sources_;
  std::vector<Place> places_;
};

// Collects vectors in memory, row by row.
class VectorRows {
 public:
  explicit VectorRows(std::string name) : name_(std::move(name)) {}

  // Appends a cell: a list of numbers, or a text that is written as one. Returns false, and appends none, if it is
  // neither null nor a vector of finite numbers, as many as those of the first one.
  bool push(const Column& column, size_t row);
  void push(std::span<const float> vector);
  void push_null() { at_.push_back(Interner::kNone); }
  const std::string& name() const { return name_; }
  size_t width() const { return width_; }           // 0: no vector yet
  void set_width(size_t width) { width_ = width; }  // before the first one
  size_t rows() const { return at_.size(); }

  std::shared_ptr<const VectorColumn> finish();

 private:
  std::string name_;
  size_t width_ = 0;
  std::vector<float> values_;
  std::vector<uint32_t> at_;
  std::vector<float> scratch_;
};

}  // namespace pagoda::columns
