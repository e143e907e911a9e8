// The commit that the program was built from.
#pragma once

#include <string>
#include <string_view>

namespace pagoda::cli {

// "42657da", with "+" if files had changed since; "" if it was built outside of git. cmake/Commit.cmake writes it.
std::string_view commit();

std::string program_text();  // "pagoda 0.2.0, commit 42657da"

}  // namespace pagoda::cli
