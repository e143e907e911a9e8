#include "diagnose/figures.h"

#include <fmt/core.h>

#include <cmath>

namespace pagoda::diagnose {

std::string grouped(uint64_t n) {
  std::string text = std::to_string(n);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string percent(double share) {
  const double p = 100 * share;
  if (p == 0 || p >= 9.95) return fmt::format("{:.0f}%", p);
  if (p >= 0.95) return fmt::format("{:.1f}%", p);
  return p < 0.01 ? "<0.01%" : fmt::format("{:.2f}%", p);
}

std::string significant(double x) {
  const double size = std::abs(x);
  if (size >= 9.95) return grouped(static_cast<uint64_t>(std::llround(size))).insert(0, x < 0 ? "-" : "");
  return size >= 0.95 || size == 0 ? fmt::format("{:.1f}", x) : fmt::format("{:.2g}", x);
}

}  // namespace pagoda::diagnose
