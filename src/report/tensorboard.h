// Scalars as TensorBoard reads them, without its library.
//
//   file   = record*
//   record = u64 length, u32 masked crc32c of those 8 bytes, event, u32 masked crc32c of the event   (TFRecord)
//   event  = protobuf { 1: double wall_time, 2: int64 step, then one of
//                       3: string file_version "brain.Event:2" (the first record of a file),
//                       5: { 1: { 1: string tag, 2: float value } * } (scalars),
//                       7: { 1: START } (from here on, later steps written before are void) }
//
// Little-endian. Masked crc: rotate right by 15 bits, add 0xa282ead8.
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pagoda::report {

using NamedValue = std::pair<std::string, double>;

uint32_t crc32c(std::string_view bytes);  // Castagnoli's polynomial, reflected: crc32c("123456789") = 0xe3069283

// The bytes of one record around an event, and of the three kinds of event. wall_time: seconds since 1970.
std::string tensorboard_record(std::string_view event);
std::string version_event(double wall_time);
std::string scalar_event(double wall_time, int64_t step, std::span<const NamedValue> scalars);
std::string restart_event(double wall_time, int64_t step);

// A new event file in `folder`, named so that TensorBoard finds it and reads the files of one run in order. Every call
// is one record, handed to the system before it returns. Not thread-safe. Error{failed} names the file.
class EventWriter {
 public:
  EventWriter(const std::string& folder, double wall_time);
  void scalars(double wall_time, int64_t step, std::span<const NamedValue> values);
  // The run resumes from a checkpoint: what earlier files of the folder say about `step` and later ones is void.
  void restart(double wall_time, int64_t step);
  const std::string& path() const { return path_; }

 private:
  void append(std::string_view event);
  std::string path_;
  std::ofstream file_;
};

// The event files that EventWriter left in `folder`, in order.
std::vector<std::string> event_files(const std::string& folder);

}  // namespace pagoda::report
