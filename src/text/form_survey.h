// How files of text are written, found from all their bytes: what a config has to say so that they are read whole.
#pragma once

#include <string>
#include <vector>

#include "columns/table_form.h"
#include "files/file_kind.h"

namespace pagoda::text {

struct FormSurvey {
  std::string format = "auto";  // or the name of a format that the content does not show for certain
  columns::TableForm form;      // `told`, and what was found where that says "auto"
  // What was found, and what was guessed, a sentence each with the key that says it otherwise.
  std::vector<std::string> found, guesses;
};

// Surveys the files that the paths mean. Of what they need to be read it finds encoding, separator, quoting, and the
// names of columns that no first line names. Reads every text file up to three times, the others not at all.
// `told` and `format` (a name, or "auto") are kept where they say anything. Error{input}: no such file.
FormSurvey survey_form(const std::vector<std::string>& paths, const std::string& format,
                       const columns::TableForm& told);

}  // namespace pagoda::text
