#include "predicate/syntax.h"

#include <algorithm>
#include <cctype>

namespace pagoda::predicate {
namespace {

constexpr size_t kMaxDepth = 100;  // of parentheses and nots, because an expression may come from an untrusted client

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return std::tolower(static_cast<unsigned char>(x)) == y; });
}

// A recursive descent parser with one function per rule.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  FilterNode whole() {
    skip_blanks();
    if (at_ == text_.size()) fail_filter(text_, at_, "the filter is empty");
    FilterNode node = expression();
    if (at_ < text_.size()) expected("'and', 'or' or the end");
    return node;
  }

 private:
  FilterNode expression() {
    return chain(FilterNode::Kind::any_of, "or", [&] { return conjunction(); });
  }
  FilterNode conjunction() {
    return chain(FilterNode::Kind::all_of, "and", [&] { return negation(); });
  }

  template <class Operand>
  FilterNode chain(FilterNode::Kind kind, std::string_view word, Operand operand) {
    FilterNode first = operand();
    if (!peek_word(word)) return first;
    FilterNode node;
    node.kind = kind;
    node.at = first.at;
    node.children.push_back(std::move(first));
    while (take_word(word)) node.children.push_back(operand());
    return node;
  }

  FilterNode negation() {
    const size_t at = at_;
    if (!take_word("not")) return primary();
    deeper(at);
    FilterNode node;
    node.kind = FilterNode::Kind::negation;
    node.at = at;
    node.children.push_back(negation());
    --depth_;
    return node;
  }

  FilterNode primary() {
    const size_t at = at_;
    if (take("(")) {
      deeper(at);
      FilterNode node = expression();
      if (!take(")")) expected("')'");
      --depth_;
      return node;
    }
    FilterNode node;
    node.at = at;
    if (take_word("seen")) {
      node.kind = FilterNode::Kind::seen;
      return node;
    }
    node.kind = FilterNode::Kind::test;
    node.field = field();
    for (const auto& [sign, test] : kSigns)
      if (take(sign)) {
        node.test = test;
        node.values.push_back(value(sign));
        return node;
      }
    if (take_word("is")) {
      node.test = take_word("not") ? FilterTest::is_not_null : FilterTest::is_null;
      if (!take_word("null")) expected(node.test == FilterTest::is_null ? "'null' or 'not null' after 'is'" : "'null'");
      return node;
    }
    if (take_word("not")) {
      if (!peek_word("in")) expected("'in' after 'not'");
      node.test = FilterTest::not_in;
    }
    if (take_word("in")) {
      if (node.test != FilterTest::not_in) node.test = FilterTest::in;
      if (!take("(")) expected("'(' after 'in'");
      do node.values.push_back(value("'in'"));
      while (take(","));
      if (!take(")")) expected("',' or ')'");
    }
    return node;
  }

  std::string field() {
    if (peek() == '`') return quoted("field");
    const std::string_view word = word_here();
    for (const std::string_view keyword : {"and", "or", "not", "in", "true", "false"})
      if (same_word(word, keyword)) expected("a field");
    if (word.empty()) expected("a field");
    at_ += word.size();
    skip_blanks();
    return std::string(word);
  }

  FilterValue value(std::string_view after) {
    FilterValue value;
    value.at = at_;
    if (peek() == '"' || peek() == '\'') {
      value.kind = FilterValue::Kind::text;
      value.text = quoted("text");
      value.number = columns::Decimal::parse(value.text);
      return value;
    }
    const std::string_view word = word_here();
    if (same_word(word, "true") || same_word(word, "false")) {
      value.kind = FilterValue::Kind::boolean;
      value.boolean = same_word(word, "true");
      value.text = value.boolean ? "true" : "false";
      at_ += word.size();
      skip_blanks();
      return value;
    }
    const std::string_view number = number_here();
    const size_t end = at_ + number.size();
    value.number = columns::Decimal::parse(number);
    if (value.number && end < text_.size() && text_[end] == '-')
      fail_filter(text_, at_, "write a time in quotes: \"2024-01-01\"");
    if (!value.number || (end < text_.size() && is_word_byte(text_[end]))) {
      if (!word.empty())
        fail_filter(text_, at_,
                    fmt::format("'{}' is neither a number nor true or false; write a text in quotes", word));
      expected(fmt::format("a value after {}", after));
    }
    value.kind = FilterValue::Kind::number;
    value.text = number;
    at_ = end;
    skip_blanks();
    return value;
  }

  // The number at the current position: sign, digits, point, digits, exponent.
  std::string_view number_here() const {
    size_t end = at_;
    const auto byte = [&] { return end < text_.size() ? text_[end] : '\0'; };
    const auto digits = [&] {
      while (byte() >= '0' && byte() <= '9') ++end;
    };
    if (byte() == '+' || byte() == '-') ++end;
    digits();
    if (byte() == '.') ++end;
    digits();
    const size_t mantissa = end;
    if (byte() == 'e' || byte() == 'E') {
      ++end;
      if (byte() == '+' || byte() == '-') ++end;
      if (byte() < '0' || byte() > '9')
        end = mantissa;
      else
        digits();
    }
    return text_.substr(at_, end - at_);
  }

  std::string quoted(std::string_view what) {
    const size_t start = at_;
    const char quote = text_[at_++];
    std::string out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (at_ == text_.size())
      fail_filter(text_, start, fmt::format("the {} that starts here has no closing {}", what, quote));
    ++at_;
    skip_blanks();
    return out;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::string_view word_here() const {
    size_t end = at_;
    while (end < text_.size() && is_word_byte(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool peek_word(std::string_view word) const { return same_word(word_here(), word); }
  bool take_word(std::string_view word) { return peek_word(word) && take_bytes(word.size()); }
  bool take(std::string_view sign) { return text_.substr(at_).starts_with(sign) && take_bytes(sign.size()); }
  bool take_bytes(size_t n) {
    at_ += n;
    skip_blanks();
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  void deeper(size_t at) {
    if (++depth_ > kMaxDepth) fail_filter(text_, at, fmt::format("nested more than {} deep", kMaxDepth));
  }
  [[noreturn]] void expected(std::string_view what) const {
    std::string found = "the end";
    if (const auto word = word_here(); !word.empty())
      found = fmt::format("'{}'", word);
    else if (at_ < text_.size())
      found = fmt::format("'{}'", text_[at_]);
    fail_filter(text_, at_, fmt::format("expected {}, found {}", what, found));
  }

  static constexpr std::pair<std::string_view, FilterTest> kSigns[] = {
      {"==", FilterTest::equal},         {"!=", FilterTest::not_equal}, {"<=", FilterTest::less_equal},
      {">=", FilterTest::greater_equal}, {"=", FilterTest::equal},      {"<", FilterTest::less},
      {">", FilterTest::greater}};

  std::string_view text_;
  size_t at_ = 0, depth_ = 0;
};

}  // namespace

FilterNode parse_filter(std::string_view expression) { return Parser(expression).whole(); }

bool take_not_seen(FilterNode& node, bool& not_seen) {
  if (node.kind == FilterNode::Kind::negation && node.children[0].kind == FilterNode::Kind::seen) {
    not_seen = true;
    return false;
  }
  if (node.kind != FilterNode::Kind::all_of) return true;
  std::erase_if(node.children, [&](FilterNode& child) { return !take_not_seen(child, not_seen); });
  return !node.children.empty();
}

void fail_seen(std::string_view expression, size_t at) {
  fail_filter(
      expression, at,
      "'seen' may occur only as 'not seen', joined to the rest by 'and'; write an attribute of that name as `seen`");
}

void fail_filter(std::string_view expression, size_t at, std::string_view message) {
  const auto before = expression.substr(0, at);
  const auto characters = std::count_if(before.begin(), before.end(),
                                        [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
  fail(ErrorKind::usage, "{} (at character {} of the filter)", message, characters + 1);
}

}  // namespace pagoda::predicate
