#include "data/vector_file.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "columns/column.h"
#include "core/error.h"
#include "core/file.h"
#include "core/printable.h"
#include "data/vector_parquet.h"
#include "files/line_file.h"

namespace pagoda::data {

namespace {

// .npy: "\x93NUMPY", u8 major, u8 minor, the header's length (u16 for version 1, u32 from 2), the header (a literal of
// a Python dict, padded with blanks so that the values begin at a multiple of 64), the values. All little-endian.
// Source: the NEP 1 of NumPy, "A Simple File Format for NumPy Arrays".
constexpr std::string_view kMagic = "\x93NUMPY";

constexpr std::string_view kIdsBeside = ".ids.txt";

enum class VectorFormat { npy, fbin, parquet };

VectorFormat format_of(const std::string& path) {
  if (path.ends_with(".npy")) return VectorFormat::npy;
  if (path.ends_with(".fbin")) return VectorFormat::fbin;
  if (path.ends_with(".parquet")) return VectorFormat::parquet;
  fail(ErrorKind::usage, "{}: not a known kind of vector file: name it .npy, .fbin or .parquet", path);
}

template <class T>
T load(std::string_view bytes, size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

struct NpyHeader {
  std::string type;  // "<f4"
  bool fortran_order = false;
  std::vector<size_t> shape;
};

// Parses the dict of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 64), }. Nothing if it is not one.
class NpyHeaderText {
 public:
  explicit NpyHeaderText(std::string_view text) : rest_(text) {}

  std::optional<NpyHeader> read() {
    NpyHeader header;
    int met = 0;
    if (!take("{")) return {};
    while (!take("}")) {
      const auto key = quoted();
      if (!key || !take(":")) return {};
      ++met;
      if (*key == "descr") {
        // The type of a record is a list, not a text.
        const auto type = quoted();
        if (!type) return {};
        header.type = *type;
      } else if (*key == "fortran_order") {
        header.fortran_order = take("True");
        if (!header.fortran_order && !take("False")) return {};
      } else if (*key == "shape") {
        if (!shape(header.shape)) return {};
      } else {
        return {};
      }
      if (!take(",") && columns::trim(rest_).substr(0, 1) != "}") return {};
    }
    if (met != 3) return {};
    return header;
  }

 private:
  bool take(std::string_view word) {
    rest_ = columns::trim(rest_);
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string> quoted() {
    rest_ = columns::trim(rest_);
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return {};
    const size_t end = rest_.find(rest_[0], 1);
    if (end == rest_.npos) return {};
    std::string word(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return word;
  }
  bool shape(std::vector<size_t>& shape) {
    if (!take("(")) return false;
    while (!take(")")) {
      rest_ = columns::trim(rest_);
      size_t digits = 0, n = 0;
      for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits)
        if (__builtin_mul_overflow(n, size_t{10}, &n) || __builtin_add_overflow(n, size_t(rest_[digits] - '0'), &n))
          return false;
      if (digits == 0) return false;
      shape.push_back(n);
      rest_.remove_prefix(digits);
      if (!take(",") && !rest_.starts_with(")")) return false;
    }
    return true;
  }
  std::string_view rest_;
};

// The place, shape and type of the values of a file.
struct Values {
  std::string_view bytes;
  size_t rows = 0, cols = 0;
  size_t size = sizeof(float);  // of a value: 2, 4 or 8 bytes
};

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

void check_size(const std::string& path, const Values& values) {
  const auto [bytes, rows, cols, size] = values;
  if (rows == 0) fail(ErrorKind::input, "{}: holds no vectors", path);
  if (cols == 0) fail(ErrorKind::input, "{}: its vectors have no components", path);
  size_t needed = 0;
  if (__builtin_mul_overflow(rows, cols, &needed) || __builtin_mul_overflow(needed, size, &needed) ||
      needed > bytes.size())
    fail(ErrorKind::input,
         "{}: its header says {} vectors of {} components, but only {} bytes of values follow: "
         "the file is cut short; write it again",
         path, rows, cols, bytes.size());
  if (needed < bytes.size())
    fail(ErrorKind::input,
         "{}: its header says {} vectors of {} components, but {} more bytes follow them: expected one "
         "array of float16, float32 or float64 per file",
         path, rows, cols, bytes.size() - needed);
}

math::Matrix<float> read_values(const std::string& path, const Values& from) {
  math::Matrix<float> values(from.rows, from.cols);
  for (size_t row = 0; row < from.rows; ++row) {
    const auto* at = from.bytes.data() + row * from.cols * from.size;
    if (from.size == sizeof(float)) std::memcpy(values[row], at, from.cols * sizeof(float));
    for (size_t c = 0; c < from.cols && from.size == sizeof(double); ++c)
      values[row][c] = static_cast<float>(load<double>({at, from.cols * from.size}, c * sizeof(double)));
    for (size_t c = 0; c < from.cols && from.size == sizeof(uint16_t); ++c) {
      const auto f16 = load<uint16_t>({at, from.cols * from.size}, c * sizeof(uint16_t));
      math::widen_f16(&f16, 1, &values[row][c]);
    }
    check_finite(path, row, values.row(row));
  }
  return values;
}

Values values_of_npy(const std::string& path, std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) fail(ErrorKind::input, "{}: is not a .npy file; write it with numpy.save", path);
  const size_t before = bytes.size() > 6 && bytes[6] == 1 ? 10 : 12;
  if (bytes.size() < before) fail(ErrorKind::input, "{}: the file is cut short in its header; write it again", path);
  const size_t length = before == 10 ? load<uint16_t>(bytes, 8) : load<uint32_t>(bytes, 8);
  if (bytes[6] < 1 || bytes[6] > 3)
    fail(ErrorKind::input, "{}: .npy version {} is not known; write it with numpy.save", path, int{bytes[6]});
  if (bytes.size() - before < length)
    fail(ErrorKind::input, "{}: the file is cut short in its header; write it again", path);
  const auto header = NpyHeaderText(bytes.substr(before, length)).read();
  if (!header)
    fail(ErrorKind::input, "{}: its header cannot be parsed; expected a plain array of float16, float32 or float64",
         path);
  if (header->shape.size() != 2)
    fail(ErrorKind::input, "{}: an array of {} dimensions, expected 2: one row per vector", path, header->shape.size());
  const size_t rows = header->shape[0], cols = header->shape[1];
  if (header->fortran_order && rows > 1 && cols > 1)
    fail(ErrorKind::input, "{}: its values are in Fortran order; save numpy.ascontiguousarray(x)", path);
  for (const auto& [type, size] : {std::pair("<f2", 2), std::pair("<f4", 4), std::pair("<f8", 8)})
    if (header->type == type) return {bytes.substr(before + length), rows, cols, static_cast<size_t>(size)};
  fail(ErrorKind::input, "{}: values of type '{}', expected '<f2', '<f4' or '<f8'; save x.astype('<f4')", path,
       header->type);
}

std::string npy_header(size_t rows, size_t cols) {
  std::string dict = fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, cols);
  constexpr size_t kBefore = 10, kAlign = 64;
  const size_t all = (kBefore + dict.size() + 1 + kAlign - 1) / kAlign * kAlign;
  dict.resize(all - kBefore - 1, ' ');
  dict += '\n';
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return header + dict;
}

constexpr size_t kFbinHeader = 8;

Values values_of_fbin(const std::string& path, std::string_view bytes) {
  if (bytes.size() < kFbinHeader)
    fail(ErrorKind::input, "{}: the file is cut short in its header; write it again", path);
  return {bytes.substr(kFbinHeader), load<uint32_t>(bytes, 0), load<uint32_t>(bytes, 4)};
}

// Reads ids as write_vectors() writes them; an empty line is an empty id.
std::pair<std::vector<std::string>, std::string> ids_beside(const std::string& path, size_t vectors,
                                                            const VectorColumns& columns) {
  if (!columns.id.empty() || !columns.vector.empty())
    fail(ErrorKind::usage, "{}: has no columns: only a .parquet file has", path);
  const auto beside = path + std::string(kIdsBeside);
  if (!columns.ids || !file_exists(beside)) return {};
  const auto file = files::read_lines(beside, /*blank_too=*/true);
  std::vector<std::string> ids;
  columns::Notices notices;
  for (const auto& line : file.lines) ids.push_back(files::id_of_line(file, line, {}, notices));
  notices.say();
  if (ids.size() != vectors)
    fail(ErrorKind::input,
         "{}: {} ids, but {} has {} vectors: the two belong together; write both again, or remove the file of ids",
         beside, ids.size(), path, vectors);
  return {std::move(ids), beside};
}

Values values_of(const std::string& path, const MappedFile& file) {
  const auto values =
      format_of(path) == VectorFormat::npy ? values_of_npy(path, text_of(file)) : values_of_fbin(path, text_of(file));
  check_size(path, values);
  return values;
}

std::string fbin_header(const std::string& path, size_t rows, size_t cols) {
  if (rows > UINT32_MAX || cols > UINT32_MAX)
    fail(ErrorKind::failed, "{}: {} vectors of {} components are too many for .fbin; write .npy", path, rows, cols);
  const uint32_t shape[] = {static_cast<uint32_t>(rows), static_cast<uint32_t>(cols)};
  return std::string(reinterpret_cast<const char*>(shape), sizeof(shape));
}

}  // namespace

void check_finite(const std::string& path, size_t row, std::span<const float> vector) {
  for (size_t c = 0; c < vector.size(); ++c)
    if (!std::isfinite(vector[c]))
      fail(ErrorKind::input,
           "{}: component {} of row {} (both from 0) is {}, expected a finite number of float32; "
           "leave such rows out",
           path, c, row, vector[c]);
}

Vectors read_vectors(const std::string& path, const VectorColumns& columns) {
  if (format_of(path) == VectorFormat::parquet) return read_parquet_vectors(path, columns);
  const MappedFile file(path);
  const auto values = values_of(path, file);
  auto [ids, from] = ids_beside(path, values.rows, columns);
  return {read_values(path, values), std::move(ids), {}, std::move(from), {}};
}

MappedVectors map_vectors(const std::string& path, const VectorColumns& columns) {
  if (format_of(path) != VectorFormat::parquet) {
    auto file = std::make_shared<const MappedFile>(path);
    const auto [bytes, rows, cols, size] = values_of(path, *file);
    if (size < sizeof(double) && reinterpret_cast<uintptr_t>(bytes.data()) % size == 0) {
      auto [ids, from] = ids_beside(path, rows, columns);
      const auto values =
          size == sizeof(float)
              ? math::RowsView(math::MatrixView(reinterpret_cast<const float*>(bytes.data()), rows, cols))
              : math::RowsView(math::MatrixView(reinterpret_cast<const uint16_t*>(bytes.data()), rows, cols));
      return {values, std::move(ids), {}, std::move(from), {}, file};
    }
  }
  auto read = std::make_shared<Vectors>(read_vectors(path, columns));
  return {read->values,
          std::move(read->ids),
          std::move(read->id_column),
          std::move(read->ids_file),
          std::move(read->vector_column),
          read};
}

void write_vectors(const std::string& path, math::MatrixView<const float> values, const std::vector<std::string>& ids,
                   const std::string& id_name, bool integer_ids) {
  check(ids.empty() || ids.size() == values.rows(), "each vector has an id, or none has");
  const auto form = format_of(path);
  if (form == VectorFormat::parquet) return write_parquet_vectors(path, values, ids, id_name, integer_ids);
  AtomicFile file(path);
  file.write(form == VectorFormat::npy ? npy_header(values.rows(), values.cols())
                                       : fbin_header(path, values.rows(), values.cols()));
  for (size_t row = 0; row < values.rows(); ++row) file.write(values[row], values.cols() * sizeof(float));
  std::optional<AtomicFile> id_file;
  if (!ids.empty()) id_file.emplace(path + std::string(kIdsBeside));
  for (const auto& id : ids) {
    if (const auto why = files::why_not_a_line(id); !why.empty())
      fail(ErrorKind::input, "{}{}: the id '{}' {}, which a line of ids cannot hold; write .parquet", path, kIdsBeside,
           printable(id), why);
    id_file->write(id);
    id_file->write("\n");
  }
  file.flush();  // both are on disk before either takes its name: a full disk leaves the old pair
  if (id_file) id_file->flush();
  file.commit();
  if (id_file) id_file->commit();
}

}  // namespace pagoda::data
