// Row-major matrices: Matrix owns its memory, MatrixView borrows it for the call.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "core/error.h"

namespace pagoda::math {

// `bytes` of zeroed memory, 64-byte aligned; from 4 MiB up aligned to 2 MiB, with huge pages requested (which makes
// reads of random rows of a big table about three times as fast). Throws std::bad_alloc.
struct FreeMemory {
  size_t bytes = 0;
  void operator()(void* p) const;
};
std::unique_ptr<void, FreeMemory> allocate_zeroed(size_t bytes);
// The same in a file in `folder` that vanishes when the memory is freed or the process ends: for arrays that may be
// larger than memory. Error{failed}: no file can be made there.
std::unique_ptr<void, FreeMemory> allocate_in_file(size_t bytes, const char* folder);
// In a file in the folder of set_table_folder(), if the table is large enough to be worth it; else in memory.
// Read-ahead is off, since single rows of a table are read.
std::unique_ptr<void, FreeMemory> allocate_table(size_t bytes);
// Sets the folder for the whole process; "" (the default): tables are in memory. Call it before starting threads.
void set_table_folder(std::string folder);

// Requests huge pages for memory that others allocated: touching 100 MB for the first time then costs a few dozen page
// faults instead of twenty thousand. The system may ignore it; does nothing if the memory is small.
void ask_for_huge_pages(void* p, size_t bytes);

template <class T>
class MatrixView {
 public:
  MatrixView() = default;
  MatrixView(T* data, size_t rows, size_t cols, size_t stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {}
  MatrixView(T* data, size_t rows, size_t cols) : MatrixView(data, rows, cols, cols) {}
  template <class U>
    requires std::is_same_v<const U, T>
  MatrixView(const MatrixView<U>& m) : MatrixView(m.data(), m.rows(), m.cols(), m.stride()) {}

  T* data() const { return data_; }
  size_t rows() const { return rows_; }
  size_t cols() const { return cols_; }
  size_t stride() const { return stride_; }  // elements from one row to the next
  T* operator[](size_t row) const { return data_ + row * stride_; }
  std::span<T> row(size_t r) const { return {data_ + r * stride_, cols_}; }
  MatrixView slice_rows(size_t begin, size_t end) const {
    return {data_ + begin * stride_, end - begin, cols_, stride_};
  }
  MatrixView slice_cols(size_t begin, size_t end) const { return {data_ + begin, rows_, end - begin, stride_}; }

 private:
  T* data_ = nullptr;
  size_t rows_ = 0, cols_ = 0, stride_ = 0;
};

template <class T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(size_t rows, size_t cols) { resize(rows, cols); }
  Matrix(const Matrix& o) : Matrix(o.rows_, o.cols_) { std::copy(o.begin(), o.end(), begin()); }
  Matrix(Matrix&& o) noexcept { swap(o); }
  Matrix& operator=(Matrix o) noexcept {
    swap(o);
    return *this;
  }
  void swap(Matrix& o) noexcept {
    std::swap(memory_, o.memory_);
    std::swap(capacity_, o.capacity_);
    std::swap(rows_, o.rows_);
    std::swap(cols_, o.cols_);
  }

  // Sets a new shape; the content is then unspecified (zero in fresh memory). Keeps its memory if it is large enough,
  // so a workspace that is resized every step allocates once.
  void resize(size_t rows, size_t cols) { resize(rows, cols, allocate_zeroed); }
  // allocate: allocate_zeroed or allocate_table.
  void resize(size_t rows, size_t cols, std::unique_ptr<void, FreeMemory> (*allocate)(size_t)) {
    size_t bytes = 0;
    if (__builtin_mul_overflow(rows, cols, &bytes) || __builtin_mul_overflow(bytes, sizeof(T), &bytes))
      throw std::bad_alloc();
    if (rows * cols > capacity_) {
      memory_.reset();  // before allocating: never both at once
      capacity_ = rows_ = cols_ = 0;
      memory_ = allocate(bytes);
      capacity_ = rows * cols;
    }
    rows_ = rows;
    cols_ = cols;
  }
  void fill(T value) { std::fill(begin(), end(), value); }

  size_t rows() const { return rows_; }
  size_t cols() const { return cols_; }
  size_t size() const { return rows_ * cols_; }
  T* data() { return static_cast<T*>(memory_.get()); }
  const T* data() const { return static_cast<const T*>(memory_.get()); }
  T* begin() { return data(); }
  T* end() { return data() + size(); }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size(); }
  T* operator[](size_t row) { return data() + row * cols_; }
  const T* operator[](size_t row) const { return data() + row * cols_; }
  std::span<T> row(size_t r) { return {(*this)[r], cols_}; }
  std::span<const T> row(size_t r) const { return {(*this)[r], cols_}; }
  std::span<const T> values() const { return {data(), size()}; }
  std::span<T> values() { return {data(), size()}; }
  MatrixView<T> view() { return {data(), rows_, cols_}; }
  MatrixView<const T> view() const { return {data(), rows_, cols_}; }
  operator MatrixView<T>() { return view(); }
  operator MatrixView<const T>() const { return view(); }

 private:
  std::unique_ptr<void, FreeMemory> memory_;
  size_t rows_ = 0, cols_ = 0, capacity_ = 0;
};

}  // namespace pagoda::math
