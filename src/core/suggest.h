// "did you mean": the known name nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pagoda {

// Edit distance with transpositions (optimal string alignment): "recal" -> "recall" is 1, "tiem" -> "time" is 1.
size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, ignoring case. "" if none is near enough to be meant, or if `name` is over 100 bytes.
std::string nearest(std::string_view name, std::span<const std::string> known);

// "; did you mean 'x'?", or "; known: a, b, c" (the first dozen) if nothing is near.
std::string suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace pagoda
