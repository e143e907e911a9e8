// Which rows of a log are positives: what its columns of answers, events, stars and lengths say of it, and what stays a
// question.
#pragma once

#include "data/inference.h"
#include "propose/proposal.h"

namespace pagoda::propose {

// Looks at the columns beside users, items and times. Sets data.clicked, data.positive, data.where and
// data.weight of `p.options`, the roles and reasons of those columns in `guess`, and asks what is not sure.
void take_row_columns(Proposal& p, data::TableGuess& guess, const Request& request);

}  // namespace pagoda::propose
