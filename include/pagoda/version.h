// Which Pagoda this is.
#pragma once

#include <pagoda/export.h>

#include <string_view>

namespace pagoda {

PAGODA_EXPORT std::string_view version() noexcept;  // "0.2.0", of the library that is loaded

}  // namespace pagoda
