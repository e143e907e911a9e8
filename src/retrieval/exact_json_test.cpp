#include "retrieval/exact_json.h"

#include <gtest/gtest.h>

#include "retrieval/json_request.h"

namespace pagoda::retrieval {
namespace {

using nlohmann::json;

std::string message_of(std::string_view text, int max_depth = 8) {
  try {
    parse_json(text, max_depth);
  } catch (const RequestError& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    return e.what();
  }
  return "no error";
}

TEST(ExactJson, BuildsWhatTheTextSays) {
  for (const char* text : {R"({"a":[1,-2,2.5,"x",null,true,{"b":[[],{}]}],"c":{"d":0}})", "[]", "3", R"("é\n")",
                           "[0.1, 1e300, 9007199254740993, 18446744073709551615]"})
    EXPECT_EQ(parse_json(text, 8), json::parse(text)) << text;
}

TEST(ExactJson, NumbersKeepTheirDigits) {
  for (const auto& [text, canonical] : std::vector<std::pair<const char*, const char*>>{
           {"2", "2"},
           {"2.0", "2"},
           {"-0", "0"},
           {"2e3", "2000"},
           {"0.1", "0.1"},
           {"0.350", "0.35"},
           {"9007199254740993", "9007199254740993"},
           {"9007199254740993.0", "9007199254740993"},
           {"18446744073709551615", "18446744073709551615"},
           {"18446744073709551620", "18446744073709551620"},
           {"-9223372036854775809", "-9223372036854775809"},
           {"0.34999999999999999999", "0.34999999999999999999"},
           {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
           {"0.10000000149011612", "0.10000000149011612"},
           {"1.7976931348623157e308", "1.7976931348623157e+308"}}) {
    const auto value = parse_json(text, 1);
    EXPECT_TRUE(is_number(value));
    EXPECT_EQ(text_of(value), canonical);
    EXPECT_EQ(double_of(value), std::stod(text));
  }
  EXPECT_EQ(shown(parse_json("18446744073709551620", 1)), "18446744073709551620");
}

TEST(ExactJson, SaysWhatIsWrong) {
  EXPECT_EQ(message_of(R"({"a": 1, "b": {"c": 1, "c": 1}})"), "the key 'c' occurs twice in one object");
  EXPECT_EQ(message_of(R"({"a": {"c": 1}, "b": {"c": 1}})"), "no error");
  EXPECT_EQ(message_of("[1e999]"), "invalid JSON: a number is out of range");
  EXPECT_EQ(message_of("[1,]"), "invalid JSON at character 4");
  EXPECT_EQ(message_of("[NaN]").substr(0, 23), "invalid JSON at charact");
  EXPECT_EQ(message_of("{} {}").substr(0, 23), "invalid JSON at charact");
  EXPECT_EQ(message_of("[[[1]]]", 3), "no error");
  EXPECT_EQ(message_of("[[[[]]]]", 3), "the JSON is nested deeper than 3 levels");
  EXPECT_EQ(message_of(R"({"a":{"b":{"c":{}}}})", 3), "the JSON is nested deeper than 3 levels");
}

TEST(ExactJson, AnIdIsATextOrTheTextOfAWholeNumber) {
  const auto id = [](const char* text) { return read_id(parse_json(text, 1), "user"); };
  EXPECT_EQ(id("18446744073709551620"), "18446744073709551620");
  EXPECT_EQ(id("1700000000123456003"), "1700000000123456003");
  EXPECT_EQ(id("12.0"), "12");
  EXPECT_EQ(id("\"000012\""), "000012");
  for (const char* text : {"1.5", "0.34999999999999999999", "true", "null", "[]"})
    EXPECT_THROW(id(text), RequestError) << text;
}

}  // namespace
}  // namespace pagoda::retrieval
