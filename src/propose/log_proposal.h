// What the log itself contributes to a proposal: the roles of its columns, how it is written, and what is wrong with
// it.
#pragma once

#include "propose/proposal.h"
#include "propose/survey.h"

namespace pagoda::propose {

struct Log {
  LogSurvey survey;
  formats::ReaderOptions files;
  std::vector<std::string> of_item, of_user;  // columns that go with the item, and with the user
};

// Sets the log's keys of `p.options.data`, and adds remarks on the log. Error{usage}, Error{input} as propose_config.
Log take_log(Proposal& p, const Request& request);

}  // namespace pagoda::propose
