#include "cli/user_lines.h"

#include <utility>

#include "core/file.h"
#include "core/rng.h"
#include "core/section_file.h"
#include "formats/reader.h"

namespace pagoda::cli {

namespace {

// FILE and COLUMN of "FILE:COLUMN"; two empty texts where it is no such thing, or a file of that whole name.
std::pair<std::string, std::string> table_column(const std::string& path) {
  const auto colon = path.rfind(':');
  if (colon == path.npos || colon == 0 || file_exists(path)) return {};
  return {path.substr(0, colon), path.substr(colon + 1)};
}

}  // namespace

UserLines::UserLines(const std::string& path, const retrieval::Retrieval& retrieval) : retrieval_(retrieval) {
  const auto [table, column] = table_column(path);
  from_table_ = path == "all" || !table.empty();
  file_.name = path;
  if (path == "all") {
    const auto& known = retrieval.bundle().user_ids();
    for (uint32_t user = 0; user < known.size(); ++user) ids_.add(known[user]);
    return;
  }
  if (from_table_) {
    const auto reader = formats::open_reader({.paths = {table}, .columns = {column}, .required = {column}});
    columns::RawBatch batch;
    std::string scratch;
    while (reader->next(batch))
      for (size_t row = 0; row < batch.rows; ++row)
        if (const auto id = batch.columns[0].as_text(row, scratch); !id.empty()) ids_.add(id);
    return;
  }
  file_ = files::read_lines(path);
  columns::Notices notices;
  for (size_t line = 0; line < size(); ++line)
    retrieval_.check_names(read(line, &notices), file_.place(file_.lines[line]));
  notices.say();
}

uint64_t UserLines::checksum() const {
  uint64_t sum = size();
  for (size_t line = 0; line < size(); ++line)
    sum = mix64(sum ^ pagoda::checksum(from_table_ ? ids_[static_cast<uint32_t>(line)]
                                                   : std::string_view(file_.lines[line].text)));
  return sum;
}

retrieval::RetrieveRequest UserLines::read(size_t number, columns::Notices* notices) const {
  if (from_table_) {
    retrieval::RetrieveRequest request;
    request.user = std::string(ids_[static_cast<uint32_t>(number)]);
    return request;
  }
  const auto& line = file_.lines[number];
  const auto& bundle = retrieval_.bundle();
  const auto known = [&](std::string_view id) {
    return bundle.info().towers && bundle.user_ids().find(id) != columns::Interner::kNone;
  };
  const auto begins_with_brace = [](std::string_view text) { return text.starts_with('{'); };
  if (begins_with_brace(columns::trim(line.text)) && !known(line.text) && !known(columns::trim(line.text)))
    return retrieval::parse_request(columns::trim(line.text), file_.place(line),
                                    bundle.info().times.value_or(columns::TimeForm{}));
  columns::Notices unheard;
  retrieval::RetrieveRequest request;
  request.user = files::id_of_line(file_, line, known, notices ? *notices : unheard);
  return request;
}

std::string item_of_line(const files::LineFile& file, const files::Line& line, const retrieval::Retrieval& retrieval,
                         columns::Notices& notices) {
  return files::id_of_line(
      file, line, [&](std::string_view id) { return retrieval.find_item(id) != columns::Interner::kNone; }, notices);
}

}  // namespace pagoda::cli
