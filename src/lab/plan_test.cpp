#include "lab/plan.h"

#include "lab/lab_test.h"

namespace pagoda::lab {
namespace {

class PlanTest : public LabTest {
 protected:
  void SetUp() override {
    LabTest::SetUp();
    file("base.toml", R"([data]
interactions = ["clicks.csv"]
[loss]
temperature = 0.3
[evaluate]
k = [5, 50]
)");
  }
  Plan plan(std::string_view text, const std::vector<std::string>& set = {}) const {
    return read_plan(file("lab.toml", "base = \"base.toml\"\n" + std::string(text)), set);
  }
  std::string refusal(std::string_view text) const {
    return error_of(ErrorKind::usage, [&] { plan(text); });
  }
  void expect_says(const std::string& message, const std::vector<std::string>& parts) const {
    for (const auto& part : parts) EXPECT_NE(message.find(part), message.npos) << part << " is not in: " << message;
  }
};

constexpr const char* kTwo = R"([[variant]]
name = "plain"
set = { "loss.correction" = "none" }
[[variant]]
name = "in batch"
[[variant.sampling.negatives]]
source = "in_batch"
[variant.loss]
logq_weight = 0.5
)";

TEST_F(PlanTest, VariantsAreLaidOverTheBase) {
  const auto read = plan(kTwo);
  ASSERT_EQ(read.variants.size(), 2u);
  const auto &plain = read.variants[0], &in_batch = read.variants[1];
  EXPECT_EQ(plain.name, "plain");
  EXPECT_EQ(plain.options.data.interactions, std::vector<std::string>{folder_ + "/clicks.csv"});
  EXPECT_EQ(plain.options.loss.correction, loss::Correction::none);
  EXPECT_EQ(plain.options.loss.temperature, 0.3);
  EXPECT_EQ(plain.options.sampling.negatives.size(), 2u) << "as the default has them";
  EXPECT_EQ(in_batch.file_name, "in_batch");
  ASSERT_EQ(in_batch.options.sampling.negatives.size(), 1u) << "a list replaces the one that was there";
  EXPECT_EQ(in_batch.options.sampling.negatives[0].source, "in_batch");
  EXPECT_EQ(in_batch.options.loss.logq_weight, 0.5);
  EXPECT_EQ(in_batch.options.loss.correction, loss::Correction::standard)
      << "a variant knows nothing of the one before it";
  EXPECT_EQ(in_batch.options.loss.temperature, 0.3);
}

TEST_F(PlanTest, TheLabFillsInWhatIsNotSaid) {
  const auto read = plan(kTwo);
  EXPECT_EQ(read.lab.seeds, (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(read.lab.k, (std::vector<int64_t>{5, 50})) << "of the base";
  EXPECT_EQ(read.lab.metrics, (std::vector<std::string>{"recall@5", "ndcg@5", "recall@50"}));
  EXPECT_EQ(read.baseline, 0u);
  const auto said =
      plan("seeds = [4]\nmetrics = [\"mrr@7\", \"recall@20\"]\nk = 100\nbaseline = \"in batch\"\n" + std::string(kTwo));
  EXPECT_EQ(said.lab.k, (std::vector<int64_t>{7, 20, 100})) << "the metrics' lengths are judged too";
  EXPECT_EQ(said.baseline, 1u);
}

TEST_F(PlanTest, SettingsForAllStandBelowAVariantsOwn) {
  const auto read = plan("set = { \"train.epochs\" = 7, \"loss.correction\" = \"negatives\" }\n" + std::string(kTwo),
                         {"train.batch=9", "train.epochs=3"});
  EXPECT_EQ(read.variants[0].options.train.epochs, 7);
  EXPECT_EQ(read.variants[0].options.train.batch, 9);
  EXPECT_EQ(read.variants[0].options.loss.correction, loss::Correction::none);
  EXPECT_EQ(read.variants[1].options.loss.correction, loss::Correction::negatives);
}

TEST_F(PlanTest, TheBaseMayStandInTheFile) {
  const auto read = read_plan(file("lab.toml", R"([base.data]
interactions = "a.csv"
[base.train]
epochs = 2
[[variant]]
name = "one"
)"),
                              {});
  EXPECT_EQ(read.base.train.epochs, 2);
  EXPECT_EQ(read.variants[0].options.data.interactions, std::vector<std::string>{"a.csv"});
}

TEST_F(PlanTest, ASweepMakesAVariantForEachValue) {
  const auto read = plan(std::string(kTwo) + R"([[sweep]]
from = "in batch"
over = { "loss.logq_weight" = [0.0, 1] }
[[sweep]]
over = { "loss.correction" = ["none", "negatives"], "train.batch" = [8, 16] }
)");
  std::vector<std::string> names;
  for (const auto& variant : read.variants) names.push_back(variant.name);
  EXPECT_EQ(names, (std::vector<std::string>{"plain", "in batch", "in batch,logq_weight=0", "in batch,logq_weight=1",
                                             "correction=none,batch=8", "correction=none,batch=16",
                                             "correction=negatives,batch=8", "correction=negatives,batch=16"}));
  EXPECT_EQ(read.variants[2].options.loss.logq_weight, 0);
  EXPECT_EQ(read.variants[2].options.sampling.negatives.size(), 1u) << "of the variant it starts from";
  EXPECT_EQ(read.variants[2].family, "in batch,logq_weight");
  EXPECT_EQ(read.variants[7].family, "correction,batch");
  EXPECT_EQ(read.variants[0].family, "");
  EXPECT_EQ(read.variants[2].value, "0");
  EXPECT_EQ(read.variants[7].options.loss.correction, loss::Correction::negatives);
  EXPECT_EQ(read.variants[7].options.train.batch, 16);
  EXPECT_EQ(read.variants[7].options.sampling.negatives.size(), 2u);
}

TEST_F(PlanTest, EachVariantTunesWhatItDoesNotSayItself) {
  const auto read = plan("tune = { \"loss.temperature\" = [0.05, 0.1], \"loss.logq_weight\" = [0, 1] }\n" +
                         std::string(kTwo) + R"([[variant]]
name = "fixed"
tune = {}
[[variant]]
name = "own"
set = { "loss.temperature" = 0.7 }
tune = { "train.learning_rate" = [0.1] }
)");
  const auto& plain = read.variants[0].candidates;
  ASSERT_EQ(plain.size(), 4u);
  EXPECT_EQ(plain[1].label, "temperature=0.05,logq_weight=1");
  EXPECT_EQ(plain[1].options.loss.temperature, 0.05);
  EXPECT_EQ(plain[1].options.loss.logq_weight, 1);
  EXPECT_EQ(plain[1].options.loss.correction, loss::Correction::none);
  EXPECT_EQ(plain[1].settings[0], (std::pair<std::string, std::string>("loss.temperature", "0.05")));
  ASSERT_EQ(read.variants[1].candidates.size(), 2u) << "it sets its own dial";
  EXPECT_EQ(read.variants[1].candidates[0].options.loss.logq_weight, 0.5);
  EXPECT_TRUE(read.variants[2].candidates.empty());
  ASSERT_EQ(read.variants[3].candidates.size(), 1u);
  EXPECT_EQ(read.variants[3].candidates[0].options.loss.temperature, 0.7);
}

TEST_F(PlanTest, UnknownKeysNameTheirPlaceAndTheNearest) {
  const std::string name = path("lab.toml");
  expect_says(refusal("sedes = [1]\n" + std::string(kTwo)), {name + ":2", "'sedes'", "did you mean 'seeds'?"});
  expect_says(refusal("[[varant]]\nname = \"a\"\n"), {name + ":2", "varant", "did you mean 'variant'?"});
  expect_says(refusal("[[variant]]\nname = \"a\"\nset = { \"loss.corection\" = \"none\" }\n"),
              {name + ":4", "'corection' in [loss]", "did you mean 'correction'?"});
  expect_says(refusal("[[variant]]\nname = \"a\"\n[variant.loss]\ntemprature = 0.1\n"),
              {name + ":5", "'temprature' in [loss]", "did you mean 'temperature'?"});
  expect_says(refusal("[[variant]]\nnme = \"a\"\n"), {name + ":3", "'nme'", "did you mean 'name'?"});
  expect_says(refusal("tune = { \"loss.temprature\" = [0.1] }\n" + std::string(kTwo)), {name + ":2", "temperature"});
  expect_says(refusal(std::string(kTwo) + "[[sweep]]\nover = { \"train.bach\" = [1] }\n"), {name + ":12", "'batch'"});
  expect_says(refusal("[[variant]]\nname = \"a\"\nset = { \"loss.correction\" = \"logq\" }\n"),
              {name + ":4", "'correction' in [loss] cannot be \"logq\""});
}

TEST_F(PlanTest, WhatCannotBeRunIsToldBeforeAnythingIs) {
  expect_says(refusal(""), {"no [[variant]]", "nothing to compare"});
  expect_says(refusal(std::string(kTwo) + "[[variant]]\nname = \"plain\"\n"), {"two variants are called 'plain'"});
  expect_says(refusal(std::string(kTwo) + "[[variant]]\nname = \"in_batch\"\n"), {"'in batch' and 'in_batch'"});
  expect_says(refusal("[[variant]]\n"), {"[[variant]] number 1 has no name"});
  expect_says(refusal(std::string(kTwo) + "[[sweep]]\nfrom = \"plane\"\nover = { \"train.batch\" = [1] }\n"),
              {"no variant 'plane'", "did you mean 'plain'?"});
  expect_says(refusal(std::string(kTwo) + "[[sweep]]\nname = \"x\"\n"), {"a [[sweep]] has no 'over'"});
  expect_says(refusal("baseline = \"plian\"\n" + std::string(kTwo)), {"no variant 'plian'", "'plain'"});
  expect_says(refusal("seeds = []\n" + std::string(kTwo)), {"seeds is empty"});
  expect_says(refusal("seeds = [1, 1]\n" + std::string(kTwo)), {"seeds"});
  expect_says(refusal("metrics = [\"recal@5\"]\n" + std::string(kTwo)), {"metrics", "did you mean 'recall'?"});
  expect_says(refusal("metrics = [\"ndcg@5\"]\n" + std::string(kTwo)), {"metrics has no recall"});
  expect_says(refusal("bootstrap = { resamples = 10 }\n" + std::string(kTwo)), {"at least 1000"});
  expect_says(refusal("[[variant]]\nname = \"a\"\nset = { \"train.batch\" = 0 }\n"),
              {"variant 'a'", "train.batch = 0 must be at least 1"});
  expect_says(refusal("tune = { \"loss.temperature\" = [-1.0] }\n[[variant]]\nname = \"a\"\n"),
              {"variant 'a', temperature=-1"});
  expect_says(refusal("tune = { \"loss.temperature\" = 0.1 }\n[[variant]]\nname = \"a\"\n"),
              {":2", "'loss.temperature' is the number 0.1", "a list of the values to try"});
  expect_says(refusal("set = 3\n[[variant]]\nname = \"a\"\n"), {":2", "'set' is the integer 3"});
  expect_says(refusal("variant = 3\n"), {"'variant' is the integer 3", "[[variant]]"});
  const auto no_base = error_of(ErrorKind::usage, [&] { read_plan(file("lab.toml", kTwo), {}); });
  expect_says(no_base, {"'base' is missing"});
  const auto gone = error_of(ErrorKind::usage, [&] { read_plan(file("lab.toml", "base = \"no.toml\"\n"), {}); });
  expect_says(gone, {"no.toml"});
}

TEST_F(PlanTest, DifferencesNameKeysAndWholeLists) {
  const auto read = plan(kTwo);
  EXPECT_EQ(differences(read.base, read.variants[0].options), (KeyValues{{"loss.correction", "\"none\""}}));
  EXPECT_EQ(differences(read.base, read.variants[1].options),
            (KeyValues{{"loss.logq_weight", "0.5"}, {"sampling.negatives", "[{ source = \"in_batch\" }]"}}));
  EXPECT_EQ(differences(read.variants[1].options, read.base)[1].second,
            "[{ source = \"in_batch\" }, { source = \"uniform\", count = 1024 }]");
  EXPECT_TRUE(differences(read.base, read.base).empty());
}

}  // namespace
}  // namespace pagoda::lab
