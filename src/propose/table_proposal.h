// What the tables of items and users, and words that mean missing, bring to a proposal.
#pragma once

#include <string>

#include "data/inference.h"
#include "features/options.h"
#include "propose/proposal.h"
#include "propose/survey.h"

namespace pagoda::propose {

features::FeatureOptions feature(const std::string& column, features::FeatureKind kind);

// Words such as NA where they are no ids: a value of their own, or no number.
void say_missing(Proposal& p, const data::TableGuess& guess, const std::string& path, const columns::TableForm& form);

// The table of items, or of users, with its features. Error{input}: it holds none of the ids.
void take_table(Proposal& p, const std::string& path, const columns::Interner& ids, bool of_items);

// Writes columns of the log that belong to the item, or to the user, to a table of their own at `path`, and takes it;
// where none of them tells anything, there is no table. Error{usage}: there is a file of that name.
void take_owned_columns(Proposal& p, const formats::ReaderOptions& log, const std::vector<std::string>& columns,
                        const columns::Interner& ids, const std::string& path, bool of_items);

// Users that are things of the item table themselves: pages that link to pages.
void look_for_users_among_items(Proposal& p, const LogSurvey& log);

}  // namespace pagoda::propose
