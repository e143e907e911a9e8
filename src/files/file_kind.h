// Recognises a file by its first bytes: the format to read it in, or why it cannot be read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pagoda::files {

enum class Format { automatic, csv, tsv, jsonl, parquet, arrow, adjacency, mind, netflix };

// The format by its name ("csv") or by a path's extension ("x.csv.gz"). Error{usage} that lists the known ones.
std::string_view name_of(Format format);  // "csv", "auto"
Format format_from_name(std::string_view name);
Format format_or_automatic(std::string_view name);  // "auto" is automatic
Format format_from_path(const std::string& path);
std::optional<Format> format_named_by(const std::string& path);  // nothing if the extension is none of them

// The beginning of a file, decompressed and, if it is text, as UTF-8.
struct FileHead {
  std::string bytes;  // at most 64 KiB
  bool whole = true;  // `bytes` is the whole file
  bool compressed = false;
  bool regular = true;  // false: a pipe, from which nothing was read
};
FileHead read_head(const std::string& path, const std::string& encoding = "auto");  // as for open_text()

// The format of lines of text that neither the name nor the content decides for certain.
struct FormatGuess {
  Format format = Format::automatic;  // automatic: nothing speaks for any
  std::string separator{};            // of csv, where it is a blank
  std::string doubt{};                // the error that find_format() makes of it; "": it is certain
};
// Like find_format(), but for files of which that would ask.
FormatGuess guess_format(const std::string& path, const FileHead& head, Format given);

// The format in which to read the file: `given` if it is not automatic; otherwise by its content where that decides;
// otherwise by its name. Error{input} with the remedy: a kind of file that Pagoda does not read (an archive, a
// database, a web page, a JSON document), or another kind than `given`.
Format find_format(const std::string& path, const FileHead& head, Format given);

}  // namespace pagoda::files
