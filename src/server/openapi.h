// The server's calls in OpenAPI's words.
#pragma once

#include <string_view>

namespace pagoda::server {

// OpenAPI 3.1, JSON.
std::string_view openapi_document();

}  // namespace pagoda::server
