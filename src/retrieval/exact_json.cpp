#include "retrieval/exact_json.h"

#include <algorithm>
#include <charconv>

#include "columns/decimal.h"
#include "retrieval/retrieval.h"

namespace pagoda::retrieval {
namespace {

using nlohmann::json;

[[noreturn]] void refuse_json(const std::string& message) { throw RequestError(ErrorKind::input, "", message); }

// Whether the double has exactly the value of the text.
bool holds(double value, std::string_view written) {
  constexpr auto kSurelyHeld = std::numeric_limits<double>::digits10;
  if (std::ranges::count_if(written.substr(0, written.find_first_of("eE")),
                            [](char c) { return c >= '0' && c <= '9'; }) <= kSurelyHeld)
    return true;
  char shortest[32];
  const auto end = std::to_chars(shortest, shortest + sizeof shortest, value).ptr;
  return written == std::string_view(shortest, end);
}

// Builds the value, and throws on errors.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(int max_depth) : max_depth_(max_depth) {}
  json result() && { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& written) override {
    if (holds(value, written)) return put(value);
    return put(json::binary(std::vector<uint8_t>(written.begin(), written.end())));
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in JSON
  bool start_object(size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const auto [at, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(std::move(name));
    if (!is_new) refuse_json(fmt::format("the key '{}' occurs twice in one object", at->first));
    named_ = &at->second;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const json::exception& e) override {
    constexpr int kNumberOverflow = 406;
    if (e.id == kNumberOverflow) refuse_json("invalid JSON: a number is out of range");
    refuse_json(fmt::format("invalid JSON at character {}", position));
  }

 private:
  bool put(json value) {
    place() = std::move(value);
    return true;
  }
  bool open(json container) {
    if (static_cast<int>(open_.size()) >= max_depth_)
      refuse_json(fmt::format("the JSON is nested deeper than {} levels", max_depth_));
    json& here = place();
    here = std::move(container);
    open_.push_back(&here);
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  // Where the next value goes. A list grows only while none of its elements is open, so the pointers stay valid.
  json& place() {
    if (open_.empty()) return root_;
    if (open_.back()->is_object()) return *named_;
    return open_.back()->get_ref<json::array_t&>().emplace_back();
  }

  int max_depth_;
  json root_;
  std::vector<json*> open_;  // the containers around the next value
  json* named_ = nullptr;    // the value for the last key
};

std::string written(const json& number) {
  const auto& bytes = number.get_binary();
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

json parse_json(std::string_view text, int max_depth) {
  Builder builder(max_depth);
  json::sax_parse(text, &builder);
  return std::move(builder).result();
}

bool is_number(const json& value) { return value.is_number() || value.is_binary(); }

double double_of(const json& number) {
  return number.is_binary() ? columns::Decimal::parse(written(number))->as_double() : number.get<double>();
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return columns::format_number(value.get<double>());
  return value.is_binary() ? columns::Decimal::parse(written(value))->text() : value.dump();
}

std::string shown(const json& value) {
  if (value.is_binary()) return written(value);
  return value.is_object()  ? "an object"
         : value.is_array() ? "a list"
                            : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace pagoda::retrieval
