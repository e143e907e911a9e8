// Names that columns usually have. They identify a header and the roles of columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::columns {

using Names = std::vector<std::string_view>;
extern const Names kUserNames, kItemNames, kTimeNames, kTimeWords, kWeightNames, kTitleNames;

// The words of a name in lower case: "userId", "user_id" and "User ID" all become "user_id".
std::string normalised_name(std::string_view name);
bool is_one_of(std::string_view name, const Names& names);
bool has_word_of(std::string_view name, const Names& names);  // "item_id" has "id"
bool is_conventional_name(std::string_view name);             // for any role, or with the word "id"

}  // namespace pagoda::columns
