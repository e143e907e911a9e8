#include "columns/notices.h"

#include <gtest/gtest.h>

namespace pagoda::columns {
namespace {

TEST(Notices, CountsWhatHappenedAndKnowsWhereFirst) {
  Notices notices;
  EXPECT_TRUE(notices.empty());
  int asked = 0;
  const auto place = [&] { return "clicks.csv:" + std::to_string(7 + asked++); };
  notices.add("user_id", "cells are NaN and were read as empty", 2, place);
  notices.add("user_id", "cells are NaN and were read as empty", 3, place);
  notices.add("", "files were read", 4);
  notices.add("ts", "cells were rounded", 0, place);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(notices.texts(), (std::vector<std::string>{
                                 "column 'user_id': 5 cells are NaN and were read as empty (first at clicks.csv:7)",
                                 "4 files were read"}));
  EXPECT_EQ(notices.count("user_id", "cells are NaN and were read as empty"), 5u);
  EXPECT_EQ(notices.count("ts", "cells were rounded"), 0u);
  Notices sum;
  sum.add(notices);
  sum.add(notices);
  EXPECT_EQ(sum.count("", "files were read"), 8u);
}

}  // namespace
}  // namespace pagoda::columns
