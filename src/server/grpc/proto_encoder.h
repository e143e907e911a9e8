// Encodes responses as serialised messages of proto/pagoda/v1/retrieval.proto.
#pragma once

#include "server/response_encoder.h"

namespace pagoda::server {

const ResponseEncoder& proto_encoder();

}  // namespace pagoda::server
