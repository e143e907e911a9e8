// Formats numbers for a person.
#pragma once

#include <cstdint>
#include <string>

namespace pagoda::diagnose {

std::string grouped(uint64_t n);    // 14511 -> "14,511"
std::string percent(double share);  // 0.834 -> "83%", 0.0271 -> "2.7%", 0.00031 -> "0.03%", 0.00001 -> "<0.01%"
// Two significant figures, but all digits before the point: 0.0123 -> "0.012", 2.71 -> "2.7", 153.2 -> "153".
std::string significant(double x);

}  // namespace pagoda::diagnose
