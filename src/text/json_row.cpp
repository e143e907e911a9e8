#include "text/json_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "columns/decimal.h"

namespace pagoda::text {

namespace {

using Json = nlohmann::json;

// Replaces the bare words NaN, Infinity and -Infinity by null. Returns how many there were.
uint64_t make_null(std::string_view line, std::string& repaired) {
  repaired.clear();
  uint64_t n = 0;
  bool quoted = false;
  for (size_t i = 0; i < line.size();) {
    if (quoted && line[i] == '\\') {
      repaired += line.substr(i, 2);
      i += 2;
      continue;
    }
    if (line[i] == '"') quoted = !quoted;
    size_t length = 0;
    if (!quoted)
      for (const std::string_view word : {"NaN", "Infinity", "-Infinity"})
        if (line.substr(i).starts_with(word)) length = word.size();
    if (length > 0) {
      repaired += "null";
      i += length;
      ++n;
    } else {
      repaired += line[i++];
    }
  }
  return n;
}

// Whether the double of this spelling prints as the same digits: at most 15 digits do, far from the ends of its range.
bool is_short(std::string_view digits) {
  return digits.size() <= 17 && digits.find_first_of("eE") == digits.npos &&
         std::ranges::count_if(digits, [](unsigned char c) { return std::isdigit(c); }) <= 15;
}

}  // namespace

// Handles the parser's events for one line.
class JsonRow::Events : public nlohmann::json_sax<Json> {
 public:
  explicit Events(JsonRow& row) : row_(row) {}

  bool null() override {
    if (depth() == 2 && in_list_) {
      ++row_.dropped_nulls_;
      return true;
    }
    if (depth() != 1) return token("null");
    row_.last().null = true;
    return true;
  }
  bool boolean(bool value) override {
    const char* word = value ? "true" : "false";
    if (depth() != 1) return element(word, word);
    auto& cell = of_type(columns::ColumnType::boolean);
    cell.integer = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    if (depth() != 1) return element(fmt::format("{}", value), fmt::format("{}", value));
    of_type(columns::ColumnType::integer).integer = value;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= INT64_MAX) return number_integer(static_cast<int64_t>(value));
    const auto digits = fmt::format("{}", value);
    if (depth() != 1) return element(digits, digits);
    of_type(columns::ColumnType::decimal).text = digits;
    return true;
  }
  bool number_float(number_float_t value, const string_t& digits) override {
    if (depth() == 1 && is_short(digits)) {
      of_type(columns::ColumnType::real).real = value;
      return true;
    }
    const auto exact = columns::Decimal::parse(digits);
    const auto text = exact ? exact->text() : digits;
    if (depth() != 1) return element(text, digits);
    if (text == columns::format_number(value))
      of_type(columns::ColumnType::real).real = value;
    else
      of_type(columns::ColumnType::decimal).text = text;
    return true;
  }
  bool string(string_t& value) override {
    if (depth() == 1) {
      of_type(columns::ColumnType::text).text = value;
      return true;
    }
    return depth() == 2 && in_list_ ? element(value, value) : token(Json(value).dump());
  }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open('{'); }
  bool end_object() override { return close('}'); }
  bool start_array(std::size_t) override { return open('['); }
  bool end_array() override { return close(']'); }

  bool key(string_t& name) override {
    if (depth() == 1) {
      for (size_t i = 0; i < row_.size(); ++i)
        if (row_[i].key == name) return twice(name);
      row_.add(name);
      return true;
    }
    auto& keys = keys_.back();
    if (std::ranges::count(keys, name) > 0) return twice(name);
    keys.push_back(name);
    separate();
    nested_ += Json(name).dump() + ":";
    first_ = true;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    std::string why = error.what();
    if (const auto at = why.find("] "); at != why.npos) why.erase(0, at + 2);
    return fail("not JSON: " + why);
  }

 private:
  size_t depth() const { return open_.size(); }
  bool fail(std::string why) {
    row_.error_ = std::move(why);
    return false;
  }
  bool twice(const std::string& name) {
    return fail(fmt::format("the key '{}' occurs twice in one object: which is meant?", name));
  }
  Cell& of_type(columns::ColumnType type) {
    auto& cell = row_.last();
    cell.type = type;
    return cell;
  }

  // A scalar in a list, or deeper: `text` as an element, `as_json` as written in JSON.
  bool element(std::string text, std::string_view as_json) {
    if (depth() == 0) return no_object();
    if (depth() == 2 && in_list_) {
      of_type(columns::ColumnType::texts).elements.push_back(std::move(text));
      return true;
    }
    return token(as_json);
  }
  bool token(std::string_view as_json) {
    if (depth() == 0) return no_object();
    separate();
    nested_ += as_json;
    first_ = false;
    return true;
  }
  bool no_object() { return fail(""); }
  void separate() {
    if (!first_) nested_ += ',';
    first_ = false;
  }

  bool open(char bracket) {
    if (depth() == 0 && bracket == '[') return no_object();
    if (depth() == 1 && bracket == '[') {
      in_list_ = true;
      of_type(columns::ColumnType::texts);
    } else if (depth() > 0) {
      separate();
      nested_ += bracket;
      first_ = true;
    }
    open_ += bracket;
    keys_.emplace_back();
    return true;
  }
  bool close(char bracket) {
    open_.pop_back();
    keys_.pop_back();
    if (depth() == 0 || (depth() == 1 && in_list_)) {
      in_list_ = false;
      first_ = true;
      return true;
    }
    nested_ += bracket;
    first_ = false;
    if (depth() > (in_list_ ? 2u : 1u)) return true;
    if (in_list_)
      of_type(columns::ColumnType::texts).elements.push_back(nested_);
    else
      of_type(columns::ColumnType::text).text = nested_;
    nested_.clear();
    first_ = true;
    return true;
  }

  JsonRow& row_;
  std::string open_;                            // the open brackets
  bool in_list_ = false;                        // in a list that is the value of a key of the line's object
  std::string nested_;                          // deeper values, as JSON
  bool first_ = true;                           // no element yet in the innermost of them
  std::vector<std::vector<std::string>> keys_;  // of the open objects
};

bool JsonRow::parse_strictly(std::string_view line) {
  clear();
  error_.clear();
  Events events(*this);
  return Json::sax_parse(line.begin(), line.end(), &events);
}

bool JsonRow::parse(std::string_view line) {
  const uint64_t dropped = dropped_nulls_;
  if (parse_strictly(line)) return true;
  if (error_.starts_with("not JSON")) {
    const auto why = error_;
    const uint64_t n = make_null(line, repaired_);
    dropped_nulls_ = dropped;
    if (n > 0 && parse_strictly(repaired_)) {
      not_numbers_ += n;
      return true;
    }
    if (n == 0) error_ = why;
  }
  if (error_.empty()) error_ = "expected a JSON object, as in {\"user_id\": \"u1\", ...}";
  return false;
}

}  // namespace pagoda::text
