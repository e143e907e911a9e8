// Words that usually mean missing where an id or a value is expected: NA, null, None, \N, -.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/interactions.h"

namespace pagoda::data {

bool usually_means_missing(std::string_view text);  // in any letter case; ignores surrounding blanks

// "data.null_values = [\"NA\"]"
std::string null_values_remedy(std::string_view keys, const std::vector<std::string>& words);

// Throws Error{input} if a column of ids holds lists.
void refuse_lists(const std::string& path, const columns::Column& ids);

// Warns of such words that are the ids of more than one row in a hundred, and of ids that are lists. Error{input}: all
// ids of users, or of items, are lists.
void warn_of_odd_ids(const Interactions& log, const InteractionOptions& options);

}  // namespace pagoda::data
