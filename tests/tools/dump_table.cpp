// Tables as our readers see them, for tests that compare with what other programs wrote and read.
//
//   dump_table           reads requests from stdin, a line each, and answers each with a line:
//     {"paths": ["x.parquet"], "columns": ["a"], "format": "parquet", "batch_rows": 7, "coded": true}
//   ->  {"columns": {"a": {"types": ["integer"], "precision": 64, "cells": ["1", null, ["list", "of texts"]],
//        "times": [1000000, null, null]}}, "notices": ["..."]}
//   ->  {"error": "...", "kind": "input"}
//
// All but "paths" may be left out. A cell is its canonical text; a time what the reader takes the cell for as a time, in
// microseconds since 1970.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/reader.h"

namespace pagoda {
namespace {

using nlohmann::json;

json cell_of(const columns::Column& column, size_t row, std::string& scratch) {
  if (column.is_null(row)) return nullptr;
  if (column.type != columns::ColumnType::texts) return column.as_text(row, scratch);
  json elements = json::array();
  column.for_each_element(row, '\0', [&](std::string_view element) { elements.push_back(element); });
  return elements;
}

void append(const columns::Column& column, size_t rows, json& seen) {
  const std::string type(columns::name_of(column.type));
  auto& types = seen["types"];
  if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  seen["precision"] = column.precision == columns::RealPrecision::f64   ? 64
                      : column.precision == columns::RealPrecision::f32 ? 32
                                                                        : 16;
  std::string scratch;
  for (size_t row = 0; row < rows; ++row) {
    seen["cells"].push_back(cell_of(column, row, scratch));
    const auto time = column.as_time_us(row);
    seen["times"].push_back(time ? json(*time) : json(nullptr));
  }
}

json answer(const json& request) {
  formats::ReaderOptions options;
  options.paths = request.at("paths").get<std::vector<std::string>>();
  options.columns = request.value("columns", std::vector<std::string>());
  if (request.contains("format")) options.format = files::format_from_name(request["format"].get<std::string>());
  options.batch_rows = request.value("batch_rows", options.batch_rows);
  options.coded = request.value("coded", false);
  const auto reader = formats::open_reader(options);
  json columns = json::object();
  for (const auto& name : reader->columns())
    columns[name] = {{"types", json::array()}, {"cells", json::array()}, {"times", json::array()}};
  columns::RawBatch batch;
  while (reader->next(batch))
    for (const auto& column : batch.columns) append(column, batch.rows, columns[column.name]);
  return {{"columns", columns}, {"notices", reader->notices().texts()}};
}

}  // namespace
}  // namespace pagoda

int main() {
  using pagoda::ErrorKind;
  for (std::string line; std::getline(std::cin, line);) {
    nlohmann::json out;
    try {
      out = pagoda::answer(nlohmann::json::parse(line));
    } catch (const pagoda::Error& error) {
      out = {{"error", error.what()}, {"kind", error.kind() == ErrorKind::input ? "input" : "other"}};
    }
    std::puts(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    std::fflush(stdout);
  }
}
