#include "report/tensorboard.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/file.h"

namespace pagoda::report {
namespace {

// "1b 00" -> the two bytes
std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 3)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::string fresh_folder(const std::string& name) {
  const std::string folder = testing::TempDir() + "pagoda_" + name;
  std::filesystem::remove_all(folder);
  return folder;
}

// The literals come from an independent bit-by-bit CRC and protobuf's wire format written out by hand.
constexpr std::string_view kVersionRecord =
    "18 00 00 00 00 00 00 00 a3 7f 4b 22 09 00 00 00 00 00 00 f8 3f 1a 0d 62 72 61 69 6e 2e 45 76 65 6e 74 3a 32 "
    "2a 28 64 6c";
constexpr std::string_view kLossRecord =
    "1b 00 00 00 00 00 00 00 1a 0d 9e 13 09 00 00 00 00 00 00 00 40 10 ac 02 2a 0d 0a 0b 0a 04 6c 6f 73 73 15 00 00 "
    "00 3f df c5 2b 60";

TEST(TensorBoard, ChecksumIsCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
}

TEST(TensorBoard, RecordsAreTheLiteralBytes) {
  EXPECT_EQ(tensorboard_record(version_event(1.5)), bytes_of(kVersionRecord));
  const NamedValue loss[] = {{"loss", 0.5}};
  EXPECT_EQ(tensorboard_record(scalar_event(2.0, 300, loss)), bytes_of(kLossRecord));
}

TEST(TensorBoard, RestartEventCarriesSessionStart) {
  EXPECT_EQ(restart_event(0, 1), bytes_of("09 00 00 00 00 00 00 00 00 10 01 3a 02 08 01"));
}

TEST(TensorBoard, AFileIsTheVersionThenEveryEvent) {
  const std::string folder = fresh_folder("events");
  const NamedValue loss[] = {{"loss", 0.5}};
  EventWriter writer(folder, 1.5);
  writer.scalars(2.0, 300, loss);
  EXPECT_EQ(read_file(writer.path()), bytes_of(kVersionRecord) + bytes_of(kLossRecord));  // without closing it
}

TEST(TensorBoard, FilesBegunInTheSameSecondKeepTheirOrder) {
  const std::string folder = fresh_folder("same_second");
  const EventWriter first(folder, 1700000000.2), second(folder, 1700000000.9);
  const auto files = event_files(folder);
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0], first.path());
  EXPECT_EQ(files[1], second.path());
}

TEST(TensorBoard, AFolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  try {
    EventWriter writer("/dev/null/run", 1);
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("/dev/null/run"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace pagoda::report
