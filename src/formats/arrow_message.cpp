#include "formats/arrow_message.h"

#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>

#include <algorithm>

#include "formats/arrow_columns.h"
#include "formats/arrow_schema.h"
#include "formats/arrow_types.h"

namespace pagoda::formats {

namespace {

const std::string kMessage = "the message";

template <class T>
T sound(arrow::Result<T> result) {
  if (!result.ok())
    fail(ErrorKind::input, "is no whole Arrow IPC stream ({}): write schema and record batches with a stream writer",
         result.status().message());
  return std::move(result).ValueUnsafe();
}

}  // namespace

std::vector<columns::RawBatch> read_arrow_message(std::string_view bytes, const std::vector<std::string>& columns) {
  if (bytes.empty()) fail(ErrorKind::input, "is empty, expected an Arrow IPC stream");
  const auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(bytes.data()),
                                                      static_cast<int64_t>(bytes.size()));
  std::vector<WideColumn> wide;
  const auto file = patch_arrow_file(std::make_shared<arrow::io::BufferReader>(buffer), wide);
  check_status(file->Seek(0), kMessage);
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  const auto stream = sound(arrow::ipc::RecordBatchStreamReader::Open(file, options));
  const auto& schema = *stream->schema();

  std::vector<std::string> present;
  std::vector<size_t> places;  // of those among `columns`
  for (size_t c = 0; c < columns.size(); ++c)
    if (!schema.GetAllFieldIndices(columns[c]).empty()) {
      present.push_back(columns[c]);
      places.push_back(c);
    }
  columns::Notices notices;
  std::vector<std::string> left_out;
  std::vector<size_t> fields;
  if (!present.empty()) fields = readable_columns(kMessage, schema, present, notices, left_out);

  std::vector<columns::RawBatch> batches;
  uint64_t rows = 0;
  while (const auto record_batch = sound(stream->Next())) {
    const auto valid = record_batch->ValidateFull();
    if (!valid.ok()) fail(ErrorKind::input, "holds no valid Arrow data ({})", valid.message());
    if (record_batch->num_rows() == 0) continue;
    auto& batch = batches.emplace_back();
    batch.rows = static_cast<size_t>(record_batch->num_rows());
    batch.columns.resize(columns.size());
    for (size_t f = 0; f < fields.size(); ++f) {
      const auto number = static_cast<int>(fields[f]);
      const auto wide_column = find_wide(wide, *schema.field(number));
      auto& column = batch.columns[places[f]];
      if (wide_column)
        read_wide_integers(*record_batch->column(number), wide_column->is_signed, column);
      else
        read_array(*record_batch->column(number), column, {notices, kMessage, rows});
    }
    for (size_t c = 0; c < columns.size(); ++c) {
      batch.columns[c].name = columns[c];
      if (std::ranges::find(places, c) == places.end())
        for (size_t row = 0; row < batch.rows; ++row) batch.columns[c].push_null();
    }
    rows += batch.rows;
  }
  return batches;
}

}  // namespace pagoda::formats
