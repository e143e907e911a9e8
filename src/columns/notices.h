// Counts what reading changed, dropped or guessed, so that a command can report it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pagoda::columns {

// Not thread-safe: the reader fills it, and others look at it after the reading has ended.
class Notices {
 public:
  // Adds `count` cells or rows of `column` to which `what` happened. `what` is a phrase that follows a number: "cells
  // are NaN and were read as empty". `place` ("clicks.csv:7") is called the first time only; it may be empty.
  void add(std::string_view column, std::string_view what, uint64_t count,
           const std::function<std::string()>& place = {});
  void add(const Notices& more);
  bool empty() const { return lines_.empty(); }
  uint64_t count(std::string_view column, std::string_view what) const;  // 0 if it never happened
  // "column 'user_id': 20 cells are NaN and were read as empty (first at clicks.csv:7)", in order of first occurrence.
  std::vector<std::string> texts() const;
  void say() const;  // logs a warning for each

 private:
  struct Line {
    std::string column, what, place;
    uint64_t count = 0;
  };
  std::vector<Line> lines_;
};

}  // namespace pagoda::columns
