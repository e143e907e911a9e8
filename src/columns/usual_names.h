// Names that columns usually have: what a header is known by, and the roles of columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::columns {

using Names = std::vector<std::string_view>;
extern const Names kUserNames, kItemNames, kTimeNames, kTimeWords, kWeightNames, kTitleNames;

// A name's words: "userId", "user_id" and "User ID" are all "user_id".
std::string plain_name(std::string_view name);
bool is_one_of(std::string_view name, const Names& names);
bool has_word_of(std::string_view name, const Names& names);  // "item_id" has "id"
bool is_usual_name(std::string_view name);                    // of any role, or with the word "id"

}  // namespace pagoda::columns
