#include "cli/results.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "columns/decimal.h"
#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "files/line_file.h"

namespace pagoda::cli {

namespace {

// Appends the shortest text that reads back to the same float.
void append_score(std::string& out, float score) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, score);
  out.append(text, end.ptr);
}

files::Format format_of(const ResultForm& form) {
  files::check_output_name(form.output);
  const auto by_name = files::format_named_by(form.output);
  if (form.format.empty()) return form.output == "-" ? files::Format::jsonl : files::format_from_path(form.output);
  const auto format = files::format_from_name(form.format);
  // A .txt may have any format of lines.
  if (by_name && *by_name != format && *by_name != files::Format::adjacency)
    fail(ErrorKind::usage, "-o {}: its name says another format than --format {}; leave one of them out", form.output,
         form.format);
  return format;
}

}  // namespace

void push_id(columns::Column& column, std::string_view id) {
  if (column.type == columns::ColumnType::text) return column.push_text(id);
  const auto value = columns::canonical_int64(id);
  value ? column.push_integer(*value) : column.push_null();
}

bool all_integers(const char* what, size_t n, const std::function<std::string_view(size_t)>& id) {
  for (size_t i = 0; i < n; ++i) {
    if (id(i).empty() || columns::canonical_int64(id(i))) continue;
    log_warning("the model's {} ids are integers, but '{}' is none: written as text", what, printable(id(i)));
    return false;
  }
  return true;
}

bool all_integers(const char* what, const std::vector<std::string>& ids) {
  return all_integers(what, ids.size(), [&](size_t i) { return std::string_view(ids[i]); });
}

namespace {

void check_cells(const retrieval::Retrieval& retrieval, const std::string& key, const std::vector<std::string>& keys) {
  const auto check_one = [&](const std::string& what, std::string_view id) {
    if (const auto why = files::why_not_a_tsv_cell(id); !why.empty())
      fail(ErrorKind::input, "the id '{}' of {} {}, which a line of TSV cannot hold: write --format jsonl, or Parquet",
           printable(id), what, why);
  };
  for (const auto& one : keys) check_one(key == "item" ? "an item" : "a user", one);
  for (size_t i = 0; i < retrieval.items(); ++i) check_one("an item", retrieval.item_id(static_cast<uint32_t>(i)));
}

// The format of the lists. Error{usage}: it is none of theirs, or does not fit the output.
files::Format checked_format(const ResultForm& form) {
  const auto format = format_of(form);
  if (format == files::Format::parquet && form.output == "-")
    fail(ErrorKind::usage, "Parquet cannot go to stdout; give -o FILE.parquet");
  if (format != files::Format::parquet && format != files::Format::tsv && format != files::Format::jsonl)
    fail(ErrorKind::usage, "lists are written as jsonl, tsv or parquet; say which with --format");
  return format;
}

}  // namespace

ResultIds result_ids(const ResultForm& form, const retrieval::Retrieval& retrieval,
                     const std::vector<std::string>& keys) {
  const auto format = checked_format(form);
  if (format == files::Format::tsv) check_cells(retrieval, form.key, keys);
  if (format != files::Format::parquet) return {};
  const auto& info = retrieval.bundle().info();
  ResultIds ids;
  ids.integer_items = info.integer_items && all_integers("item", retrieval.items(), [&](size_t i) {
                        return retrieval.item_id(static_cast<uint32_t>(i));
                      });
  ids.integer_keys = form.key == "item" ? ids.integer_items : info.integer_users && all_integers("user", keys);
  return ids;
}

ResultWriter::ResultWriter(const ResultForm& form, const retrieval::Retrieval& retrieval, const ResultIds& ids)
    : retrieval_(retrieval), key_(form.key), format_(checked_format(form)), ids_(ids) {
  if (format_ != files::Format::parquet) {
    lines_ = files::open_sink(form.output);
    return;
  }
  const auto type = [](bool integers) { return integers ? columns::ColumnType::integer : columns::ColumnType::text; };
  table_ = formats::open_writer(form.output,
                                {{key_, type(ids_.integer_keys)},
                                 {key_ == "item" ? "similar" : "item", type(ids_.integer_items)},
                                 {"rank", columns::ColumnType::integer},
                                 {"score", columns::ColumnType::real}},
                                files::Format::parquet);
}

void ResultWriter::write_table(const std::vector<std::string>& keys, const index::SearchResult& found) {
  columns::RawBatch batch;
  batch.columns.resize(4);
  if (ids_.integer_keys) batch.columns[0].type = columns::ColumnType::integer;
  if (ids_.integer_items) batch.columns[1].type = columns::ColumnType::integer;
  batch.columns[2].type = columns::ColumnType::integer;
  batch.columns[3].type = columns::ColumnType::real;
  for (size_t q = 0; q < keys.size(); ++q) {
    const auto items = found.items[q];
    for (size_t r = 0; r < items.size(); ++r) {
      push_id(batch.columns[0], keys[q]);
      push_id(batch.columns[1], std::string(retrieval_.item_id(items[r])));
      batch.columns[2].integers.push_back(static_cast<int64_t>(r) + 1);
      batch.columns[3].reals.push_back(found.scores[found.items.offsets[q] + r]);
      ++batch.rows;
    }
  }
  table_->write(batch);
}

void ResultWriter::write(const std::vector<std::string>& keys, const index::SearchResult& found) {
  if (table_) return write_table(keys, found);
  std::string text;
  for (size_t q = 0; q < keys.size(); ++q) {
    const auto items = found.items[q];
    const float* scores = found.scores.data() + found.items.offsets[q];
    if (format_ == files::Format::tsv) {
      for (size_t r = 0; r < items.size(); ++r) {
        text += keys[q];
        text += '\t';
        text += retrieval_.item_id(items[r]);
        text += '\t';
        text += std::to_string(r + 1);
        text += '\t';
        append_score(text, scores[r]);
        text += '\n';
      }
    } else {
      text += "{\"" + key_ + "\": " + nlohmann::json(keys[q]).dump() + ", \"items\": [";
      for (size_t r = 0; r < items.size(); ++r)
        text += (r ? ", " : "") + nlohmann::json(std::string(retrieval_.item_id(items[r]))).dump();
      text += "], \"scores\": [";
      for (size_t r = 0; r < items.size(); ++r) {
        text += r ? ", " : "";
        append_score(text, scores[r]);
      }
      text += "]}\n";
    }
  }
  lines_->write(text);
}

void ResultWriter::close() {
  if (table_) table_->close();
  if (lines_) lines_->close();
}

std::string say_ids(const std::string& vectors, const std::string& column, const std::string& file) {
  const auto from = !column.empty() ? fmt::format("column '{}'", column) : file;
  log_info("{}: the ids are {}", vectors, from.empty() ? "row numbers, from 0" : "those of " + from);
  return from;
}

std::string title_of(const model::Bundle& bundle, uint32_t item) {
  const auto* column = bundle.title_column();
  const auto row = bundle.attribute_row(item);
  std::string scratch;
  if (column && row != columns::Interner::kNone)
    if (const auto title = column->as_text(row, scratch); !title.empty()) return std::string(title);
  return std::string(bundle.item_ids()[item]);
}

}  // namespace pagoda::cli
