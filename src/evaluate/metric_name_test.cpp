#include "evaluate/metric_name.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace pagoda::evaluate {
namespace {

TEST(MetricName, AMetricOfListsThatHoldNearlyAllGivesWay) {
  const std::vector<int64_t> ks{20, 100, 1000};
  EXPECT_EQ(telling_metric("recall@100", ks, 200), "recall@100");
  EXPECT_EQ(telling_metric("recall@100", ks, 199), "recall@20");
  EXPECT_EQ(telling_metric("ndcg@100", ks, 60), "ndcg@20");
  EXPECT_EQ(telling_metric("recall@100", ks, 30), "recall@3");
  EXPECT_EQ(telling_metric("recall@20", {}, 3), "recall@1");
}

TEST(MetricName, IsReadAndAWrongOneToldWithTheNearest) {
  EXPECT_EQ(parse_metric("ndcg@20").kind, "ndcg");
  EXPECT_EQ(parse_metric("ndcg@20").k, 20);
  for (const auto& [name, part] :
       {std::pair("recal@20", "did you mean 'recall'?"), std::pair("recall", "recall@100"),
        std::pair("recall@x", "recall@100"), std::pair("recall@0", "recall@100"), std::pair("recall@5x", "@100")})
    try {
      parse_metric(name);
      ADD_FAILURE() << name;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

}  // namespace
}  // namespace pagoda::evaluate
