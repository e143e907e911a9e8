// What `tune` searches: keys of the config, each with a few values to choose from, as the config and the data allow.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dataset/options.h"

namespace pagoda::tune {

struct Level {
  std::string text;  // as in a config: 0.07, 'user', true
  std::function<void(dataset::Options&)> apply;
};

struct Key {
  std::string name;  // "loss.temperature"
  std::vector<Level> levels;
  bool ordered = true;  // the levels rise: a step to the next one is a small one
  size_t standing = 0;  // the level of the config as it stands, which apply() leaves alone
  // Whether the key means anything in a config that has the values of the keys before it.
  std::function<bool(const dataset::Options&)> active = [](const dataset::Options&) { return true; };
};

using Point = std::vector<size_t>;  // per key: a level

// What the space adapts to beside the config.
struct DataFacts {
  int64_t items = 0;  // of the catalogue
};

// A config that someone has thought about is a better place to search from than the middle of nowhere, and where few
// keys change it is seen which of them matter.
inline constexpr double kKept = 0.6;

// Immutable.
class Space {
 public:
  // Every point of it passes dataset::validate(). A key is left out where the config does not use it (no history, no
  // times, no hidden layers, ...) or where fewer than two values are left.
  Space(const dataset::Options& base, const DataFacts& data);
  const std::vector<Key>& keys() const { return keys_; }

  Point standing() const;  // the config as it stands
  // The same config by the one point that stands for it: keys that mean nothing in it are at their standing level.
  Point canonical(const Point& point) const;
  dataset::Options options(const Point& point) const;
  // Per key whether it means something at that point.
  std::vector<bool> active(const Point& point) const;
  // "loss.temperature = 0.07, train.batch = 512"; the keys that are not as they stand.
  std::string changes(const Point& point) const;
  // The point of the space at a point of [0, 1)^keys: below kKept a key stays as it stands, above it lie its other
  // levels.
  Point at(const std::vector<double>& unit) const;

 private:
  dataset::Options base_;
  std::vector<Key> keys_;
};

}  // namespace pagoda::tune
