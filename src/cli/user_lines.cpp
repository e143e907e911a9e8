#include "cli/user_lines.h"

#include "columns/interner.h"

namespace pagoda::cli {

UserLines::UserLines(const std::string& path, const retrieval::Retrieval& retrieval)
    : retrieval_(retrieval), file_(files::read_lines(path)) {
  columns::Notices notices;
  for (size_t line = 0; line < size(); ++line)
    retrieval_.check_names(read(line, &notices), file_.place(file_.lines[line]));
  notices.say();
}

retrieval::RetrieveRequest UserLines::read(size_t number, columns::Notices* notices) const {
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
