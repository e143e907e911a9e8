#include "data/bad_rows.h"

#include "columns/column.h"
#include "core/error.h"
#include "core/log.h"

namespace pagoda::data {

namespace {

constexpr int64_t kShown = 5;

// The value for a terminal: cut if long; invalid UTF-8 and control characters as \xNN.
std::string shown(std::string_view value) {
  constexpr size_t kLongest = 60;
  std::string text;
  const bool readable = columns::is_utf8(value);
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (i >= kLongest && (c & 0xC0) != 0x80) return text + "...";
    if (c < 0x20 || c == 0x7F || (c >= 0x80 && !readable))
      text += fmt::format("\\x{:02X}", c);
    else
      text += value[i];
  }
  return text;
}

}  // namespace

std::string what_is_bad(std::string_view column, std::string_view value, std::string_view expected) {
  return fmt::format("column '{}' is {}, expected {}", column, value.empty() ? "empty" : "'" + shown(value) + "'",
                     expected);
}

void BadRows::report(const std::function<std::string()>& place, std::string_view column, std::string_view value,
                     std::string_view expected) {
  if (options_.on_bad_row == OnBadRow::skip && count_ >= kShown && count_ < options_.limit) {
    ++count_;  // nobody reads the words
    return;
  }
  report(place, what_is_bad(column, value, expected));
}

void BadRows::report(const std::function<std::string()>& place, const std::string& what) {
  ++count_;
  const auto message = [&] { return fmt::format("{}: {}", place(), what); };
  if (options_.on_bad_row == OnBadRow::fail)
    fail(ErrorKind::input, "{}; set on_bad_row = \"skip\" to go on", message());
  if (count_ > options_.limit)
    fail(ErrorKind::input, "{}; that is more than the {} bad row(s) allowed: correct the data or raise the limit",
         message(), options_.limit);
  if (count_ <= kShown) log_warning("{}; the row is skipped", message());
}

void BadRows::summarise() const {
  if (count_ > 0) log_warning("{} bad row(s) skipped", count_);
}

}  // namespace pagoda::data
