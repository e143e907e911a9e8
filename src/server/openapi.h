// The server's calls as an OpenAPI document.
#pragma once

#include <string_view>

namespace pagoda::server {

// OpenAPI 3.1, JSON.
std::string_view openapi_document();

}  // namespace pagoda::server
