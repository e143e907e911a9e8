// How two configs differ, in words.
#pragma once

#include <string>
#include <string_view>

namespace pagoda::train {

// Differences one by one, up to a few; then how many more there are.
class Differences {
 public:
  void add(std::string words);
  bool any() const { return found_ > 0; }
  std::string text() const;

 private:
  size_t found_ = 0;
  std::string text_;
};

// Adds "train.epochs is 8, was 6" for each key that differs between two records of to_toml().
void compare_configs(std::string_view was, std::string_view now, Differences& out);
std::string config_differences(std::string_view was, std::string_view now);  // "": none

}  // namespace pagoda::train
