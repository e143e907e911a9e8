// The scale of an axis, and the round numbers that are written beside it.
#pragma once

#include <string>
#include <vector>

namespace pagoda::report {

// The smallest of 1, 2, 5 times a power of ten that cuts [low, high] into at most `most` parts. low < high.
double nice_step(double low, double high, int most);
// The multiples of nice_step() inside [low, high], both ends included: nice_ticks(0, 0.43, 5) = 0, .1, .2, .3, .4.
std::vector<double> nice_ticks(double low, double high, int most);
// For a log axis, 0 < low < high: 1, 2, 5 times the powers of ten if they are few, else (every n-th of) the powers; if
// high / low is below 4: nice_ticks().
std::vector<double> log_ticks(double low, double high);

// Labels with one number of decimals and one unit (k, M, B) for all: 0, 0.25, 0.5 -> "0.00", "0.25", "0.50".
std::vector<std::string> tick_labels(const std::vector<double>& ticks, bool percent);
// One number by itself, with about four digits: "0.1824", "18.2%", "1,234", "12.3M", "2.5e-05".
std::string number_text(double value, bool percent);

// Maps [low, high] to [from, to] (pixels; `to` may be the smaller), straight or by the logarithm.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  bool log = false;
  double at(double value) const;
};

}  // namespace pagoda::report
