// Readers of files of lines, by their format. Private to this room and formats.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "files/file_kind.h"
#include "text/file_reader.h"

namespace pagoda::text {

bool is_text(files::Format format);  // csv, tsv, jsonl, adjacency, mind or netflix

// Of a format that is_text().
std::unique_ptr<FileReader> open_text_file(files::Format format, const FileOptions& options);

// "clicks.csv:1842" for a record number, from 0. Reads the file again up to there.
std::string place_in_text_file(files::Format format, const FileOptions& options, uint64_t record);

std::unique_ptr<FileReader> open_delimited_file(const FileOptions& options, char separator);
std::unique_ptr<FileReader> open_jsonl_file(const FileOptions& options);
std::unique_ptr<FileReader> open_adjacency_file(const FileOptions& options);
std::unique_ptr<FileReader> open_mind_file(const FileOptions& options);
std::unique_ptr<FileReader> open_netflix_file(const FileOptions& options);
std::string place_in_delimited_file(const FileOptions& options, char separator, uint64_t record);
std::string place_in_jsonl_file(const FileOptions& options, uint64_t record);
std::string place_in_adjacency_file(const FileOptions& options, uint64_t record);
std::string place_in_mind_file(const FileOptions& options, uint64_t record);
std::string place_in_netflix_file(const FileOptions& options, uint64_t record);

}  // namespace pagoda::text
