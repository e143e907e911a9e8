#include "data/vector_file.h"

#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "formats/arrow_columns.h"
#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

// What numpy.save writes for a header of that version; blanks up to `length` bytes.
std::string npy(int version, std::string dict, size_t length, std::string_view values) {
  dict.resize(length - 1, ' ');
  dict += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (int b = 0; b < (version == 1 ? 2 : 4); ++b) bytes += static_cast<char>(length >> (8 * b) & 0xff);
  return bytes + dict + std::string(values);
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

using Numbers = std::vector<float>;

Numbers numbers(const math::Matrix<float>& m) { return {m.begin(), m.end()}; }

math::Matrix<float> matrix(size_t rows, size_t cols, const Numbers& values) {
  math::Matrix<float> m(rows, cols);
  std::copy(values.begin(), values.end(), m.begin());
  return m;
}

class VectorFile : public files::FilesTest {
 protected:
  void write_table(const std::string& name, const arrow::FieldVector& fields, const arrow::ArrayVector& arrays) {
    const auto sink = arrow::io::FileOutputStream::Open(path(name)).ValueOrDie();
    ASSERT_TRUE(parquet::arrow::WriteTable(*arrow::Table::Make(arrow::schema(fields), arrays),
                                           arrow::default_memory_pool(), sink, 2)
                    .ok());
    ASSERT_TRUE(sink->Close().ok());
  }
};

template <class Builder, class Value>
std::shared_ptr<arrow::Array> array_of(const std::vector<Value>& values) {
  Builder builder;
  for (const auto& v : values) EXPECT_TRUE(builder.Append(v).ok());
  return builder.Finish().ValueOrDie();
}

template <class Builder>
std::shared_ptr<arrow::Array> lists_of(const std::vector<std::vector<double>>& lists) {
  auto values = std::make_shared<Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (const auto& list : lists) {
    EXPECT_TRUE(builder.Append().ok());
    for (const double v : list)
      EXPECT_TRUE((v == -1 ? values->AppendNull() : values->Append(static_cast<typename Builder::value_type>(v))).ok());
  }
  return builder.Finish().ValueOrDie();
}

TEST_F(VectorFile, ANpyOfFloatsOrDoublesInAnyVersionIsReadAsItStands) {
  const auto floats = bytes_of<float>({1, 2, 3, 4, 5, 6});
  const auto doubles = bytes_of<double>({1, 2, 3, 4, 5, 6});
  const std::string f4 = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const std::string f8 = "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f8\"}";
  for (const auto& bytes :
       {npy(1, f4, 118, floats), npy(2, f4, 116, floats), npy(1, f8, 118, doubles), npy(3, f8, 180, doubles)}) {
    const auto read = read_vectors(file("x.npy", bytes));
    EXPECT_EQ(read.values.rows(), 2);
    EXPECT_EQ(read.values.cols(), 3);
    EXPECT_EQ(numbers(read.values), (Numbers{1, 2, 3, 4, 5, 6}));
    EXPECT_TRUE(read.ids.empty());
  }
}

TEST_F(VectorFile, AnNpyOfHalvesIsReadExactlyAndMappedAsItStands) {
  const std::string halves("\x00\x38\x00\xc0\x01\x00\xff\x7b", 8);  // 0.5, -2, 2^-24, 65504
  file("h.npy", npy(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }", 118, halves));
  EXPECT_EQ(numbers(read_vectors(path("h.npy")).values), (Numbers{0.5, -2, 0x1p-24f, 65504}));
  const auto mapped = map_vectors(path("h.npy"));
  EXPECT_EQ(mapped.values.precision(), math::RowPrecision::f16);
  EXPECT_EQ(mapped.values.row(1), (std::vector<float>{0x1p-24f, 65504}));
  EXPECT_EQ(map_vectors(file("f.npy", npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }", 118,
                                          bytes_of<float>({1, 2}))))
                .values.precision(),
            math::RowPrecision::f32);
}

TEST_F(VectorFile, ANpyIsWrittenByteForByteAsNumpySavesIt) {
  write_vectors(path("x.npy"), matrix(2, 3, {1, 2, 3, 4, 5, 6}), {"a", "b c"}, "item");
  // 10 + 118 = 128, a multiple of 64.
  EXPECT_EQ(read_file(path("x.npy")), npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 118,
                                          bytes_of<float>({1, 2, 3, 4, 5, 6})));
  EXPECT_EQ(read_file(path("x.npy.ids.txt")), "a\nb c\n");
}

TEST_F(VectorFile, AViewWithGapsBetweenItsRowsIsWrittenWithoutThem) {
  const auto wide = matrix(2, 3, {1, 2, 9, 3, 4, 9});
  for (const char* name : {"x.npy", "x.fbin", "x.parquet"}) {
    write_vectors(path(name), wide.view().slice_cols(0, 2), {}, "item");
    EXPECT_EQ(numbers(read_vectors(path(name)).values), (Numbers{1, 2, 3, 4})) << name;
  }
  EXPECT_FALSE(file_exists(path("x.npy.ids.txt")));
}

TEST_F(VectorFile, AnFbinIsTwoCountsAndItsFloats) {
  write_vectors(path("x.fbin"), matrix(2, 2, {1, 2, 3, 4}), {}, "item");
  EXPECT_EQ(read_file(path("x.fbin")), bytes_of<uint32_t>({2, 2}) + bytes_of<float>({1, 2, 3, 4}));
  const auto read = read_vectors(path("x.fbin"));
  EXPECT_EQ(read.values.rows(), 2);
  EXPECT_EQ(numbers(read.values), (Numbers{1, 2, 3, 4}));
}

TEST_F(VectorFile, ParquetKeepsIdsAndVectorsTogetherOverManyBlocks) {
  constexpr size_t kRows = 40000;
  math::Matrix<float> values(kRows, 2);
  std::vector<std::string> ids;
  for (size_t i = 0; i < kRows; ++i) {
    values[i][0] = static_cast<float>(i);
    values[i][1] = 0.5f;
    ids.push_back("i" + std::to_string(i));
  }
  write_vectors(path("x.parquet"), values, ids, "item");
  const auto read = read_vectors(path("x.parquet"));
  EXPECT_EQ(read.ids, ids);
  EXPECT_EQ(numbers(read.values), numbers(values));
  EXPECT_EQ(formats::read_rows(path("x.parquet"))[7], (std::vector<std::string>{"i7", "7|0.5"}));
}

TEST_F(VectorFile, ParquetOfOthersIsReadByTheTypesOfItsColumns) {
  write_table(
      "x.parquet",
      {arrow::field("score", arrow::float32()), arrow::field("e", arrow::list(arrow::float64())),
       arrow::field("key", arrow::int64())},
      {array_of<arrow::FloatBuilder, float>({9, 9, 9}), lists_of<arrow::DoubleBuilder>({{1, 2}, {3, 4}, {5, 6}}),
       array_of<arrow::Int64Builder, int64_t>({70, 80, 90})});
  const auto read = read_vectors(path("x.parquet"));
  EXPECT_EQ(numbers(read.values), (Numbers{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(read.ids, (std::vector<std::string>{"70", "80", "90"}));

  write_table("y.parquet", {arrow::field("e", arrow::list(arrow::float32()))},
              {lists_of<arrow::FloatBuilder>({{1}, {2}, {3}})});
  EXPECT_EQ(numbers(read_vectors(path("y.parquet")).values), (Numbers{1, 2, 3}));
  EXPECT_TRUE(read_vectors(path("y.parquet")).ids.empty());
}

TEST_F(VectorFile, TensorsOfParquetAreVectors) {
  auto floats = std::make_shared<arrow::FloatBuilder>();
  arrow::FixedSizeListBuilder lists(arrow::default_memory_pool(), floats, 2);
  for (const float value : {1.f, 3.f})
    ASSERT_TRUE(lists.Append().ok() && floats->Append(value).ok() && floats->Append(value + 1).ok());
  const auto tensors = arrow::ExtensionType::WrapArray(arrow::extension::fixed_shape_tensor(arrow::float32(), {2}),
                                                       lists.Finish().ValueOrDie());
  const auto table = arrow::Table::Make(arrow::schema({arrow::field("t", tensors->type())}), {tensors});
  const auto sink = arrow::io::FileOutputStream::Open(path("t.parquet")).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 2,
                                         parquet::default_writer_properties(),
                                         parquet::ArrowWriterProperties::Builder().store_schema()->build())
                  .ok());
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(numbers(read_vectors(path("t.parquet")).values), (Numbers{1, 2, 3, 4}));
}

TEST_F(VectorFile, ColumnsOfParquetAreToldByTheirNames) {
  const auto years = array_of<arrow::Int64Builder, int64_t>({1990, 1990});
  const auto ids = array_of<arrow::Int64Builder, int64_t>({7, 9007199254740993});
  const auto names = array_of<arrow::StringBuilder, std::string>({"a", "b"});
  const auto one = lists_of<arrow::FloatBuilder>({{1}, {2}}), two = lists_of<arrow::DoubleBuilder>({{3, 4}, {5, 6}});
  const auto says = [&](const VectorColumns& columns, std::string_view part) {
    const auto caught = files::error_of([&] { read_vectors(path("x.parquet"), columns); });
    EXPECT_TRUE(caught.says(part)) << caught.message;
  };
  const auto column = [](const char* name, const std::shared_ptr<arrow::Array>& of) {
    return arrow::field(name, of->type());
  };

  write_table("x.parquet", {column("year", years), column("item_id", ids), column("v", one)}, {years, ids, one});
  auto read = read_vectors(path("x.parquet"));
  EXPECT_EQ(read.ids, (std::vector<std::string>{"7", "9007199254740993"}));
  EXPECT_EQ(read.id_column, "item_id");
  EXPECT_EQ(read_vectors(path("x.parquet"), {.id = "year"}).ids[1], "1990");
  EXPECT_TRUE(read_vectors(path("x.parquet"), {.ids = false}).ids.empty());
  says({.id = "itemid"}, "has no column 'itemid'; did you mean 'item_id'?");
  says({.id = "v"}, "column 'v' holds lists, not ids");
  says({.vector = "year"}, "column 'year' does not hold lists of floats, but int64");

  write_table("x.parquet", {column("year", years), column("name", names), column("v", one)}, {years, names, one});
  says({}, "which column holds the ids is not clear: 'year', 'name'; name it with --id");
  EXPECT_EQ(read_vectors(path("x.parquet"), {.id = "name"}).ids[0], "a");

  write_table("x.parquet", {column("id", ids), column("item", names), column("v", one)}, {ids, names, one});
  says({}, "which column holds the ids is not clear: 'item', 'id'; name it with --id");
  write_table("x.parquet", {column("id", ids), column("title", names), column("v", one)}, {ids, names, one});
  EXPECT_EQ(read_vectors(path("x.parquet")).id_column, "id");

  write_table("x.parquet", {column("a", one), column("b", two)}, {one, two});
  says({}, "which column holds the vectors is not clear: 'a', 'b'; name it with --vector");
  EXPECT_EQ(numbers(read_vectors(path("x.parquet"), {.vector = "b"}).values), (Numbers{3, 4, 5, 6}));
  write_table("x.parquet", {column("genres", one), column("vector", two)}, {one, two});
  EXPECT_EQ(numbers(read_vectors(path("x.parquet")).values), (Numbers{3, 4, 5, 6}));
}

TEST_F(VectorFile, ARowWithoutIdOrVectorIsRefusedAndSoIsAFileOfNone) {
  arrow::Int64Builder holes;
  ASSERT_TRUE(holes.AppendValues({1, 2}).ok() && holes.AppendNull().ok());
  const auto ids = *holes.Finish();
  const auto vectors = lists_of<arrow::FloatBuilder>({{1}, {2}, {3}});
  write_table("x.parquet", {arrow::field("id", ids->type()), arrow::field("v", vectors->type())}, {ids, vectors});
  EXPECT_TRUE(
      files::error_of([&] { read_vectors(path("x.parquet")); }).says("row 2 (from 0) has no id in column 'id'"));
  const auto blank = array_of<arrow::StringBuilder, std::string>({"a", "", "c"});
  write_table("x.parquet", {arrow::field("id", blank->type()), arrow::field("v", vectors->type())}, {blank, vectors});
  EXPECT_TRUE(
      files::error_of([&] { read_vectors(path("x.parquet")); }).says("row 1 (from 0) has no id in column 'id'"));
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::FloatBuilder>());
  ASSERT_TRUE(lists.Append().ok() && static_cast<arrow::FloatBuilder*>(lists.value_builder())->Append(1).ok());
  ASSERT_TRUE(lists.AppendNull().ok());
  const auto missing = *lists.Finish();
  write_table("x.parquet", {arrow::field("v", missing->type())}, {missing});
  EXPECT_TRUE(files::error_of([&] { read_vectors(path("x.parquet")); }).says("row 1 (from 0) has no v"));
  const auto none = lists_of<arrow::FloatBuilder>({});
  write_table("x.parquet", {arrow::field("v", none->type())}, {none});
  EXPECT_TRUE(files::error_of([&] { read_vectors(path("x.parquet")); }).says("holds no vectors"));
  file("x.fbin", bytes_of<uint32_t>({0, 3}));
  EXPECT_TRUE(files::error_of([&] { read_vectors(path("x.fbin")); }).says("holds no vectors"));
}

TEST_F(VectorFile, IdsBesideAFileAreReadBackExactly) {
  for (const auto* name : {"x.npy", "x.fbin"}) {
    const std::vector<std::string> ids{"a", "b c", "{d}", "c\""};
    write_vectors(path(name), matrix(4, 1, {1, 2, 3, 4}), ids, "item");
    EXPECT_EQ(read_vectors(path(name)).ids, ids);
    EXPECT_EQ(read_vectors(path(name)).ids_file, path(name) + ".ids.txt");
    EXPECT_EQ(map_vectors(path(name)).ids, ids);
    EXPECT_TRUE(read_vectors(path(name), {.ids = false}).ids.empty());
    file(std::string(name) + ".ids.txt", "a\r\nb\r\n");
    const auto caught = files::error_of([&] { map_vectors(path(name)); });
    EXPECT_TRUE(caught.says("2 ids, but") && caught.says("4 vectors")) << caught.message;
  }
}

TEST_F(VectorFile, WhatIsNoRectangleOfFiniteNumbersIsRefusedWithItsRow) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const auto error = [&](const std::string& name, const std::string& bytes) {
    file(name, bytes);
    const auto caught = files::error_of([&] { read_vectors(path(name)); });
    EXPECT_EQ(caught.kind, ErrorKind::input) << caught.message;
    EXPECT_TRUE(caught.says(path(name))) << caught.message;
    return caught;
  };
  EXPECT_TRUE(
      error("nan.fbin", bytes_of<uint32_t>({2, 2}) + bytes_of<float>({1, 2, 3, kNan})).says("component 1 of row 1"));
  EXPECT_TRUE(error("big.npy",
                    npy(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1)}", 118, bytes_of<double>({1e300})))
                  .says("component 0 of row 0"));

  const auto ragged = lists_of<arrow::FloatBuilder>({{1, 2}, {3, 4}, {5}});
  write_table("ragged.parquet", {arrow::field("e", ragged->type())}, {ragged});
  EXPECT_TRUE(files::error_of([&] { read_vectors(path("ragged.parquet")); }).says("row 2 (from 0) has 1 components"));
  const auto holes = lists_of<arrow::FloatBuilder>({{1, 2}, {3, -1}});
  write_table("holes.parquet", {arrow::field("e", holes->type())}, {holes});
  EXPECT_TRUE(files::error_of([&] { read_vectors(path("holes.parquet")); }).says("component 1 of row 1"));
  write_table("none.parquet", {arrow::field("e", arrow::float32())}, {array_of<arrow::FloatBuilder, float>({1, 2})});
  EXPECT_TRUE(files::error_of([&] { read_vectors(path("none.parquet")); }).says("no column of lists"));
}

TEST_F(VectorFile, AFileCutShortOrOfAnotherShapeOrTypeIsRefused) {
  const auto says = [&](const std::string& name, const std::string& bytes, std::string_view part) {
    file(name, bytes);
    const auto caught = files::error_of([&] { read_vectors(path(name)); });
    EXPECT_EQ(caught.kind, ErrorKind::input);
    EXPECT_TRUE(caught.says(part)) << caught.message;
  };
  const auto floats = bytes_of<float>({1, 2, 3, 4});
  const auto header = [](std::string_view type, std::string_view order, std::string_view shape) {
    return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type, order, shape);
  };
  says("a.npy", npy(1, header("<f4", "False", "(3, 2)"), 118, floats), "cut short");
  says("a.npy", npy(1, header("<f4", "False", "(1, 2)"), 118, floats), "8 more bytes follow");
  says("a.npy", npy(1, header("<f4", "False", "(4611686018427387905, 4)"), 118, floats), "cut short");
  says("a.npy", npy(1, header("<f4", "False", "(99999999999999999999999, 4)"), 118, floats), "cannot be parsed");
  says("a.npy", npy(1, header("<f4", "False", "(4,)"), 118, floats), "1 dimensions");
  says("a.npy", npy(1, header("<f4", "True", "(2, 2)"), 118, floats), "Fortran");
  says("a.npy", npy(1, header("<c8", "False", "(1, 3)"), 118, floats), "astype");
  says("a.npy", npy(1, header(">f4", "False", "(2, 2)"), 118, floats), "astype");
  says("a.npy", npy(1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (4, 1)}", 118, floats),
       "cannot be parsed");
  says("a.npy", npy(1, header("<f4", "False", "(4, 0)"), 118, ""), "no components");
  says("a.npy", npy(1, header("<f4", "False", "(2, 2)"), 118, "").substr(0, 60), "cut short in its header");
  says("a.npy", "\x93NUMPY\x01", "cut short in its header");
  says("a.npy", "", "not a .npy file");
  says("a.fbin", bytes_of<uint32_t>({2, 3}) + floats, "cut short");
  says("a.fbin", "abc", "cut short in its header");
  says("a.parquet", "PAR1 and no more", "cannot be read");
  EXPECT_EQ(files::error_of([&] { read_vectors(path("missing.npy")); }).kind, ErrorKind::input);
  EXPECT_EQ(files::error_of([&] { read_vectors(path("x.txt")); }).kind, ErrorKind::usage);
}

TEST_F(VectorFile, AFailedWriteLeavesTheOldFileAndNothingElse) {
  write_vectors(path("x.npy"), matrix(1, 1, {1}), {"a"}, "item");
  const auto before = read_file(path("x.npy"));
  EXPECT_TRUE(
      files::error_of([&] { write_vectors(path("x.npy"), matrix(1, 1, {2}), {"a\nb"}, "item"); }).says("line end"));
  EXPECT_EQ(read_file(path("x.npy")), before);
  EXPECT_EQ(read_file(path("x.npy.ids.txt")), "a\n");
  EXPECT_EQ(files::error_of([&] { write_vectors(path("no/x.parquet"), matrix(1, 1, {2}), {}, "item"); }).kind,
            ErrorKind::failed);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 2);
}

}  // namespace
}  // namespace pagoda::data
