#include "text/form_survey.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "files/source_files.h"
#include "files/text_encoding.h"
#include "files/text_lines.h"
#include "text/delimited_form.h"
#include "text/delimited_rows.h"
#include "text/text_file.h"

namespace pagoda::text {

namespace {

bool is_delimited(files::Format format) { return format == files::Format::csv || format == files::Format::tsv; }

struct LineSurvey {
  files::EncodingSurvey encoding;
  bool quotes = false;
};

// One pass over the lines. A file that cannot be read to its end is left to the reader, which says why.
LineSurvey survey_lines(const std::string& path, const std::string& encoding) {
  LineSurvey survey;
  try {
    files::TextLines lines(path, encoding);
    for (std::string_view line; lines.next(line);) {
      survey.encoding.add(line, lines.number());
      survey.quotes = survey.quotes || line.find('"') != line.npos;
    }
  } catch (const Error&) {}
  return survey;
}

// How the rows of a whole file come out: nothing if they cannot be cut, or differ in width.
struct Cut {
  bool cells_of_lines = false;  // some cell goes over a line's end
};
std::optional<Cut> cut_all(const std::string& path, std::string_view usual, columns::TableForm form,
                           columns::Quoting quoting) {
  Cut cut;
  form.quoting = quoting;
  if (form.header == columns::Header::automatic && form.columns.empty()) form.header = columns::Header::yes;
  columns::Notices notices;
  FileOptions options{path, {}, 1, false, &notices, form};
  try {
    DelimitedRows rows(options, usual);
    for (std::vector<std::string_view> cells; rows.next(cells);) {
      if (cells.size() != rows.names().size()) return std::nullopt;
      for (const auto cell : cells) cut.cells_of_lines = cut.cells_of_lines || cell.find('\n') != cell.npos;
    }
  } catch (const Error&) {
    return std::nullopt;
  }
  return cut;
}

// Quotes as most programs write them, unless only another way reads the whole file. Tables between tabs are often
// written without any quoting; there, a quoted cell of several lines is an opening quote that nothing closes.
columns::Quoting find_quoting(const std::string& path, std::string_view usual, const columns::TableForm& form) {
  using columns::Quoting;
  const auto doubled = cut_all(path, usual, form, Quoting::doubled);
  if (doubled && !(usual == "\t" && doubled->cells_of_lines)) return Quoting::doubled;
  if (!doubled && cut_all(path, usual, form, Quoting::backslash)) return Quoting::backslash;
  return cut_all(path, usual, form, Quoting::none) ? Quoting::none : Quoting::doubled;
}

std::string list_of(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

void survey_table(FormSurvey& survey, const std::string& path, std::string_view usual, bool quotes) {
  auto& form = survey.form;
  if (quotes && form.quoting == columns::Quoting::doubled) {
    form.quoting = find_quoting(path, usual, form);
    if (form.quoting == columns::Quoting::backslash)
      survey.found.push_back(fmt::format("{}: quotes in quoted cells have a backslash before them.", path));
    if (form.quoting == columns::Quoting::none)
      survey.found.push_back(fmt::format(
          "{}: a quote is a letter like others, since rows would not come out alike otherwise ({}quoting = \"none\").",
          path, form.keys));
  }
  files::TextLines lines(path, form.encoding);
  const auto dialect = find_form(lines.ahead(), lines.all_read(), usual, form);
  if (form.header != columns::Header::automatic || !form.columns.empty() || dialect.marked ||
      !looks_like_data(dialect.rows))
    return;
  form.header = columns::Header::no;
  form.columns = propose_names(dialect.rows, form);
  survey.guesses.push_back(
      fmt::format("{}: its first line holds values and no names, so the columns are named by their values: {}. "
                  "{}columns names them otherwise.",
                  path, list_of(form.columns), form.keys));
}

void survey_file(FormSurvey& survey, const std::string& path, files::Format told) {
  if (files::is_memory_table(path)) return;
  auto& form = survey.form;
  const auto head = files::read_head(path, form.encoding);
  if (!head.regular || head.bytes.empty()) return;
  const auto guess = files::guess_format(path, head, told);
  if (!is_text(guess.format)) return;
  // That of a .txt, which only its name says.
  if (guess.format == files::Format::adjacency) survey.format = files::name_of(guess.format);
  if (!guess.doubt.empty() && survey.format == "auto") {
    survey.format = files::name_of(guess.format);
    if (!guess.separator.empty() && form.separator == "auto") form.separator = guess.separator;
    survey.guesses.push_back(
        fmt::format("{}: is read as {}{}: neither its name nor its first line says so for certain.", path,
                    survey.format, guess.separator.empty() ? "" : " with blanks between cells"));
  }
  const auto lines = survey_lines(path, form.encoding);
  if (form.encoding == "auto") {
    form.encoding = lines.encoding.encoding();
    if (form.encoding != "auto")
      survey.found.push_back(fmt::format(
          "{}: {} line(s) are not UTF-8, the first is line {}; they are read as {} "
          "({}encoding).",
          path, lines.encoding.lines_not_utf8(), lines.encoding.first_not_utf8(), form.encoding, form.keys));
    else if (lines.encoding.lines_not_utf8() > 0)
      survey.found.push_back(fmt::format("{}: {} line(s), the first is line {}, are not UTF-8, as most are.", path,
                                         lines.encoding.lines_not_utf8(), lines.encoding.first_not_utf8()));
  }
  if (is_delimited(guess.format))
    survey_table(survey, path, guess.format == files::Format::tsv ? "\t" : ",", lines.quotes);
}

}  // namespace

FormSurvey survey_form(const std::vector<std::string>& paths, const std::string& format,
                       const columns::TableForm& told) {
  FormSurvey survey{format, told, {}, {}};
  for (const auto& file : files::find_files(paths)) survey_file(survey, file.path, files::format_or_automatic(format));
  return survey;
}

}  // namespace pagoda::text
