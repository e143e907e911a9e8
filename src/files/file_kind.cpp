#include "files/file_kind.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <set>

#include "columns/column.h"
#include "core/error.h"
#include "core/lower_case.h"
#include "core/printable.h"
#include "files/archive.h"
#include "files/text_encoding.h"

namespace pagoda::files {

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

struct FormatName {
  std::string_view name;
  Format format;
};

constexpr FormatName kFormats[] = {
    {"csv", Format::csv},         {"tsv", Format::tsv},      {"jsonl", Format::jsonl},
    {"parquet", Format::parquet}, {"arrow", Format::arrow},  {"adjacency", Format::adjacency},
    {"tab", Format::tsv},         {"ndjson", Format::jsonl}, {"pq", Format::parquet},
    {"feather", Format::arrow},   {"ipc", Format::arrow},    {"txt", Format::adjacency},
    {"json", Format::jsonl},      {"mind", Format::mind},    {"netflix", Format::netflix},
};
constexpr std::string_view kKnown = "csv, tsv, jsonl, parquet, arrow, adjacency, mind, netflix";

// Kinds of files that are recognised by bytes at a fixed offset, and what to do with them.
struct ForeignFormat {
  size_t at;
  std::string_view magic, what, remedy;
};
constexpr ForeignFormat kForeignFormats[] = {
    {0, "\xff\x06\0\0sNaPpY"sv, "Snappy compression", "decompress it, or write it as .gz or .zst"},
    {0, "Rar!\x1a\x07"sv, "a RAR archive", "unpack it, as with 'unrar x'"},
    {0, "SQLite format 3\0"sv, "an SQLite database",
     "export the table, as with 'sqlite3 -header -csv FILE \"SELECT * FROM log\" > log.csv'"},
    {8, "DUCK"sv, "a DuckDB database", "export the table, as with COPY log TO 'log.parquet'"},
    {0, "Obj\x01"sv, "an Avro file", "convert it to Parquet, as with DuckDB or Spark"},
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file", "write it with pandas: read_hdf(...).to_parquet('log.parquet')"},
    {0, "\x93NUMPY"sv, "a NumPy array", "vectors go to `pagoda index --vectors`; write tables as Parquet or CSV"},
    {0, "PARE"sv, "an encrypted Parquet file", "decrypt it with the program that wrote it"},
    {0, "FEA1"sv, "a Feather file of version 1",
     "write version 2: pyarrow.feather.write_feather(table, path, version=2)"},
    {0, "PAGODA\r\n"sv, "a file that Pagoda wrote, as a bundle",
     "give it to the option that takes a model, or look into it with `pagoda inspect`"},
    {0, "%PDF-"sv, "a PDF document", "export the data as CSV"},
    {0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, "an old Excel workbook", "save the sheet as CSV"},
    {0, "version https://git-lfs."sv, "a Git LFS pointer and not the file itself", "fetch it with 'git lfs pull'"},
    {0, "RDX2\n"sv, "an R data file", "write it with arrow::write_parquet()"},
    {0, "RDX3\n"sv, "an R data file", "write it with arrow::write_parquet()"},
    {0, "X\n\0\0\0"sv, "an R data file", "write it with arrow::write_parquet()"},
};

[[noreturn]] void refuse(const std::string& path, std::string_view what, std::string_view remedy) {
  fail(ErrorKind::input, "{}: is {}, which is not read; {}", path, what, remedy);
}

void refuse_foreign(const std::string& path, std::string_view bytes) {
  for (const auto& kind : kForeignFormats)
    if (bytes.size() >= kind.at && bytes.substr(kind.at).starts_with(kind.magic)) refuse(path, kind.what, kind.remedy);
  const auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : uint8_t{0}; };
  if (bytes.starts_with("ORC") && bytes.size() > 3 && (byte(3) < 0x20 || byte(3) >= 0x80))
    refuse(path, "an ORC file", "convert it to Parquet, as with DuckDB or Spark");
  if (bytes.starts_with("PK\x03\x04"sv) || bytes.starts_with("PK\x05\x06"sv)) {
    if (bytes.find("[Content_Types].xml") != bytes.npos || bytes.find("xl/") != bytes.npos)
      refuse(path, "an Excel workbook", "save the sheet as CSV");
  }
  if (begins_as_archive(bytes))
    fail(ErrorKind::input, "{}: is an archive; unpack it, or name it outright and not by a folder, a glob or a pipe",
         path);
  // Pickles of protocol 2 to 5; what follows the protocol is an opcode, and neither byte is text.
  if (byte(0) == 0x80 && byte(1) >= 2 && byte(1) <= 5)
    refuse(path, "a Python pickle", "write it with pandas: pandas.read_pickle(...).to_parquet('log.parquet')");
  const auto first = lower_case(bytes.substr(0, 256));
  const auto start = std::min(first.find_first_not_of(" \t\r\n"), first.size());
  if (first.substr(start).starts_with("<!doctype html") || first.substr(start).starts_with("<html"))
    refuse(path, "a web page", "was an error or login page saved in place of the data? Download it again");
  if (first.substr(start).starts_with("<?xml")) refuse(path, "an XML document", "write it as CSV or JSONL");
}

void refuse_binary(const std::string& path, std::string_view bytes) {
  const auto nul = bytes.find('\0');
  if (nul == bytes.npos) return;
  const bool wide = bytes.size() > 3 && (nul < 2) && bytes[nul + 2] == '\0';
  if (wide)
    fail(ErrorKind::input, "{}: looks like UTF-16 without a byte order mark; say so with encoding = \"utf-16{}\"", path,
         nul == 0 ? "be" : "le");
  fail(ErrorKind::input, "{}: is not text: it has a NUL byte in line {}; known formats: {} (text plain or compressed)",
       path, 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(nul), '\n'), kKnown);
}

// A JSON document is one value; JSONL is a value a line.
void refuse_document(const std::string& path, std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto next = [&](size_t from) { return std::min(text.find_first_not_of(kBlank, from), text.size()); };
  const size_t first = next(0);
  if (first == text.size()) return;
  const size_t second = next(first + 1);
  if (text[first] == '[' && second < text.size() && (text[second] == '{' || text[second] == '[' || text[second] == ']'))
    fail(ErrorKind::input,
         "{}: is one JSON array; write an object a line, as with 'jq -c .[]' or, in pandas, "
         "to_json(path, orient=\"records\", lines=True)",
         path);
  if (text[first] != '{') return;
  const auto line = text.substr(first, text.find('\n', first) - first);
  const auto last = line.find_last_not_of(kBlank);
  if (line.size() < text.size() - first && (line[last] == '{' || line[last] == '[' || line[last] == ','))
    fail(ErrorKind::input, "{}: is one JSON document over several lines; write an object a line, as with 'jq -c .'",
         path);
  // What pandas writes by default: {"user_id":{"0":"u1","1":"u2"}, ...
  if (const auto colon = text.find("\":{\"0\":", first);
      colon != text.npos && colon < std::min(text.find('\n', first), text.find(',', first)))
    fail(ErrorKind::input,
         "{}: is one JSON document that holds a table by columns; write an object a line, as with pandas' "
         "to_json(path, orient=\"records\", lines=True)",
         path);
}

bool begins_with_object(std::string_view text) {
  const auto at = text.find_first_not_of(" \t\r\n");
  if (at == text.npos || text[at] != '{') return false;
  const auto key = text.find_first_not_of(" \t\r\n", at + 1);
  if (key == text.npos) return false;
  const auto rest = text.substr(key);  // of JSON, or of a dictionary of Python
  return rest[0] == '"' || rest[0] == '}' || rest[0] == '\'' || rest.starts_with("u'") || rest.starts_with("u\"");
}

std::string_view first_line(std::string_view text) {
  while (!text.empty() && (text[0] == '\n' || text[0] == '\r')) text.remove_prefix(1);
  return text.substr(0, text.find_first_of("\r\n"));
}

// Whether lines of words between blanks are rows of a table, such as `1 101 5 881250949`, and not `user item item ...`:
// all have the same number of words, and users recur.
bool looks_like_rows(std::string_view text, bool whole) {
  constexpr size_t kLines = 1000;
  std::set<std::string_view> users;
  size_t lines = 0, width = 0;
  while (!text.empty() && lines < kLines) {
    const size_t end = text.find('\n');
    if (end == text.npos && !whole) break;  // cut short
    auto line = columns::trim(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.empty()) continue;
    users.insert(line.substr(0, line.find_first_of(" \t")));
    size_t words = 0;
    for (; !line.empty(); ++words) {
      line.remove_prefix(std::min(line.find_first_of(" \t"), line.size()));
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    }
    if (++lines > 1 && words != width) return false;
    width = words;
  }
  return width > 2 && lines > 2 && users.size() * 10 < lines * 9;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

// The Netflix Prize: a first line `1:`, and below it a user, alone or with a rating.
bool looks_like_netflix(std::string_view text) {
  const auto first = columns::trim(first_line(text));
  if (!first.ends_with(':') || !is_number(first.substr(0, first.size() - 1))) return false;
  const auto second = columns::trim(first_line(text.substr(std::min(text.find('\n'), text.size()))));
  return is_number(second.substr(0, second.find(',')));
}

// MIND's behaviors: five values between tabs, the last of which lists what was shown, `N1-0 N2-1`.
bool looks_like_mind(std::string_view text) {
  const auto line = columns::trim(first_line(text));
  if (std::ranges::count(line, '\t') != 4) return false;
  auto shown = line.substr(line.rfind('\t') + 1);
  while (!shown.empty()) {
    const auto word = shown.substr(0, shown.find(' '));
    if (!word.ends_with("-0") && !word.ends_with("-1")) return false;
    shown.remove_prefix(std::min(word.size() + 1, shown.size()));
  }
  return true;
}

// The first separator of cells in the line: ",", a tab, ";", "|" or \x01; "" if there is none.
std::string_view separator_in(std::string_view line) {
  const auto at = line.find_first_of(",\t;|\x01");
  return at == line.npos ? std::string_view() : line.substr(at, 1);
}

constexpr std::string_view kPacked[] = {".gz", ".zst", ".bz2", ".xz", ".lz4"};

std::string extension_of(const std::string& path) {
  fs::path name = fs::path(path).filename();
  auto extension = lower_case(name.extension().string());
  if (std::ranges::count(kPacked, extension) > 0) extension = lower_case(name.stem().extension().string());
  return extension.empty() ? extension : extension.substr(1);
}

}  // namespace

std::string_view name_of(Format format) {
  for (const auto& known : kFormats)
    if (known.format == format) return known.name;
  return "auto";
}

Format format_from_name(std::string_view name) {
  for (const auto& known : kFormats)
    if (known.name == name) return known.format;
  fail(ErrorKind::usage, "'{}' is not a format; known: {}", name, kKnown);
}

Format format_or_automatic(std::string_view name) {
  return name == "auto" ? Format::automatic : format_from_name(name);
}

std::optional<Format> format_named_by(const std::string& path) {
  const auto known = std::ranges::find(kFormats, extension_of(path), &FormatName::name);
  return known == std::end(kFormats) ? std::nullopt : std::optional(known->format);
}

Format format_from_path(const std::string& path) {
  if (const auto format = format_named_by(path)) return *format;
  fail(ErrorKind::usage, "{}: the name does not show the format; set format to one of {}", path, kKnown);
}

FileHead read_head(const std::string& path, const std::string& encoding) {
  FileHead head;
  struct stat info{};
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    head.regular = false;
    return head;
  }
  constexpr size_t kHead = size_t{64} << 10;
  const auto source = open_text(path, encoding, /*ahead=*/false);
  head.compressed = source->compressed();
  head.bytes.resize(kHead);
  size_t n = 0;
  try {
    for (size_t got = 1; n < kHead && got > 0; n += got) got = source->read(head.bytes.data() + n, kHead - n);
  } catch (const ByteSource::ReadError&) {
    // The reader fails again, and names the line.
    head.whole = false;
  }
  head.whole &= n < kHead;
  head.bytes.resize(n);
  return head;
}

FormatGuess guess_format(const std::string& path, const FileHead& head, Format given) {
  if (!head.regular) {
    if (given != Format::automatic) return {given};
    fail(ErrorKind::usage, "{}: a pipe does not show its format; set format to one of {}, or write a file", path,
         kKnown);
  }
  std::string_view text = head.bytes;
  refuse_foreign(path, text);
  for (const auto& [magic, format, what] : {std::tuple("PAR1"sv, Format::parquet, "a Parquet file"),
                                            std::tuple("ARROW1"sv, Format::arrow, "an Arrow file")}) {
    if (!text.starts_with(magic)) continue;
    if (head.compressed)
      fail(ErrorKind::input, "{}: is {} inside an archive or another compression, which is not read; unpack it", path,
           what);
    if (given != Format::automatic && given != format)
      fail(ErrorKind::usage, "{}: is {}, though format = \"{}\"; leave the format out", path, what, name_of(given));
    return {format};
  }
  const Format by_name = given != Format::automatic ? given : format_named_by(path).value_or(given);
  if (by_name == Format::arrow) return {by_name};  // an Arrow stream has no such magic bytes
  if (by_name == Format::parquet) {
    if (text.empty()) return {by_name};
    fail(ErrorKind::input, "{}: {} says Parquet, but its content does not begin as Parquet does{}", path,
         given == Format::parquet ? "the format" : "its name",
         text.find('\0') == text.npos ? "; if it is text, set format to csv, tsv or jsonl"
                                      : ": is it damaged? Write it again");
  }
  if (text.starts_with("\xff\xff\xff\xff"sv)) return {Format::arrow};
  refuse_binary(path, text);
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (by_name == Format::jsonl || given == Format::automatic) refuse_document(path, text);
  if (given != Format::automatic) return {given};
  if (begins_with_object(text)) return {Format::jsonl};
  if (looks_like_netflix(text)) return {Format::netflix};
  if (looks_like_mind(text)) return {Format::mind};
  const auto line = first_line(text);
  const bool rows = looks_like_rows(text, head.whole);
  if (by_name == Format::adjacency) {
    // By its name alone, a .txt is adjacency; its first line, or all its lines, may show otherwise.
    const auto mark = line.find("::") != line.npos ? std::string_view("::") : separator_in(line);
    if (mark.empty() && !rows) return {by_name};
    if (mark.empty())
      return {Format::csv, " ",
              fmt::format("{}: a .txt is read as lines of 'user item item ...', but all its lines have the same number "
                          "of words, and users recur: are they rows of a table? Then set format = \"csv\" and "
                          "separator = \" \"; else format = \"adjacency\"",
                          path)};
    const auto format = mark == "\t" ? Format::tsv : Format::csv;
    const auto words = mark == "\t" ? "tabs" : mark == "," ? "commas" : fmt::format("'{}'", printable(mark));
    return {format, "",
            fmt::format("{}: a .txt is read as lines of 'user item item ...', but this one has {}; set format = \"{}\" "
                        "(or format = \"adjacency\" if it is one)",
                        path, words, name_of(format))};
  }
  if (by_name != Format::automatic) return {by_name};
  if (line.find('\t') != line.npos) return {Format::tsv};
  // The reader finds out which separator it is.
  if (!separator_in(line).empty() || line.find("::") != line.npos) return {Format::csv};
  return {rows ? Format::csv : Format::automatic, rows ? " " : "",
          fmt::format("{}: neither the name nor the first line, '{}', shows the format; set format to one of {}", path,
                      printable(line), kKnown)};
}

Format find_format(const std::string& path, const FileHead& head, Format given) {
  const auto guess = guess_format(path, head, given);
  if (!guess.doubt.empty()) throw Error(ErrorKind::usage, guess.doubt);
  return guess.format;
}

}  // namespace pagoda::files
