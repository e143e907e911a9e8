# Writes OUTPUT, the source of cli/commit.h, from the commit of SOURCE; leaves it alone when nothing changed.
#   cmake -DSOURCE=... -DOUTPUT=... -P cmake/Commit.cmake
find_program(GIT git)
if(GIT AND EXISTS "${SOURCE}/.git")
  execute_process(COMMAND "${GIT}" -C "${SOURCE}" rev-parse --short HEAD OUTPUT_VARIABLE commit
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND "${GIT}" -C "${SOURCE}" status --porcelain --untracked-files=no OUTPUT_VARIABLE changed
                  ERROR_QUIET)
  if(changed)
    string(APPEND commit "+")
  endif()
endif()
set(text "#include \"cli/commit.h\"

namespace pagoda::cli {

std::string_view commit() { return \"${commit}\"; }

}  // namespace pagoda::cli
")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT "${before}" STREQUAL "${text}")
  file(WRITE "${OUTPUT}" "${text}")
endif()
