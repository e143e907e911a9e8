#include "core/log_output.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace pagoda {
namespace {

constexpr int64_t kMoment = 1714557600123456;  // 2024-05-01T10:00:00.123456Z

TEST(LogLine, HasTheFormThatIsAskedFor) {
  const auto line = [](LogFormat format, LogLevel level) { return log_line(format, kMoment, level, "a message", {}); };
  EXPECT_EQ(line(LogFormat::text, LogLevel::info), "a message");
  EXPECT_EQ(line(LogFormat::text, LogLevel::warning), "warning: a message");
  EXPECT_EQ(line(LogFormat::timed, LogLevel::info), "2024-05-01T10:00:00.123Z info: a message");
  EXPECT_EQ(line(LogFormat::timed, LogLevel::error), "2024-05-01T10:00:00.123Z error: a message");
  EXPECT_EQ(line(LogFormat::json, LogLevel::debug),
            R"({"time": "2024-05-01T10:00:00.123Z", "level": "debug", "message": "a message"})");
}

TEST(LogLine, FieldsAreMembersOrNamesAndValues) {
  const LogField fields[]{
      {"path", "/v1/model"}, {"status", int64_t{200}}, {"ms", 1.23456}, {"id", ""}, {"odd", "a \"b\"=\n"}};
  EXPECT_EQ(log_line(LogFormat::text, kMoment, LogLevel::info, "request", fields),
            R"(request path=/v1/model status=200 ms=1.235 id="" odd="a \"b\"=\n")");
  const auto line = log_line(LogFormat::json, kMoment, LogLevel::info, "request", fields);
  const auto object = nlohmann::json::parse(line);
  EXPECT_EQ(object["status"], 200);
  EXPECT_EQ(object["odd"], "a \"b\"=\n");
  EXPECT_EQ(line.find('\n'), line.npos);
}

TEST(LogLine, AnyBytesMakeOneLineOfJson) {
  for (const std::string text : {"two\nlines", "\x1b[31m\t\r", "not \xff utf-8", "\"quoted\\\"", "\xe2\x80\xa8"}) {
    const auto line = log_line(LogFormat::json, kMoment, LogLevel::info, text, {});
    EXPECT_TRUE(nlohmann::json::accept(line)) << line;
    EXPECT_EQ(line.find('\n'), line.npos);
  }
}

}  // namespace
}  // namespace pagoda
