// What tests of proposals share: small logs, and proposals for them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "files/files_test.h"
#include "propose/proposal.h"

namespace pagoda::propose {

class ProposeTest : public files::FilesTest {
 protected:
  // A header and `rows` rows; row(n) is the n-th.
  template <class F>
  static std::string log_text(std::string_view header, F&& row, int rows = 1000) {
    std::string text(header);
    for (int n = 0; n < rows; ++n) text += "\n" + row(n);
    return text + "\n";
  }
  Proposal propose_log(const std::string& text, Request request = {}) {
    request.interactions = {file("log.csv", text)};
    request.config = path("p.toml");  // tables are written beside it
    return propose_config(request, {});
  }
  static bool says(const Proposal& p, std::string_view words) {
    return std::ranges::any_of(p.lines(), [&](const auto& line) { return line.find(words) != line.npos; });
  }
  // "title:text price:numeric"
  static std::string columns_of(const std::vector<features::FeatureOptions>& features) {
    std::string text;
    for (const auto& f : features) {
      const auto kind = f.kind == features::FeatureKind::categorical ? "categorical"
                        : f.kind == features::FeatureKind::multi     ? "multi"
                        : f.kind == features::FeatureKind::numeric   ? "numeric"
                        : f.kind == features::FeatureKind::text      ? "text"
                                                                     : "time";
      text += (text.empty() ? "" : " ") + f.column + ":" + kind;
    }
    return text;
  }
};

}  // namespace pagoda::propose
