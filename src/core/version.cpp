#include <pagoda/version.h>

namespace pagoda {

std::string_view version() noexcept { return PAGODA_VERSION; }

}  // namespace pagoda
