// Which rows of a log are positives: what its columns of answers, events, stars and lengths say about that, and which
// questions stay open.
#pragma once

#include "data/inference.h"
#include "propose/proposal.h"

namespace pagoda::propose {

// Reads the columns other than user, item and time. Sets data.clicked, data.event(s), data.positive, data.where and
// data.weight of `p.options`, and the roles and reasons of those columns in `guess`; asks where it is not sure.
void take_row_columns(Proposal& p, data::TableGuess& guess, const Request& request);

}  // namespace pagoda::propose
