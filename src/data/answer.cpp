#include "data/answer.h"

namespace pagoda::data {

namespace {

std::optional<bool> answer_of_number(double number) {
  return number == 0 || number == 1 ? std::optional(number == 1) : std::nullopt;
}

}  // namespace

std::optional<bool> answer_of(std::string_view text) {
  if (const auto number = columns::parse_number(text)) return answer_of_number(*number);
  if (text == "true" || text == "True" || text == "TRUE" || text == "yes") return true;
  if (text == "false" || text == "False" || text == "FALSE" || text == "no") return false;
  return std::nullopt;
}

std::optional<bool> answer_of(const columns::Column& column, size_t row, std::string& scratch) {
  if (const auto number = column.as_number(row)) return answer_of_number(*number);
  return answer_of(column.as_text(row, scratch));
}

}  // namespace pagoda::data
