// How reading a file may change a cell. The phrases for Notices are the same for every format.
#pragma once

#include <string_view>

namespace pagoda::columns::conversion {

inline constexpr std::string_view kNaN = "cells are NaN and were read as empty";
inline constexpr std::string_view kFarTime =
    "cells are times further from 1970 than 64 bits of microseconds reach, and were read as empty";
inline constexpr std::string_view kBelowMicrosecond =
    "cells are times with digits below the microsecond, and were rounded down";
inline constexpr std::string_view kNoText =
    "cells are bytes that are not text, and were read as empty; write them as text or numbers";
inline constexpr std::string_view kNullElement = "elements of lists are null and were dropped";
inline constexpr std::string_view kNaNElement = "elements of lists are NaN and were dropped";
inline constexpr std::string_view kFarTimeElement =
    "elements of lists are times further from 1970 than 64 bits of microseconds reach, and were dropped";
inline constexpr std::string_view kNoTextElement =
    "elements of lists are bytes that are not text, and were dropped; write them as text or numbers";
inline constexpr std::string_view kRoundedId =
    "ids are floating-point numbers so large that they may have been rounded before they were written; "
    "write ids as integers or text";

}  // namespace pagoda::columns::conversion
