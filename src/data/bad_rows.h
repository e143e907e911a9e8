// What to do with a row that cannot be used: stop and say where, or count it, show the first few and continue.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pagoda::data {

enum class OnBadRow { fail, skip };

struct BadRowOptions {
  OnBadRow on_bad_row = OnBadRow::fail;
  int64_t limit = 1000;  // with skip: more bad rows than this are an error nevertheless
};

// "column 'price' is 'N/A', expected a number"
std::string what_is_bad(std::string_view column, std::string_view value, std::string_view expected);

class BadRows {
 public:
  explicit BadRows(const BadRowOptions& options) : options_(options) {}

  // `place` is called only if the message is shown. Throws Error{input} with on_bad_row = "fail", or past the limit:
  //   clicks.csv:1841: column 'price' is 'N/A', expected a number; set on_bad_row = "skip" to go on
  void report(const std::function<std::string()>& place, std::string_view column, std::string_view value,
              std::string_view expected);
  // The same of a row that is no row at all: `what` says what it is ("is no JSON object: ...").
  void report(const std::function<std::string()>& place, const std::string& what);
  int64_t count() const { return count_; }
  void add(int64_t more) { count_ += more; }  // that were skipped elsewhere, as before a restart
  void summarise() const;                     // logs one warning with the count, if there were any

 private:
  BadRowOptions options_;
  int64_t count_ = 0;
};

}  // namespace pagoda::data
