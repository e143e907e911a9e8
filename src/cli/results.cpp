#include "cli/results.h"

#include <charconv>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "core/file.h"
#include "core/log.h"

namespace pagoda {

namespace {

// Shortest text that reads back to the same float.
void append_score(std::string& out, float score) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, score);
  out.append(text, end.ptr);
}

}  // namespace

ResultWriter::ResultWriter(const std::string& output, const std::string& format, std::string key)
    : key_(std::move(key)) {
  if (!format.empty())
    format_ = format_from_name(format);
  else
    format_ = output == "-" ? Format::jsonl : format_from_path(output);
  if (format_ == Format::parquet) {
    if (output == "-") fail(ErrorKind::usage, "Parquet can not go to stdout; give -o FILE.parquet");
    table_ = open_writer(output,
                         {{key_, ColumnType::text},
                          {key_ == "item" ? "similar" : "item", ColumnType::text},
                          {"rank", ColumnType::integer},
                          {"score", ColumnType::real}},
                         Format::parquet);
  } else if (format_ != Format::tsv && format_ != Format::jsonl) {
    fail(ErrorKind::usage, "lists are written as jsonl, tsv or parquet; say which with --format");
  } else if (output != "-") {
    file_ = std::make_unique<AtomicFile>(output);
  }
}

void ResultWriter::write(const Retrieval& retrieval, const std::vector<std::string>& keys, const SearchResult& found) {
  std::string text;
  RawBatch batch;
  if (table_) {
    batch.columns.resize(4);
    batch.columns[2].type = ColumnType::integer, batch.columns[3].type = ColumnType::real;
  }
  for (size_t q = 0; q < keys.size(); ++q) {
    const auto items = found.items[q];
    const float* scores = found.scores.data() + found.items.offsets[q];
    if (table_) {
      for (size_t r = 0; r < items.size(); ++r) {
        batch.columns[0].push_text(keys[q]);
        batch.columns[1].push_text(retrieval.item_id(items[r]));
        batch.columns[2].integers.push_back(static_cast<int64_t>(r) + 1);
        batch.columns[3].reals.push_back(scores[r]);
        ++batch.rows;
      }
    } else if (format_ == Format::tsv) {
      for (size_t r = 0; r < items.size(); ++r) {
        text += keys[q], text += '\t', text += retrieval.item_id(items[r]), text += '\t', text += std::to_string(r + 1),
            text += '\t';
        append_score(text, scores[r]);
        text += '\n';
      }
    } else {
      text += "{\"" + key_ + "\": " + nlohmann::json(keys[q]).dump() + ", \"items\": [";
      for (size_t r = 0; r < items.size(); ++r)
        text += (r ? ", " : "") + nlohmann::json(std::string(retrieval.item_id(items[r]))).dump();
      text += "], \"scores\": [";
      for (size_t r = 0; r < items.size(); ++r) text += r ? ", " : "", append_score(text, scores[r]);
      text += "]}\n";
    }
  }
  if (table_)
    table_->write(batch);
  else if (file_)
    file_->write(text);
  else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    fail(ErrorKind::failed, "stdout: can not be written");
}

void ResultWriter::close() {
  if (table_) table_->close();
  if (file_) file_->commit();
  if (!table_ && !file_ && std::fflush(stdout) != 0) fail(ErrorKind::failed, "stdout: can not be written");
}

std::vector<Line> read_lines(const std::string& path) {
  std::istringstream file;
  if (path != "-") file.str(read_file(path));
  std::istream& in = path == "-" ? std::cin : file;
  std::vector<Line> lines;
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back({line, number});
  }
  return lines;
}

std::string name_of_lines(const std::string& path) { return path == "-" ? "stdin" : path; }

std::string place_of(const std::string& path, const Line& line) {
  return fmt::format("{}:{}", name_of_lines(path), line.number);
}

std::string say_ids(const std::string& vectors, const std::string& column, const std::string& file) {
  const auto from = !column.empty() ? fmt::format("column '{}'", column) : file;
  log_info("{}: the ids are {}", vectors, from.empty() ? "row numbers, from 0" : "those of " + from);
  return from;
}

std::string title_of(const Bundle& bundle, uint32_t item) {
  const auto* column = bundle.title_column();
  const auto row = bundle.attribute_row(item);
  std::string scratch;
  if (column && row != Interner::kNone)
    if (const auto title = column->as_text(row, scratch); !title.empty()) return std::string(title);
  return std::string(bundle.item_ids()[item]);
}

}  // namespace pagoda
