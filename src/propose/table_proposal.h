// What the tables of items and users, and words that mean missing, contribute to a proposal.
#pragma once

#include <string>

#include "data/inference.h"
#include "features/options.h"
#include "propose/proposal.h"
#include "propose/survey.h"

namespace pagoda::propose {

features::FeatureOptions feature(const std::string& column, features::FeatureKind kind);

// Says how words such as NA are read in the columns that have a role: as a value like others, or as empty.
void say_missing(Proposal& p, const data::TableGuess& guess, const std::string& path, const columns::TableForm& form);

// Takes the table of items, or of users, with its features. Error{input}: it holds none of the ids.
void take_table(Proposal& p, const std::string& path, const columns::Interner& ids, bool of_items);

// Takes a file of vectors of items, or of users, with its feature. Error{input}: as data::add_vectors().
void take_vectors(Proposal& p, const std::string& path, const columns::Interner& ids, bool of_items);

// Writes columns of the log that belong to the item, or to the user, to a table of their own at `path`, and takes that
// table; writes none if no column tells anything. Error{usage}: a file of that name exists.
void take_owned_columns(Proposal& p, const formats::ReaderOptions& log, const std::vector<std::string>& columns,
                        const columns::Interner& ids, const std::string& path, bool of_items);

// Finds users that are items of the item table themselves: pages that link to pages.
void look_for_users_among_items(Proposal& p, const LogSurvey& log);

}  // namespace pagoda::propose
