#include "text/text_file.h"

#include "core/error.h"

namespace pagoda::text {

bool is_text(files::Format format) {
  using files::Format;
  return format != Format::automatic && format != Format::parquet && format != Format::arrow;
}

std::unique_ptr<FileReader> open_text_file(files::Format format, const FileOptions& options) {
  using files::Format;
  switch (format) {
    case Format::csv: return open_delimited_file(options, ',');
    case Format::tsv: return open_delimited_file(options, '\t');
    case Format::jsonl: return open_jsonl_file(options);
    case Format::adjacency: return open_adjacency_file(options);
    case Format::mind: return open_mind_file(options);
    case Format::netflix: return open_netflix_file(options);
    default: check(false, "the format is one of lines of text"); return nullptr;
  }
}

std::string place_in_text_file(files::Format format, const FileOptions& options, uint64_t record) {
  using files::Format;
  switch (format) {
    case Format::csv: return place_in_delimited_file(options, ',', record);
    case Format::tsv: return place_in_delimited_file(options, '\t', record);
    case Format::jsonl: return place_in_jsonl_file(options, record);
    case Format::adjacency: return place_in_adjacency_file(options, record);
    case Format::mind: return place_in_mind_file(options, record);
    case Format::netflix: return place_in_netflix_file(options, record);
    default: check(false, "the format is one of lines of text"); return {};
  }
}

}  // namespace pagoda::text
