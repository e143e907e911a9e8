// The container of bundles and checkpoints: named sections under checksums.
//
//   file    = header page, section*, table, page padding
//   header  = "PAGODA\r\n", u32 container version, u32 content version, char[16] content kind (zero padded),
//             u64 file size, u64 table offset, u64 table size, u64 xxh3 of the table and the padding after it,
//             zeros up to 4088, u64 xxh3 of the 4088 bytes before
//   table   = u64 n, n x { text name, u64 offset, u64 size, u64 xxh3 of the section and the padding after it }
//   section = bytes, zero padding to a multiple of 4096
//
// Little-endian. Sections are page-aligned, so vectors are used where they are mapped. A checksum covers every byte of
// the file: a flipped or missing byte is found wherever it is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"

namespace pagoda {

uint64_t checksum(std::span<const std::byte> bytes);  // xxh3, 64 bits
inline uint64_t checksum(std::string_view text) { return checksum(std::as_bytes(std::span(text.data(), text.size()))); }

class SectionWriter {
 public:
  SectionWriter(const std::string& path, std::string_view kind, uint32_t content_version);
  ~SectionWriter();
  void section(std::string_view name, std::span<const std::byte> bytes);
  void section(std::string_view name, std::string_view text) {
    section(name, std::as_bytes(std::span(text.data(), text.size())));
  }
  // Writes a section piece by piece: begin, append any number of times, end.
  void begin(std::string_view name);
  void append(std::span<const std::byte> bytes);
  void end();
  void commit();  // writes the table and header, renames into place

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A mapped section file. The constructor checks the header and the table, verify() the checksums of the sections.
// Immutable, so threads may share it.
class SectionFile {
 public:
  // Error{failed}: not a section file, of another kind, damaged (the message names the section), or newer than
  // `content_version` (it names both versions). Error{input}: the file is missing.
  SectionFile(const std::string& path, std::string_view kind, uint32_t content_version);
  void verify() const;

  struct Section {
    std::string name;
    uint64_t offset, size, checksum;
  };
  const std::vector<Section>& sections() const { return sections_; }
  bool has(std::string_view name) const;
  std::span<const std::byte> bytes(std::string_view name) const;  // Error{failed} when there is none
  std::string_view text(std::string_view name) const;
  void advise_random(std::string_view name) const { file_.advise_random(bytes(name)); }
  const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::vector<Section> sections_;
};

}  // namespace pagoda
