// Answers as messages of proto/pagoda/v1/retrieval.proto, serialised.
#pragma once

#include "server/answer_form.h"

namespace pagoda {

const AnswerForm& proto_form();

}  // namespace pagoda
