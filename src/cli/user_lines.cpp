#include "cli/user_lines.h"

#include "columns/interner.h"

namespace pagoda {

UserLines::UserLines(const std::string& path, const Retrieval& retrieval)
    : retrieval_(retrieval), file_(read_lines(path)) {
  Notices notices;
  for (size_t line = 0; line < size(); ++line)
    retrieval_.check_names(read(line, &notices), file_.place(file_.lines[line]));
  notices.say();
}

RetrieveRequest UserLines::read(size_t number, Notices* notices) const {
  const auto& line = file_.lines[number];
  const auto& bundle = retrieval_.bundle();
  const auto known = [&](std::string_view id) {
    return bundle.info().towers && bundle.user_ids().find(id) != Interner::kNone;
  };
  const auto begins_with_brace = [](std::string_view text) { return text.starts_with('{'); };
  if (begins_with_brace(trim(line.text)) && !known(line.text) && !known(trim(line.text)))
    return parse_request(trim(line.text), file_.place(line), bundle.info().times.value_or(TimeForm{}));
  Notices unheard;
  RetrieveRequest request;
  request.user = id_of_line(file_, line, known, notices ? *notices : unheard);
  return request;
}

std::string item_of_line(const LineFile& file, const Line& line, const Retrieval& retrieval, Notices& notices) {
  return id_of_line(
      file, line, [&](std::string_view id) { return retrieval.find_item(id) != Interner::kNone; }, notices);
}

}  // namespace pagoda
