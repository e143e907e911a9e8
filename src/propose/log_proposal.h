// What the log itself brings to a proposal: the roles of its columns, how it is written, and what is wrong with it.
#pragma once

#include "propose/proposal.h"
#include "propose/survey.h"

namespace pagoda::propose {

// Sets the log's keys of `p.options.data`, and what is said of it. Error{usage}, Error{input} as of propose_config.
LogSurvey take_log(Proposal& p, const Request& request);

}  // namespace pagoda::propose
