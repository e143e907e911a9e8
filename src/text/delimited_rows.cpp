#include "text/delimited_rows.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "core/error.h"
#include "core/printable.h"
#include "text/delimited_form.h"

namespace pagoda::text {

namespace {

// "'7', '101', ...": enough to recognise a row.
std::string shown(const std::vector<std::string_view>& cells) {
  std::string text;
  for (size_t c = 0; c < cells.size() && c < 6; ++c) {
    text += fmt::format("{}'{}'", c ? ", " : "", printable(cells[c], 24));
  }
  return text + (cells.size() > 6 ? ", ..." : "");
}

std::string toml_list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", name);
  return "[" + text + "]";
}

std::string_view without_mark(std::string_view text) {
  const bool marked = text.size() >= 3 && std::memcmp(text.data(), "\xef\xbb\xbf", 3) == 0;  // inlined, for each row
  return marked ? text.substr(3) : text;
}

}  // namespace

DelimitedRows::DelimitedRows(const FileOptions& options, std::string_view usual)
    : lines_(options.path, options.form.encoding), notices_(options.notices), keys_(options.form.keys),
      quoting_(options.form.quoting), comment_(options.form.comment == "auto" ? "" : options.form.comment) {
  const auto form = find_form(lines_.ahead(), lines_.all_read(), usual, options.form);
  separator_ = form.separator;
  if (separator_ != usual && options.form.separator == "auto")
    notices_->add("",
                  fmt::format("file(s) have {} between the cells, as their lines show, and not {}",
                              in_words(separator_), in_words(usual)),
                  1, [&] { return options.path; });
  std::string_view passed;
  for (size_t n = 0; n < form.lines_before && lines_.next(passed); ++n)
    if (passed.starts_with('#'))
      notices_->add("", "line(s) at the start of a file begin with '#' and were skipped", 1, [&] { return place(); });
  if (!next_row(first_))
    fail(ErrorKind::input, "{}: the file is empty; its first line should name the columns", options.path);
  take_names(options, form.marked, form.rows);
}

// Takes the column names from the first row, or from options.form; then the first row holds values.
void DelimitedRows::take_names(const FileOptions& options, bool marked, const std::vector<TextRow>& rows) {
  const auto& form = options.form;
  const bool like_data = looks_like_data(rows) && !marked;
  const bool named_so =
      std::ranges::equal(first_, form.columns, {}, [](std::string_view s) { return columns::trim(s); });
  const auto remedy = [&](const std::vector<std::string>& names) {
    if (form.keys.empty())
      return fmt::format("write the names of the columns as its first line, such as {}", toml_list(names));
    return fmt::format("set {0}header = false and {0}columns = {1}, or {0}header = true if these are names", form.keys,
                       toml_list(names));
  };
  bool has_header =
      form.header == columns::Header::yes || (form.header == columns::Header::automatic && !like_data) || named_so;
  if (form.header == columns::Header::automatic && form.columns.empty() && like_data)
    fail(ErrorKind::input, "{}: its first line ({}) looks like data, not like names of columns; {}", options.path,
         shown(first_), remedy(propose_names(rows, form)));
  if (form.header == columns::Header::automatic && !form.columns.empty() && !like_data && !named_so)
    fail(ErrorKind::usage,
         "{}: {}columns names the columns, but it is not clear whether the first line ({}) does, too; set {}header = "
         "true "
         "or false",
         options.path, form.keys, shown(first_), form.keys);
  if (!form.columns.empty()) {
    const std::set<std::string> distinct(form.columns.begin(), form.columns.end());
    if (distinct.size() < form.columns.size() || distinct.contains(""))
      fail(ErrorKind::usage, "{}columns = {} names two columns alike, or one not at all", form.keys,
           toml_list(form.columns));
    const bool empty_last = form.columns.size() + 1 == first_.size() && columns::trim(first_.back()).empty();
    if (!has_header && form.columns.size() != first_.size() && !empty_last)
      fail(ErrorKind::usage, "{}: {}columns names {} column(s), but its first line ({}) has {} value(s)", options.path,
           form.keys, form.columns.size(), shown(first_), first_.size());
    names_ = form.columns;
  }
  find_trailing_separator(rows, form.columns.empty() && has_header ? first_.size() : form.columns.size(), has_header);
  if (!has_header) {
    if (names_.empty())
      for (size_t c = 0; c < first_.size(); ++c) names_.push_back(fmt::format("column_{}", c + 1));
    first_waits_ = true;
    return;
  }
  for (const auto cell : first_) header_.emplace_back(cell);
  if (names_.empty()) clean_names(options, marked);
}

// Some programs end every line with a separator, the first one of names too or all but that: no column follows it.
void DelimitedRows::find_trailing_separator(const std::vector<TextRow>& rows, size_t named, bool has_header) {
  const bool header_too = has_header && named == first_.size() && named > 1 && columns::trim(first_.back()).empty();
  const size_t width = named + (header_too ? 0 : 1);
  if (named < 2 || rows.size() <= (has_header ? 1u : 0u)) return;
  for (size_t r = has_header ? 1 : 0; r < rows.size(); ++r)
    if (rows[r].size() != width || !columns::trim(rows[r].back()).empty()) return;
  trailing_width_ = width;
  if (header_too || !has_header) first_.pop_back();
  notices_->add("", "file(s) have a separator at the end of each line, which is not taken for a column", 1,
                [&] { return lines_.path(); });
}

// Strips surrounding blanks, a leading '#' and the type suffixes of RecBole from the header's cells, and names the
// columns that have no name.
void DelimitedRows::clean_names(const FileOptions& options, bool marked) {
  const auto wanted_so = [&](const std::string& name) { return std::ranges::count(options.columns, name) > 0; };
  const auto place = [&] { return this->place(); };
  for (const auto& cell : header_) names_.emplace_back(columns::trim(cell));
  if (marked && !wanted_so(names_[0])) {
    names_[0].erase(0, names_[0].find_first_not_of("# \t"));
    notices_->add(names_[0], "header begins with '#', which is not part of the name", 1, place);
  }
  const auto type_at = [](const std::string& name) {
    for (const std::string_view type : {":token", ":float", ":token_seq", ":float_seq"})
      if (name.ends_with(type)) return name.size() - type.size();
    return size_t{0};
  };
  if (std::ranges::all_of(names_, [&](const auto& name) { return type_at(name) > 0 && !wanted_so(name); }))
    for (auto& name : names_) {
      notices_->add("", "name(s) of columns are read without their type, as in 'user_id:token'", 1, place);
      name.resize(type_at(name));
    }
  for (size_t c = 0; c < names_.size(); ++c) {
    if (!names_[c].empty()) continue;
    names_[c] = fmt::format("column_{}", c + 1);
    notices_->add(names_[c], "header has no name for the column, which is named by its position", 1, place);
  }
}

bool DelimitedRows::next(std::vector<std::string_view>& cells) {
  if (first_waits_) {
    first_waits_ = false;
    cells = first_;
    return true;
  }
  while (next_row(cells)) {
    if (!repeats_header(cells)) return true;
    notices_->add("", "row(s) repeat the names of the columns and were skipped", 1, [&] { return place(); });
  }
  return false;
}

bool DelimitedRows::repeats_header(const std::vector<std::string_view>& cells) const {
  if (cells.size() != header_.size() || without_mark(cells[0]) != header_[0]) return false;
  return std::equal(cells.begin() + 1, cells.end(), header_.begin() + 1);
}

bool DelimitedRows::next_row(std::vector<std::string_view>& cells) {
  std::string_view line;
  do {
    if (!lines_.next(line)) return false;
  } while (line.empty() || line == "\r" || (!comment_.empty() && line.starts_with(comment_)));
  if (!cut_in_place(line, cells)) cut_quoted(line, cells);
  if (cells.size() == trailing_width_ && columns::trim(cells.back()).empty()) cells.pop_back();
  return true;
}

// Cells as views into the line. False if a cell does not lie in the line as it is meant: it has a doubled quote, or is
// not closed in the line.
bool DelimitedRows::cut_in_place(std::string_view line, std::vector<std::string_view>& cells) const {
  cells.clear();
  const char* begin = line.data();
  const char* const end = begin + line.size() - (line.back() == '\r');
  if (lines_.met_carriage_return() && std::memchr(begin, '\r', static_cast<size_t>(end - begin))) return false;
  const auto find = [&](char c) {
    return static_cast<const char*>(std::memchr(begin, c, static_cast<size_t>(end - begin)));
  };
  const size_t width = separator_.size();
  const char first = separator_[0];
  const auto is_separator = [&](const char* at) {
    return *at == first && (width == 1 || std::string_view(at, end).starts_with(separator_));
  };
  const auto find_separator = [&]() -> const char* {
    if (width == 1) return find(first);
    const auto at = std::string_view(begin, end).find(separator_);
    return at == std::string_view::npos ? nullptr : begin + at;
  };
  for (;;) {
    const char* cut = nullptr;
    if (begin < end && *begin == '"' && quoting_ != columns::Quoting::none) {
      ++begin;
      const char* const quote = find('"');
      if (quoting_ == columns::Quoting::backslash && find('\\')) return false;
      if (!quote || (quote + 1 < end && !is_separator(quote + 1))) return false;
      cells.emplace_back(begin, static_cast<size_t>(quote - begin));
      cut = quote + 1 < end ? quote + 1 : nullptr;
    } else {
      cut = find_separator();
      cells.emplace_back(begin, static_cast<size_t>((cut ? cut : end) - begin));
    }
    if (!cut) return true;
    begin = cut + width;
  }
}

void DelimitedRows::cut_quoted(std::string_view line, std::vector<std::string_view>& cells) {
  cells.clear();
  unquoted_.clear();
  ends_.clear();
  size_t i = 0;
  for (;;) {
    if (i < line.size() && line[i] == '"' && quoting_ != columns::Quoting::none) {
      i = copy_quoted(line, i + 1);
    } else {
      size_t end = std::min(line.find(separator_, i), line.size());
      const size_t after = end;
      if (end == line.size() && end > i && line[end - 1] == '\r') --end;
      check_bare(line.substr(i, end - i));
      unquoted_.append(line.substr(i, end - i));
      i = after;
    }
    ends_.push_back(unquoted_.size());
    if (i == line.size()) break;
    i += separator_.size();
  }
  size_t begin = 0;
  for (const size_t end : ends_) {
    cells.emplace_back(unquoted_.data() + begin, end - begin);
    begin = end;
  }
}

void DelimitedRows::check_bare(std::string_view cell) const {
  if (cell.find('\r') == cell.npos) return;
  fail(ErrorKind::input,
       "{}: the line contains a carriage return. If lines end so, convert them: tr '\\r' '\\n' < {} > NEW; if it "
       "belongs to a value, put that in double quotes",
       place(), lines_.path());
}

// Copies a cell that begins after its opening quote. Returns the offset of the separator after it, or of the line's
// end.
size_t DelimitedRows::copy_quoted(std::string_view& line, size_t i) {
  const bool backslash = quoting_ == columns::Quoting::backslash;
  for (;;) {
    const size_t mark = line.find_first_of(backslash ? "\"\\" : "\"", i);
    if (mark == line.npos) {
      unquoted_.append(line.substr(i));
      i = line.size();
      if (!lines_.extend(line)) fail(ErrorKind::input, "{}: a quote opens here and is never closed", place());
      continue;
    }
    unquoted_.append(line.substr(i, mark - i));
    i = mark + 1;
    const char next = i < line.size() ? line[i] : '\0';
    if (line[mark] == '\\') {
      const bool escapes = next == '"' || next == '\\';
      unquoted_ += escapes ? next : '\\';
      i += escapes;
      continue;
    }
    if (i == line.size() || line.substr(i).starts_with(separator_)) return i;
    if (next == '\r' && i + 1 == line.size()) return i + 1;
    if (next != '"' || backslash)
      fail(
          ErrorKind::input,
          "{}: text follows a closing quote. If quotes in a quoted value have a backslash before them, set {}quoting = "
          "\"backslash\"; if quotes have no meaning in the file, \"none\"; otherwise write them twice (\"\")",
          place(), keys_);
    unquoted_ += '"';
    ++i;
  }
}

}  // namespace pagoda::text
