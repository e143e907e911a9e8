#include "core/bytes.h"

#include <gtest/gtest.h>

namespace pagoda {
namespace {

ByteReader reader(std::string_view bytes) {
  return {std::as_bytes(std::span(bytes.data(), bytes.size())), "model.pagoda: section 'x'"};
}

std::string sample() {
  ByteWriter out;
  out.value<uint32_t>(7);
  out.text(std::string_view("ab\0c", 4));
  out.array(std::vector<float>{1.5f, -2.0f});
  out.array(std::vector<uint64_t>{});
  out.value(0.25);
  return out.bytes();
}

TEST(Bytes, WhatIsWrittenIsRead) {
  const std::string bytes = sample();
  auto in = reader(bytes);
  EXPECT_EQ(in.value<uint32_t>(), 7u);
  EXPECT_EQ(in.text(), std::string_view("ab\0c", 4));
  EXPECT_EQ(in.array<float>(), (std::vector<float>{1.5f, -2.0f}));
  EXPECT_TRUE(in.array<uint64_t>().empty());
  EXPECT_FALSE(in.at_end());
  EXPECT_EQ(in.value<double>(), 0.25);
  EXPECT_TRUE(in.at_end());
}

TEST(Bytes, ValuesAreLittleEndian) {
  ByteWriter out;
  out.value<uint32_t>(0x04030201);
  out.text("z");
  EXPECT_EQ(out.bytes(), std::string("\1\2\3\4\1\0\0\0\0\0\0\0z", 13));
}

TEST(Bytes, InputCutAnywhereThrows) {
  const std::string bytes = sample();
  for (size_t n = 0; n < bytes.size(); ++n) {
    auto in = reader(std::string_view(bytes).substr(0, n));
    const auto read_all = [&] {
      in.value<uint32_t>();
      in.text();
      in.array<float>();
      in.array<uint64_t>();
      in.value<double>();
    };
    EXPECT_THROW(read_all(), Error) << n;
  }
}

TEST(Bytes, ALengthThatDoesNotFitThrowsAndNamesTheSection) {
  for (const uint64_t n : {uint64_t{5}, UINT64_MAX, UINT64_MAX / 8 + 1, uint64_t{1} << 62}) {
    ByteWriter out;
    out.value(n);
    out.value<uint32_t>(0);
    EXPECT_THROW(reader(out.bytes()).array<double>(), Error) << n;
    try {
      reader(out.bytes()).text();
      FAIL() << "a text of " << n << " bytes was read from 4";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::failed);
      EXPECT_STREQ(error.what(), "model.pagoda: section 'x': ends before its content does");
    }
  }
}

}  // namespace
}  // namespace pagoda
