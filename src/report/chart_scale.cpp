#include "report/chart_scale.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace pagoda::report {

namespace {

// Ticks are sums and products of powers of ten; those that differ by less than this part of a step are the same tick.
constexpr double kSlack = 1e-6;

std::string with_thousands(std::string digits) {
  for (auto at = static_cast<long>(digits.size()) - 3; at > (digits[0] == '-' ? 1 : 0); at -= 3) digits.insert(at, ",");
  return digits;
}

struct Unit {
  double size;
  const char* suffix;
};
// Counts up to 9,999 are written out.
Unit unit_for(double largest) {
  if (largest >= 1e9) return {1e9, "B"};
  if (largest >= 1e6) return {1e6, "M"};
  if (largest >= 1e4) return {1e3, "k"};
  return {1, ""};
}

int decimals_of(double value) {  // how many it takes to write the value exactly, at most 8
  for (int decimals = 0; decimals < 8; ++decimals) {
    const double scaled = value * std::pow(10, decimals);
    if (std::abs(scaled - std::round(scaled)) <= kSlack * std::max(1.0, std::abs(scaled))) return decimals;
  }
  return 8;
}

}  // namespace

double nice_step(double low, double high, int most) {
  check(low < high && most > 0, "an axis has a length");
  const double rough = (high - low) / most;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - kSlack)) return factor * power;
  return 10 * power;
}

std::vector<double> nice_ticks(double low, double high, int most) {
  const double step = nice_step(low, high, most);
  std::vector<double> ticks;
  const double last = std::floor(high / step + kSlack);
  for (double i = std::ceil(low / step - kSlack); i <= last; ++i) ticks.push_back(i == 0 ? 0 : i * step);
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  check(0 < low && low < high, "a log axis lies above 0");
  if (high < 4 * low) return nice_ticks(low, high, 5);
  const int first = static_cast<int>(std::floor(std::log10(low) - kSlack));
  const int last = static_cast<int>(std::floor(std::log10(high) + kSlack));
  const double decades = std::log10(high / low);
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / 7)));
  std::vector<double> ticks;
  for (int power = first; power <= last; ++power) {
    if (decades > 3 && power % stride != 0) continue;
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (decades > 3 && factor != 1) break;
      const double tick = factor * std::pow(10, power);
      if (tick >= low * (1 - kSlack) && tick <= high * (1 + kSlack)) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::vector<std::string> tick_labels(const std::vector<double>& ticks, bool percent) {
  double largest = 0;
  for (const double tick : ticks) largest = std::max(largest, std::abs(tick));
  if (largest > 0 && largest < 1e-4 && !percent) {
    std::vector<std::string> labels;
    for (const double tick : ticks) labels.push_back(fmt::format("{:.3g}", tick));
    return labels;
  }
  const Unit unit = percent ? Unit{0.01, "%"} : unit_for(largest);
  int decimals = 0;
  for (const double tick : ticks) decimals = std::max(decimals, decimals_of(tick / unit.size));
  std::vector<std::string> labels;
  for (const double tick : ticks) {
    const std::string digits = fmt::format("{:.{}f}", tick / unit.size, decimals);
    const bool bare = tick == 0 && *unit.suffix && !percent;  // "0", not "0k"
    labels.push_back(bare ? "0" : (decimals == 0 ? with_thousands(digits) : digits) + unit.suffix);
  }
  return labels;
}

std::string number_text(double value, bool percent) {
  if (!std::isfinite(value)) return "–";
  if (percent) return fmt::format("{:.{}f}%", value * 100, std::abs(value) < 0.00995 && value != 0 ? 2 : 1);
  const double size = std::abs(value);
  if (size >= 1e6) return fmt::format("{:.4g}{}", value / unit_for(size).size, unit_for(size).suffix);
  if (size >= 1000 || value == std::round(value)) return with_thousands(fmt::format("{:.0f}", value));
  if (size < 1e-3) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, size < 1 ? 4 : size < 10 ? 3 : size < 100 ? 2 : 1);
}

double Scale::at(double value) const {
  const double part = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + part * (to - from);
}

}  // namespace pagoda::report
