#include "core/section_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "core/bytes.h"
#include "core/error.h"

namespace pagoda {
namespace {

class SectionFileTest : public testing::Test {
 protected:
  void SetUp() override { path_ = testing::TempDir() + "pagoda_sections_" + std::to_string(getpid()); }
  void TearDown() override { std::filesystem::remove(path_); }

  void write_sample(uint32_t version = 3) const {
    SectionWriter out(path_, "test", version);
    out.section("config", "k = 1\n");
    out.begin("vectors");
    for (int i = 0; i < 5000; ++i) out.append(std::as_bytes(std::span(&i, 1)));
    out.end();
    out.section("empty", "");
    out.commit();
  }
  void write_raw(std::string_view bytes) const {
    FILE* f = fopen(path_.c_str(), "wb");
    fwrite(bytes.data(), 1, bytes.size(), f);
    fclose(f);
  }
  // The message with which the file is refused, "" when it is accepted.
  std::string refusal(std::string_view kind = "test", uint32_t version = 3) const {
    try {
      SectionFile(path_, kind, version).verify();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::failed);
      return error.what();
    }
    return "";
  }
  std::string path_;
};

TEST_F(SectionFileTest, SectionsComeBackAsTheyWereWritten) {
  write_sample();
  const SectionFile file(path_, "test", 3);
  file.verify();
  ASSERT_EQ(file.sections().size(), 3u);
  EXPECT_EQ(file.text("config"), "k = 1\n");
  const auto vectors = file.bytes("vectors");
  ASSERT_EQ(vectors.size(), 20000u);
  int last;
  std::memcpy(&last, vectors.data() + 19996, 4);
  EXPECT_EQ(last, 4999);
  EXPECT_TRUE(file.has("empty"));
  EXPECT_TRUE(file.bytes("empty").empty());
  EXPECT_FALSE(file.has("index"));
  EXPECT_THROW(file.bytes("index"), Error);
}

TEST_F(SectionFileTest, SectionsBeginOnPages) {
  write_sample();
  const SectionFile file(path_, "test", 3);
  for (const auto& s : file.sections()) {
    EXPECT_EQ(s.offset % 4096, 0u);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.bytes(s.name).data()) % 4096, 0u);
  }
  EXPECT_EQ(std::filesystem::file_size(path_) % 4096, 0u);
}

TEST_F(SectionFileTest, TheHeaderIsLaidOutAsItsGrammarSays) {
  write_sample();
  const std::string bytes = read_file(path_);
  EXPECT_EQ(bytes.substr(0, 8), "PAGODA\r\n");
  EXPECT_EQ(bytes.substr(8, 8), std::string("\1\0\0\0\3\0\0\0", 8));
  EXPECT_EQ(bytes.substr(16, 16), std::string("test\0\0\0\0\0\0\0\0\0\0\0\0", 16));
  const auto number = [&](size_t at) {
    uint64_t n;
    std::memcpy(&n, bytes.data() + at, 8);
    return n;
  };
  const uint64_t table_offset = number(40), table_size = number(48);
  EXPECT_EQ(number(32), bytes.size());
  EXPECT_EQ(table_offset, 4096u + 4096 + 5 * 4096);  // header, config, vectors; an empty section takes no page
  EXPECT_EQ(table_size, 8u + 3 * (8 + 24) + 6 + 7 + 5);
  EXPECT_EQ(number(56), checksum(std::string_view(bytes).substr(table_offset)));
  EXPECT_EQ(bytes.find_first_not_of('\0', 64), 4088u);
  EXPECT_EQ(number(4088), checksum(std::string_view(bytes).substr(0, 4088)));
  EXPECT_EQ(number(table_offset), 3u);
}

TEST_F(SectionFileTest, ChecksumsArePublishedXxh3) {
  EXPECT_EQ(checksum(""), 0x2d06800538d394c2ull);  // XXH3_64bits of nothing, seed 0
}

TEST_F(SectionFileTest, EveryFlippedByteIsFound) {
  {
    SectionWriter out(path_, "test", 3);
    out.section("a", "some text");
    out.section("b", std::string(5000, 'b'));
    out.commit();
  }
  const std::string bytes = read_file(path_);
  ASSERT_EQ(bytes.size(), 5u * 4096);
  ASSERT_EQ(refusal(), "");
  const int fd = open(path_.c_str(), O_WRONLY);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto flipped = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
    ASSERT_EQ(pwrite(fd, &flipped, 1, static_cast<off_t>(i)), 1);
    const std::string message = refusal();
    ASSERT_EQ(pwrite(fd, &bytes[i], 1, static_cast<off_t>(i)), 1);
    ASSERT_NE(message, "") << "byte " << i;
    ASSERT_EQ(message.find(path_), 0u);
    if (i >= 4096 && i < 8192) {
      ASSERT_NE(message.find("section 'a'"), message.npos) << message;
    }
    if (i >= 8192 && i < 16384) {
      ASSERT_NE(message.find("section 'b'"), message.npos) << message;
    }
  }
  close(fd);
  EXPECT_EQ(refusal(), "");
}

TEST_F(SectionFileTest, EveryTruncationIsFound) {
  {
    SectionWriter out(path_, "test", 3);
    out.section("a", "some text");
    out.commit();
  }
  const std::string bytes = read_file(path_);
  for (size_t n = bytes.size(); n-- > 0;) {
    std::filesystem::resize_file(path_, n);
    ASSERT_NE(refusal(), "") << n << " bytes";
  }
  write_raw(bytes + "x");
  EXPECT_NE(refusal(), "");
}

TEST_F(SectionFileTest, ANewerVersionIsRefusedNamingBoth) {
  write_sample(4);
  const std::string message = refusal("test", 3);
  EXPECT_NE(message.find("test version 4, but this program reads up to 3"), message.npos) << message;
  EXPECT_EQ(refusal("test", 4), "");
  EXPECT_EQ(refusal("test", 5), "");
}

TEST_F(SectionFileTest, ANewerContainerIsRefusedNamingBoth) {
  write_sample();
  std::string bytes = read_file(path_);
  bytes[8] = 2;
  const uint64_t sum = checksum(std::string_view(bytes).substr(0, 4088));
  std::memcpy(bytes.data() + 4088, &sum, 8);
  write_raw(bytes);
  const std::string message = refusal();
  EXPECT_NE(message.find("file format version 2, but this program reads up to 1"), message.npos) << message;
}

TEST_F(SectionFileTest, AnotherKindOrNoSuchFileIsSaid) {
  write_sample();
  EXPECT_NE(refusal("bundle").find("holds a test, expected a bundle"), std::string::npos);
  write_raw("user,item\n1,2\n");
  EXPECT_NE(refusal().find("not a pagoda file"), std::string::npos);
  write_raw("");
  EXPECT_NE(refusal(), "");
  std::filesystem::remove(path_);
  try {
    const SectionFile file(path_, "test", 3);
    FAIL() << "opened a missing file";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
}

TEST_F(SectionFileTest, WithoutCommitThereIsNoFile) {
  {
    SectionWriter out(path_, "test", 1);
    out.section("a", "x");
  }
  EXPECT_FALSE(file_exists(path_));
}

}  // namespace
}  // namespace pagoda
