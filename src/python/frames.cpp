#include "python/frames.h"

#include <arrow/api.h>
#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"

namespace pagoda::python {

namespace nb = nanobind;

namespace {

using AnyArray = nb::ndarray<nb::ro, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void check_arrow(const arrow::Status& status, const std::string& name) {
  if (!status.ok()) fail(ErrorKind::input, "{}: {}", name, status.message());
}
template <class T>
T value_of(arrow::Result<T> result, const std::string& name) {
  check_arrow(result.status(), name);
  return std::move(result).ValueUnsafe();
}

// The memory of a NumPy array, which it keeps alive.
class ArrayBuffer : public arrow::Buffer {
 public:
  explicit ArrayBuffer(AnyArray array)
      : arrow::Buffer(static_cast<const uint8_t*>(array.data()), static_cast<int64_t>(array.nbytes())),
        array_(new AnyArray(std::move(array))) {}
  ~ArrayBuffer() override {
    const nb::gil_scoped_acquire gil;
    delete array_;
  }

 private:
  AnyArray* array_;
};

std::shared_ptr<arrow::DataType> type_of(const nb::dlpack::dtype& dtype) {
  using Code = nb::dlpack::dtype_code;
  const auto code = static_cast<Code>(dtype.code);
  if (code == Code::Int) switch (dtype.bits) {
      case 8: return arrow::int8();
      case 16: return arrow::int16();
      case 32: return arrow::int32();
      case 64: return arrow::int64();
    }
  if (code == Code::UInt) switch (dtype.bits) {
      case 8: return arrow::uint8();
      case 16: return arrow::uint16();
      case 32: return arrow::uint32();
      case 64: return arrow::uint64();
    }
  if (code == Code::Float) switch (dtype.bits) {
      case 16: return arrow::float16();
      case 32: return arrow::float32();
      case 64: return arrow::float64();
    }
  return nullptr;
}

std::shared_ptr<arrow::DataType> named_type(const std::string& name) {
  for (const auto unit :
       {arrow::TimeUnit::SECOND, arrow::TimeUnit::MILLI, arrow::TimeUnit::MICRO, arrow::TimeUnit::NANO})
    if (auto type = arrow::timestamp(unit); type->ToString() == name) return type;
  return nullptr;
}

using Mask = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

std::shared_ptr<arrow::Buffer> validity_of(const nb::object& given, int64_t rows, int64_t& nulls,
                                           const std::string& name) {
  if (given.is_none()) return nullptr;
  const auto mask = nb::cast<Mask>(given);
  if (static_cast<int64_t>(mask.size()) != rows) fail(ErrorKind::input, "{}: its mask has another length", name);
  auto bits = value_of(arrow::AllocateEmptyBitmap(rows), name);
  for (int64_t row = 0; row < rows; ++row)
    if (mask.data()[row])
      ++nulls;
    else
      bits->mutable_data()[row / 8] |= static_cast<uint8_t>(1U << (row % 8));
  return bits;
}

// (values, type, mask)
std::shared_ptr<arrow::Array> numbers_of(const nb::tuple& given, const std::string& name) {
  auto array = nb::cast<AnyArray>(given[0]);
  const auto told = nb::cast<std::string>(given[1]);
  const auto type = told.empty() ? type_of(array.dtype()) : named_type(told);
  if (!type) fail(ErrorKind::input, "{}: arrays of this type are not read{}", name, told.empty() ? "" : ": " + told);
  const auto rows = static_cast<int64_t>(array.size());
  int64_t nulls = 0;
  auto validity = validity_of(given[2], rows, nulls, name);
  return arrow::MakeArray(arrow::ArrayData::Make(
      type, rows, {std::move(validity), std::make_shared<ArrayBuffer>(std::move(array))}, nulls));
}

std::string text_of(PyObject* value) {
  const auto text = nb::steal(PyObject_Str(value));
  if (!text.is_valid()) throw nb::python_error();
  return nb::cast<std::string>(text);
}

bool is_missing(PyObject* value) {
  return value == Py_None || (PyFloat_CheckExact(value) && std::isnan(PyFloat_AsDouble(value))) ||
         std::string_view(nb::type_name(nb::handle(value).type()).c_str()).ends_with("NAType");
}

// Texts, and whatever else has a text of its own, such as UUIDs; numbers among texts become texts as they are written.
std::shared_ptr<arrow::Array> texts_of(const nb::list& values, const std::string& name) {
  arrow::LargeStringBuilder builder;
  for (const auto value : values) {
    if (is_missing(value.ptr())) {
      check_arrow(builder.AppendNull(), name);
    } else if (PyUnicode_Check(value.ptr())) {
      Py_ssize_t length = 0;
      const char* text = PyUnicode_AsUTF8AndSize(value.ptr(), &length);
      if (!text) throw nb::python_error();
      check_arrow(builder.Append(text, length), name);
    } else {
      check_arrow(builder.Append(text_of(value.ptr())), name);
    }
  }
  return value_of(builder.Finish(), name);
}

std::shared_ptr<arrow::Array> integers_of(const nb::list& values, const std::string& name) {
  arrow::Int64Builder builder;
  for (const auto value : values) {
    if (is_missing(value.ptr())) {
      check_arrow(builder.AppendNull(), name);
      continue;
    }
    int overflow = 0;
    const auto number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0) return texts_of(values, name);  // the same id, written out
    if (number == -1 && PyErr_Occurred()) throw nb::python_error();
    check_arrow(builder.Append(number), name);
  }
  return value_of(builder.Finish(), name);
}

std::shared_ptr<arrow::Array> reals_of(const nb::list& values, const std::string& name) {
  arrow::DoubleBuilder builder;
  for (const auto value : values)
    check_arrow(is_missing(value.ptr()) ? builder.AppendNull() : builder.Append(nb::cast<double>(value)), name);
  return value_of(builder.Finish(), name);
}

std::shared_ptr<arrow::Array> booleans_of(const nb::list& values, const std::string& name) {
  arrow::BooleanBuilder builder;
  for (const auto value : values)
    check_arrow(is_missing(value.ptr()) ? builder.AppendNull() : builder.Append(value.ptr() == Py_True), name);
  return value_of(builder.Finish(), name);
}

std::shared_ptr<arrow::Array> objects_of(const nb::list& values, const std::string& name);

std::shared_ptr<arrow::Array> lists_of(const nb::list& values, const std::string& name) {
  nb::list flat;
  std::vector<int64_t> offsets{0};
  arrow::TypedBufferBuilder<bool> valid;
  int64_t nulls = 0;
  for (const auto value : values) {
    const bool missing = is_missing(value.ptr());
    nulls += missing;
    check_arrow(valid.Append(!missing), name);
    if (!missing)
      for (const auto element : value) flat.append(element);
    offsets.push_back(static_cast<int64_t>(nb::len(flat)));
  }
  const auto elements = objects_of(flat, name);
  const auto rows = static_cast<int64_t>(offsets.size()) - 1;
  auto buffer = arrow::Buffer::FromVector(std::move(offsets));
  return arrow::MakeArray(arrow::ArrayData::Make(arrow::large_list(elements->type()), rows,
                                                 {value_of(valid.Finish(), name), std::move(buffer)},
                                                 {elements->data()}, nulls));
}

// By what the values are: all of one kind, or all as texts.
std::shared_ptr<arrow::Array> objects_of(const nb::list& values, const std::string& name) {
  bool integers = true, numbers = true, booleans = true, lists = true, any = false;
  for (const auto value : values) {
    if (is_missing(value.ptr())) continue;
    any = true;
    const bool boolean = PyBool_Check(value.ptr()), integer = PyLong_Check(value.ptr()) && !boolean;
    booleans &= boolean;
    integers &= integer;
    numbers &= integer || PyFloat_Check(value.ptr());
    const bool text = PyUnicode_Check(value.ptr()) || PyBytes_Check(value.ptr()) || PyDict_Check(value.ptr());
    lists &= !text && nb::hasattr(value, "__len__") && nb::hasattr(value, "__iter__");
    if (PyDict_Check(value.ptr())) fail(ErrorKind::input, "{}: holds a dict; make a column of each of its keys", name);
    if (PyBytes_Check(value.ptr())) fail(ErrorKind::input, "{}: holds bytes; decode them to texts", name);
  }
  if (any && lists) return lists_of(values, name);
  if (any && booleans) return booleans_of(values, name);
  if (any && integers) return integers_of(values, name);
  if (any && numbers) return reals_of(values, name);
  return texts_of(values, name);
}

// The other program's own words, and which table it was.
void stream_of(const nb::object& object, const std::string& name, ArrowArrayStream* out) {
  const auto capsule = nb::object(object.attr("__arrow_c_stream__")());
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (!stream) throw nb::python_error();
  if (!stream->release) fail(ErrorKind::input, "{}: its stream was read before", name);
  *out = *stream;
  stream->release = nullptr;
}

}  // namespace

ArrowTable ArrowTable::of(const nb::object& object, const std::string& name) {
  ArrowArrayStream stream{};
  stream_of(object, name, &stream);
  const nb::gil_scoped_release release;
  const auto reader = value_of(arrow::ImportRecordBatchReader(&stream), name);
  return ArrowTable(value_of(reader->ToTable(), name));
}

ArrowTable ArrowTable::of_columns(const std::vector<std::string>& names, const nb::list& columns,
                                  const std::string& name) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  int64_t rows = -1;
  for (size_t c = 0; c < names.size(); ++c) {
    const auto place = name + ": column '" + names[c] + "'";
    const nb::object column = nb::borrow(columns[c]);
    arrays.push_back(nb::isinstance<nb::list>(column) ? objects_of(nb::cast<nb::list>(column), place)
                                                      : numbers_of(nb::cast<nb::tuple>(column), place));
    if (rows >= 0 && arrays.back()->length() != rows)
      fail(ErrorKind::input, "{} has {} rows, '{}' has {}", place, arrays.back()->length(), names[0], rows);
    rows = arrays.back()->length();
    fields.push_back(arrow::field(names[c], arrays.back()->type()));
  }
  return ArrowTable(arrow::Table::Make(arrow::schema(fields), arrays, std::max<int64_t>(0, rows)));
}

std::vector<std::string> ArrowTable::columns() const { return table_->ColumnNames(); }
int64_t ArrowTable::rows() const { return table_->num_rows(); }

void ArrowTable::export_to(ArrowArrayStream* out) const {
  // The reader borrows the table, so it keeps it.
  struct Reader : arrow::RecordBatchReader {
    explicit Reader(std::shared_ptr<arrow::Table> table) : table_(std::move(table)), batches_(*table_) {}
    std::shared_ptr<arrow::Schema> schema() const override { return table_->schema(); }
    arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override { return batches_.ReadNext(batch); }
    std::shared_ptr<arrow::Table> table_;
    arrow::TableBatchReader batches_;
  };
  check_arrow(arrow::ExportRecordBatchReader(std::make_shared<Reader>(table_), out), "table");
}

nb::object ArrowTable::stream() const {
  auto* stream = new ArrowArrayStream{};
  auto capsule = nb::steal(PyCapsule_New(stream, "arrow_array_stream", [](PyObject* of) {
    auto* held = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(of, "arrow_array_stream"));
    if (held->release) held->release(held);
    delete held;
  }));
  if (!capsule.is_valid()) {
    delete stream;
    throw nb::python_error();
  }
  export_to(stream);
  return capsule;
}

formats::MemoryTables memory_tables(const nb::dict& tables) {
  formats::MemoryTables result;
  for (const auto& [name, table] : tables) {
    const auto held = nb::cast<ArrowTable>(table);
    result[nb::cast<std::string>(name)] = [held](ArrowArrayStream* out) { held.export_to(out); };
  }
  return result;
}

void bind_frames(nb::module_& module) {
  nb::class_<ArrowTable>(module, "ArrowTable",
                         "A table of Arrow's, for every program that knows its PyCapsule interface.")
      .def_static("of", &ArrowTable::of, nb::arg("object"), nb::arg("name"))
      .def_static("of_columns", &ArrowTable::of_columns, nb::arg("names"), nb::arg("columns"), nb::arg("name"))
      .def_prop_ro("columns", &ArrowTable::columns)
      .def("__len__", &ArrowTable::rows)
      .def(
          "__arrow_c_stream__", [](const ArrowTable& self, const nb::object&) { return self.stream(); },
          nb::arg("requested_schema") = nb::none());
}

}  // namespace pagoda::python
