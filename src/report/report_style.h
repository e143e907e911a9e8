// The style sheet of the report's page; it uses the colours of chart_css().
#pragma once

#include <string_view>

namespace pagoda::report {

std::string_view report_css();

}  // namespace pagoda::report
