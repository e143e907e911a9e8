#include "stream/messages/record_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace pagoda::stream {
namespace {

// A number as Avro and the head of Protobuf write it: of either sign, by 7 bits a byte.
std::string zigzag(int64_t number) {
  std::string bytes;
  auto rest = static_cast<uint64_t>(number << 1) ^ static_cast<uint64_t>(number >> 63);
  for (; rest >= 0x80; rest >>= 7) bytes += static_cast<char>(rest | 0x80);
  return bytes + static_cast<char>(rest);
}
std::string avro_text(const std::string& text) { return zigzag(static_cast<int64_t>(text.size())) + text; }
template <class T>
std::string little(T number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

const text::Cell& cell(const text::Row& row, const std::string& name) {
  size_t hint = 0;
  const auto* found = row.find(name, hint);
  EXPECT_TRUE(found) << name;
  static const text::Cell none;
  return found ? *found : none;
}

text::Row read_row(RecordDecoder& decoder, std::string_view payload) {
  text::Row row;
  decoder.read(payload, row);
  return row;
}

std::string why_not(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::input);
    return e.what();
  }
  return "";
}

const std::vector<std::string> kColumns{"user_id", "item_id", "ts",    "price", "kind",  "tags",
                                        "raw",     "at",      "whole", "cost",  "counts"};

constexpr const char* kClick = R"({"type": "record", "name": "Click", "namespace": "shop", "fields": [
  {"name": "new", "type": ["null", "string"]},
  {"name": "user_id", "type": "string"},
  {"name": "item_id", "type": "long"},
  {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
  {"name": "price", "type": ["null", "float"], "default": null},
  {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["VIEW", "BUY"]}},
  {"name": "tags", "type": {"type": "array", "items": ["null", "long"]}},
  {"name": "raw", "type": "bytes"},
  {"name": "at", "type": {"type": "record", "name": "At", "fields": [
    {"name": "x", "type": "int"}, {"name": "who", "type": ["null", "string"]}, {"name": "again", "type": "Kind"}]}},
  {"name": "cost", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
  {"name": "counts", "type": {"type": "map", "values": "int"}}]})";

std::string avro_click() {
  return zigzag(1) + avro_text("ignored") + avro_text("u1") + zigzag(9007199254740993) + zigzag(1714557600123) +
         zigzag(1) + little(0.1f) + zigzag(1) + zigzag(3) + zigzag(1) + zigzag(7) + zigzag(0) + zigzag(1) +
         zigzag(-9007199254740993) + zigzag(0) + avro_text("a\xff") + zigzag(-5) + zigzag(1) + avro_text("bob") +
         zigzag(0) + avro_text("\x04\xd2") + zigzag(1) + avro_text("n") + zigzag(2) + zigzag(0);
}

TEST(AvroDecoder, GivesValuesAsJsonDoesAndTimesByTheirUnit) {
  const auto decoder = make_avro_decoder({"AVRO", kClick, {}}, kColumns);
  const auto row = read_row(*decoder, avro_click());
  EXPECT_EQ(row.size(), 10u);  // what no column names is not among them
  EXPECT_EQ(cell(row, "user_id").text, "u1");
  EXPECT_EQ(cell(row, "item_id").type, columns::ColumnType::integer);
  EXPECT_EQ(cell(row, "item_id").integer, 9007199254740993);
  EXPECT_EQ(cell(row, "ts").type, columns::ColumnType::time);
  EXPECT_EQ(cell(row, "ts").integer, 1714557600123000);
  EXPECT_EQ(cell(row, "price").real, 0.1);  // the shortest decimal of the float
  EXPECT_EQ(cell(row, "kind").text, "BUY");
  EXPECT_EQ(cell(row, "tags").type, columns::ColumnType::texts);
  EXPECT_EQ(cell(row, "tags").elements, (std::vector<std::string>{"7", "-9007199254740993"}));  // nulls are dropped
  EXPECT_EQ(cell(row, "raw").text, "a\xff");
  EXPECT_EQ(cell(row, "at").text, R"({"x":-5,"who":"bob","again":"VIEW"})");
  EXPECT_EQ(cell(row, "cost").type, columns::ColumnType::decimal);
  EXPECT_EQ(cell(row, "cost").text, "12.34");
  EXPECT_EQ(cell(row, "counts").text, R"({"n":2})");
}

TEST(AvroDecoder, ReadsTheNextRecordAnew) {
  const auto decoder = make_avro_decoder(
      {"AVRO", R"({"type": "record", "name": "r", "fields": [{"name": "price", "type": ["null", "double"]}]})", {}},
      kColumns);
  EXPECT_EQ(cell(read_row(*decoder, zigzag(1) + little(2.5)), "price").real, 2.5);
  EXPECT_TRUE(cell(read_row(*decoder, zigzag(0)), "price").null);
  EXPECT_TRUE(cell(read_row(*decoder, zigzag(1) + little(std::nan(""))), "price").null);
}

TEST(AvroDecoder, RefusesEveryPrefixAndWhatGoesOn) {
  const auto decoder = make_avro_decoder({"AVRO", kClick, {}}, kColumns);
  const auto whole = avro_click();
  for (size_t n = 0; n < whole.size(); ++n)
    EXPECT_NE(why_not([&] { read_row(*decoder, whole.substr(0, n)); }), "") << n;
  EXPECT_NE(why_not([&] { read_row(*decoder, whole + '\0'); }).find("goes on"), std::string::npos);
  EXPECT_EQ(cell(read_row(*decoder, whole), "user_id").text, "u1");
}

TEST(AvroDecoder, AnyBytesEndWithARowOrAReason) {
  const auto decoder = make_avro_decoder({"AVRO", kClick, {}}, kColumns);
  const auto whole = avro_click();
  for (size_t at = 0; at < whole.size(); ++at)
    for (const int other : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(other);
      why_not([&] { read_row(*decoder, bytes); });
    }
}

TEST(AvroDecoder, RefusesASymbolAndABranchThatTheSchemaDoesNotHave) {
  const auto one = [](const std::string& type) {
    return make_avro_decoder(
        {"AVRO", R"({"type": "record", "name": "r", "fields": [{"name": "kind", "type": )" + type + "}]}", {}},
        kColumns);
  };
  const auto symbols = one(R"({"type": "enum", "name": "e", "symbols": ["A", "B"]})");
  for (const int64_t number : {int64_t{2}, int64_t{-1}, int64_t{1} << 40})
    EXPECT_NE(why_not([&] { read_row(*symbols, zigzag(number)); }), "") << number;
  const auto branches = one(R"(["null", "string"])");
  for (const int64_t number : {int64_t{2}, int64_t{-1}, int64_t{1} << 40})
    EXPECT_NE(why_not([&] { read_row(*branches, zigzag(number)); }), "") << number;
  EXPECT_NE(why_not([&] { read_row(*one(R"("string")"), zigzag(int64_t{1} << 50) + "x"); }), "");
}

TEST(AvroDecoder, TimesHaveTheUnitThatTheirTypeSays) {
  const auto time = [](const std::string& logical, int64_t number) {
    const auto decoder = make_avro_decoder({"AVRO",
                                            R"({"type": "record", "name": "r", "fields": [{"name": "ts", "type": )"
                                            R"(["null", {"type": "long", "logicalType": ")" +
                                                logical + R"("}]}]})",
                                            {}},
                                           kColumns);
    return cell(read_row(*decoder, zigzag(1) + zigzag(number)), "ts");
  };
  EXPECT_EQ(time("timestamp-micros", 1714557600123456).integer, 1714557600123456);
  EXPECT_EQ(time("timestamp-nanos", -1).integer, -1);
  EXPECT_EQ(time("local-timestamp-millis", 5).integer, 5000);
  EXPECT_EQ(time("timestamp-micros", 1714557600123456).type, columns::ColumnType::time);
  EXPECT_EQ(time("unknown", 5).type, columns::ColumnType::integer);
  EXPECT_NE(why_not([&] { time("timestamp-millis", INT64_MAX); }).find("further from 1970"), std::string::npos);
}

TEST(AvroDecoder, DecimalsAreExact) {
  const auto decimal = [](const std::string& bytes, int scale) {
    const auto decoder = make_avro_decoder({"AVRO",
                                            R"({"type": "record", "name": "r", "fields": [{"name": "cost", "type": )"
                                            R"({"type": "bytes", "logicalType": "decimal", "scale": )" +
                                                std::to_string(scale) + "}}]}",
                                            {}},
                                           kColumns);
    return cell(read_row(*decoder, avro_text(bytes)), "cost");
  };
  EXPECT_EQ(decimal("\xfb\x2e", 2).text, "-12.34");
  EXPECT_EQ(decimal("\x05", 3).text, "0.005");
  EXPECT_EQ(decimal("\x05", 0).integer, 5);
  EXPECT_EQ(decimal("", 0).integer, 0);
  EXPECT_EQ(decimal("\x80" + std::string(15, '\0'), 0).text, "-170141183460469231731687303715884105728");
  EXPECT_NE(why_not([&] { decimal(std::string(17, 'x'), 0); }), "");
}

TEST(AvroDecoder, ASchemaMayReferToOthersAndBeAUnion) {
  const std::string kind = R"({"type": "enum", "name": "Kind", "namespace": "shop", "symbols": ["VIEW", "BUY"]})";
  const std::string click = R"({"type": "record", "name": "Click", "namespace": "shop", "fields": [
    {"name": "kind", "type": "Kind"}, {"name": "more", "type": "shop.Kind"}, {"name": "user_id", "type": "string"}]})";
  const std::string none = R"({"type": "record", "name": "None", "fields": [{"name": "user_id", "type": "int"}]})";
  const auto decoder = make_avro_decoder(
      {"AVRO", R"(["shop.Click", "None"])", {{"shop.Click", click}, {"shop.Kind", kind}, {"None", none}}}, kColumns);
  const auto row = read_row(*decoder, zigzag(0) + zigzag(1) + zigzag(0) + avro_text("u"));
  EXPECT_EQ(cell(row, "kind").text, "BUY");
  EXPECT_EQ(cell(row, "user_id").text, "u");
  EXPECT_EQ(cell(read_row(*decoder, zigzag(1) + zigzag(7)), "user_id").integer, 7);
}

TEST(AvroDecoder, SchemasThatCannotBeUsedAreRefusedWithTheReason) {
  const auto why = [](const std::string& schema) {
    return why_not([&] { make_avro_decoder({"AVRO", schema, {}}, kColumns); });
  };
  EXPECT_NE(why("nothing"), "");
  EXPECT_NE(why(R"({"type": "record", "name": "r"})"), "");
  EXPECT_NE(why(R"({"type": "record", "name": "r", "fields": [{"name": "a", "type": "Gone"}]})").find("'Gone'"),
            std::string::npos);
}

TEST(AvroDecoder, WhatNestsOrRepeatsWithoutEndIsRefusedInTime) {
  const auto tree = make_avro_decoder({"AVRO",
                                       R"({"type": "record", "name": "r", "fields": [
    {"name": "user_id", "type": "string"}, {"name": "at", "type": ["null", "r"]}]})",
                                       {}},
                                      kColumns);
  const auto row = read_row(*tree, avro_text("a") + zigzag(1) + avro_text("b") + zigzag(0));
  EXPECT_EQ(cell(row, "user_id").text, "a");
  EXPECT_EQ(cell(row, "at").text, R"({"user_id":"b","at":null})");
  std::string deep;
  for (int level = 0; level < 1000000; ++level) deep += avro_text("a") + zigzag(1);
  EXPECT_NE(why_not([&] { read_row(*tree, deep); }).find("deeper than 100"), std::string::npos);
  const auto nulls = make_avro_decoder({"AVRO",
                                        R"({"type": "record", "name": "r", "fields": [
    {"name": "tags", "type": {"type": "array", "items": "null"}}]})",
                                        {}},
                                       kColumns);
  EXPECT_TRUE(cell(read_row(*nulls, zigzag(2) + zigzag(0)), "tags").elements.empty());
  EXPECT_NE(why_not([&] { read_row(*nulls, zigzag(int64_t{1} << 60) + zigzag(0)); }).find("more elements"),
            std::string::npos);
}

constexpr const char* kProto = R"(syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "shop/money.proto";
message Other { int32 x = 1; }
message Click {
  enum Kind { VIEW = 0; BUY = 1; }
  message Inner { string user_id = 1; }
  string user_id = 1;
  uint64 item_id = 2;
  google.protobuf.Timestamp ts = 3;
  optional float price = 4;
  Kind kind = 5;
  repeated int64 tags = 6;
  Money at = 7;
  map<string, int32> counts = 8;
  google.protobuf.Int64Value whole = 9;
  bytes raw = 10;
  int32 ignored = 11;
}
)";
constexpr const char* kMoney =
    R"(syntax = "proto3"; package shop; message Money { int64 units = 1; optional string in = 2; })";

RegisteredSchema proto_schema() { return {"PROTOBUF", kProto, {{"shop/money.proto", kMoney}}}; }

std::string varint(uint64_t rest) {
  std::string bytes;
  for (; rest >= 0x80; rest >>= 7) bytes += static_cast<char>(rest | 0x80);
  return bytes + static_cast<char>(rest);
}
std::string tag(int field, int wire) { return varint(static_cast<uint64_t>(field << 3 | wire)); }
std::string counted(int field, const std::string& bytes) { return tag(field, 2) + varint(bytes.size()) + bytes; }

std::string proto_click() {
  const auto ts = tag(1, 0) + varint(1714557600) + tag(2, 0) + varint(123456789);
  return counted(1, "u1") + tag(2, 0) + varint(18446744073709551615u) + counted(3, ts) + tag(4, 5) + little(0.1f) +
         tag(5, 0) + varint(1) + counted(6, varint(7) + varint(9007199254740993)) +
         counted(7, tag(1, 0) + varint(9007199254740993)) + counted(8, counted(1, "n") + tag(2, 0) + varint(2)) +
         counted(9, tag(1, 0) + varint(5)) + counted(10, "a\xff") + tag(99, 0) + varint(1);
}

TEST(ProtobufDecoder, GivesValuesAsJsonDoesAndTimesByTheirUnit) {
  const auto decoder = make_protobuf_decoder(proto_schema(), kColumns);
  const auto row = read_row(*decoder, zigzag(1) + zigzag(1) + proto_click());
  EXPECT_EQ(cell(row, "user_id").text, "u1");
  EXPECT_EQ(cell(row, "item_id").type, columns::ColumnType::decimal);
  EXPECT_EQ(cell(row, "item_id").text, "18446744073709551615");
  EXPECT_EQ(cell(row, "ts").type, columns::ColumnType::time);
  EXPECT_EQ(cell(row, "ts").integer, 1714557600123456);
  EXPECT_EQ(cell(row, "price").real, 0.1);
  EXPECT_EQ(cell(row, "kind").text, "BUY");
  EXPECT_EQ(cell(row, "tags").elements, (std::vector<std::string>{"7", "9007199254740993"}));
  EXPECT_EQ(cell(row, "at").text, R"({"units":9007199254740993})");
  EXPECT_EQ(cell(row, "counts").text, R"({"n":2})");
  EXPECT_EQ(cell(row, "whole").integer, 5);
  EXPECT_EQ(cell(row, "raw").text, "a\xff");
}

TEST(ProtobufDecoder, TheHeadSaysWhichMessageOfTheSchemaItIs) {
  const auto decoder = make_protobuf_decoder(proto_schema(), kColumns);
  EXPECT_EQ(cell(read_row(*decoder, zigzag(2) + zigzag(1) + zigzag(0) + counted(1, "inner")), "user_id").text, "inner");
  EXPECT_EQ(read_row(*decoder, std::string(1, '\0') + tag(1, 0) + varint(3)).size(), 0u);  // Other: a lone 0 is [0]
  EXPECT_EQ(read_row(*decoder, zigzag(1) + zigzag(0)).size(), 0u);                         // written out
  for (const auto& head : {zigzag(1) + zigzag(2), zigzag(1) + zigzag(-1), zigzag(-1), zigzag(2) + zigzag(0) + zigzag(0),
                           zigzag(3) + zigzag(1), std::string(), zigzag(int64_t{1} << 40)})
    EXPECT_NE(why_not([&] { read_row(*decoder, head); }), "");
}

TEST(ProtobufDecoder, WhatIsNotThereIsMissing) {
  const auto decoder = make_protobuf_decoder(proto_schema(), kColumns);
  const auto row = read_row(*decoder, zigzag(1) + zigzag(1));
  for (const auto* name : {"ts", "price", "at", "whole"}) EXPECT_TRUE(cell(row, name).null) << name;
  EXPECT_EQ(cell(row, "user_id").text, "");  // proto3 does not tell it from an empty one
  EXPECT_EQ(cell(row, "kind").text, "VIEW");
}

TEST(ProtobufDecoder, AnyBytesEndWithARowOrAReason) {
  const auto decoder = make_protobuf_decoder(proto_schema(), kColumns);
  const auto whole = zigzag(1) + zigzag(1) + proto_click();
  size_t refused = 0;
  for (size_t n = 0; n < whole.size(); ++n)
    refused += !why_not([&] { read_row(*decoder, whole.substr(0, n)); }).empty();
  EXPECT_GT(refused, whole.size() / 2);  // a cut between two fields is a message, too
  for (size_t at = 0; at < whole.size(); ++at)
    for (const int other : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      auto bytes = whole;
      bytes[at] = static_cast<char>(other);
      why_not([&] { read_row(*decoder, bytes); });
    }
}

TEST(ProtobufDecoder, WhatASchemaRequiresIsTold) {
  const auto decoder = make_protobuf_decoder(
      {"PROTOBUF", R"(syntax = "proto2"; message M { required string user_id = 1; optional int64 item_id = 2; })", {}},
      kColumns);
  EXPECT_NE(why_not([&] { read_row(*decoder, std::string(1, '\0') + tag(2, 0) + varint(3)); }).find("user_id"),
            std::string::npos);
  const auto row = read_row(*decoder, std::string(1, '\0') + counted(1, "u"));
  EXPECT_EQ(cell(row, "user_id").text, "u");
  EXPECT_TRUE(cell(row, "item_id").null);
}

TEST(ProtobufDecoder, SchemasThatCannotBeUsedAreRefusedWithTheReason) {
  const auto why = [](const std::string& schema) {
    return why_not([&] { make_protobuf_decoder({"PROTOBUF", schema, {}}, kColumns); });
  };
  EXPECT_NE(why("nothing").find("line 1"), std::string::npos) << why("nothing");
  EXPECT_NE(why(kProto).find("shop/money.proto"), std::string::npos) << why(kProto);
  EXPECT_NE(why(R"(syntax = "proto3"; message M { Gone x = 1; })").find("Gone"), std::string::npos);
}

}  // namespace
}  // namespace pagoda::stream
