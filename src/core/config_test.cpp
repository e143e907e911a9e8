#include "core/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"

namespace pagoda {
namespace {

enum class Source { in_batch, uniform, mined };

struct Negatives {
  Source source = Source::in_batch;
  int64_t count = 0;
  double decay = 0.5;
  bool operator==(const Negatives&) const = default;
};

struct Split {
  std::string kind = "time";
  std::string test = "7d";
  bool operator==(const Split&) const = default;
};

struct Sample {
  std::vector<std::string> interactions;
  Split split;
  double temperature = 0.1;
  std::optional<double> learned = 0.2;
  bool normalise = true;
  int64_t dim = 64;
  std::vector<int64_t> layers = {128, 64};
  std::vector<Negatives> negatives = {{Source::in_batch, 0, 0.25}, {Source::uniform, 2048, 0.5}};
  bool operator==(const Sample&) const = default;
};

void describe(OptionVisitor& f, Sample& o) {
  f.section("data", "what is learned from", [&](OptionVisitor& data) {
    data.field("interactions", o.interactions, "files");
    data.section("split", "how it is cut", [&](OptionVisitor& s) {
      s.field("kind", o.split.kind, "");
      s.field("test", o.split.test, "");
    });
  });
  f.section("loss", "the loss", [&](OptionVisitor& loss) {
    loss.field("temperature", o.temperature, "divides the cosine");
    loss.number_or("learned", o.learned, "learned", "a temperature, too");
    loss.field("normalise", o.normalise, "");
  });
  f.section("model", "", [&](OptionVisitor& model) {
    model.field("dim", o.dim, "");
    model.field("layers", o.layers, "");
  });
  f.section("sampling", "", [&](OptionVisitor& sampling) {
    sampling.list<Negatives>("negatives", o.negatives, "sources of negatives", [](OptionVisitor& n, Negatives& one) {
      n.choice("source", one.source,
               {{"in_batch", Source::in_batch}, {"uniform", Source::uniform}, {"mined", Source::mined}}, "where from");
      n.field("count", one.count, "");
      n.field("decay", one.decay, "");
    });
  });
}

Sample read(const Config& config) {
  Sample o;
  config.read([&](OptionVisitor& f) { describe(f, o); });
  return o;
}
Sample read(std::string_view text, const std::vector<std::string>& sets = {}) {
  Config config = Config::from_text(text, "pagoda.toml");
  for (const auto& s : sets) config.set(s);
  return read(config);
}
std::string refusal(std::string_view text, const std::vector<std::string>& sets = {}) {
  try {
    read(text, sets);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "accepted";
}
std::string written(Sample o, bool comments) {
  return to_toml([&](OptionVisitor& f) { describe(f, o); }, comments);
}

TEST(Config, WhatIsGivenIsReadAndTheRestStays) {
  const Sample o = read(R"(
    [data]
    interactions = ["a.csv", "b.csv"]
    split = { kind = "random" }
    [loss]
    temperature = 0.05
    learned = "learned"
    normalise = false
    [model]
    layers = []
  )");
  EXPECT_EQ(o.interactions, (std::vector<std::string>{"a.csv", "b.csv"}));
  EXPECT_EQ(o.split, (Split{"random", "7d"}));
  EXPECT_EQ(o.temperature, 0.05);
  EXPECT_EQ(o.learned, std::nullopt);
  EXPECT_FALSE(o.normalise);
  EXPECT_EQ(o.dim, 64);
  EXPECT_TRUE(o.layers.empty());
  EXPECT_EQ(o.negatives, Sample().negatives);
  EXPECT_EQ(read(Config()), Sample());
}

TEST(Config, AListThatIsGivenReplacesTheDefaultOne) {
  const Sample o = read("[[sampling.negatives]]\nsource = \"mined\"\n");
  EXPECT_EQ(o.negatives, (std::vector<Negatives>{{Source::mined, 0, 0.5}}));  // not the default list's first element
  EXPECT_TRUE(read("[sampling]\nnegatives = []").negatives.empty());
  EXPECT_EQ(read("[sampling]\nnegatives = [{count = 1}, {count = 2}, {count = 3}]").negatives.size(), 3u);
}

TEST(Config, LiteralsOfANearTypeAreAccepted) {
  EXPECT_EQ(read("[loss]\ntemperature = 1").temperature, 1.0);
  EXPECT_EQ(read("[loss]\nlearned = 1").learned, 1.0);
  EXPECT_EQ(read("[model]\ndim = 1e3").dim, 1000);
  EXPECT_EQ(read("[data]\ninteractions = \"a.csv\"").interactions, std::vector<std::string>{"a.csv"});
  EXPECT_EQ(read("[model]\nlayers = 8").layers, std::vector<int64_t>{8});
}

TEST(Config, AnUnknownKeyIsRefusedWithTheNearestOne) {
  EXPECT_EQ(refusal("[data]\n\n[loss]\ntemprature = 0.05"),
            "pagoda.toml:4: unknown key 'temprature' in [loss]; did you mean 'temperature'?");
  EXPECT_EQ(refusal("[losss]\ntemperature = 0.05"), "pagoda.toml:1: unknown section [losss]; did you mean 'loss'?");
  EXPECT_EQ(refusal("los.temperature = 0.05"), "pagoda.toml:1: unknown section [los]; did you mean 'loss'?");
  EXPECT_EQ(refusal("verbose = true"), "pagoda.toml:1: unknown key 'verbose'; known: data, loss, model, sampling");
  EXPECT_EQ(refusal("[[sampling.negatives]]\nsource = \"uniform\"\n[[sampling.negatives]]\ncuont = 3"),
            "pagoda.toml:4: unknown key 'cuont' in [sampling.negatives.1]; did you mean 'count'?");
  EXPECT_EQ(refusal("[data]\nsplit = { knid = \"time\" }"),
            "pagoda.toml:2: unknown key 'knid' in [data.split]; did you mean 'kind'?");
}

TEST(Config, AKeyOfAnotherSectionIsSentThere) {
  EXPECT_EQ(refusal("[model]\ntemperature = 0.1"),
            "pagoda.toml:2: unknown key 'temperature' in [model]; there is a 'temperature' in [loss]");
}

TEST(Config, OfSeveralUnknownKeysTheFirstInTheFileIsNamed) {
  const std::string message = refusal("[model]\nzz = 1\n[loss]\nyy = 1\n[data]\nxx = 1");
  EXPECT_TRUE(message.starts_with("pagoda.toml:2: unknown key 'zz' in [model]")) << message;
}

TEST(Config, AWrongTypeSaysWhatStandsThereAndWhatIsExpected) {
  EXPECT_EQ(refusal("[loss]\ntemperature = \"hot\""),
            "pagoda.toml:2: 'temperature' in [loss] is the text \"hot\", expected a number");
  EXPECT_EQ(refusal("[loss]\nlearned = \"learnt\""),
            "pagoda.toml:2: 'learned' in [loss] is the text \"learnt\", expected a number or \"learned\"");
  EXPECT_EQ(refusal("[loss]\nnormalise = 1"),
            "pagoda.toml:2: 'normalise' in [loss] is the integer 1, expected true or false");
  EXPECT_EQ(refusal("[model]\ndim = 0.5"), "pagoda.toml:2: 'dim' in [model] is the number 0.5, expected an integer");
  EXPECT_EQ(refusal("[model]\nlayers = [1, true]"),
            "pagoda.toml:2: 'layers' in [model] is the boolean true, expected a list of integers");
  EXPECT_EQ(refusal("[data.split]\ntest = 2020-01-31"),
            "pagoda.toml:2: 'test' in [data.split] is a date or time, expected a text in quotes");
  EXPECT_EQ(refusal("loss = 3"), "pagoda.toml:1: 'loss' is the integer 3, expected a table");
  EXPECT_EQ(refusal("[sampling]\nnegatives = [1]"),
            "pagoda.toml:2: 'negatives' in [sampling] is the integer 1, expected a list of tables, "
            "[[sampling.negatives]]");
  EXPECT_EQ(refusal("[sampling.negatives]\ncount = 1"),
            "pagoda.toml:1: 'negatives' in [sampling] is a table, expected a list of tables, [[sampling.negatives]]");
}

TEST(Config, AWordThatIsNoChoiceIsRefusedWithTheNearestOne) {
  EXPECT_EQ(refusal("[[sampling.negatives]]\nsource = \"unifrom\""),
            "pagoda.toml:2: 'source' in [sampling.negatives.0] cannot be \"unifrom\"; did you mean 'uniform'?");
  EXPECT_EQ(refusal("[[sampling.negatives]]\nsource = 3"),
            "pagoda.toml:2: 'source' in [sampling.negatives.0] is the integer 3, expected one of \"in_batch\", "
            "\"uniform\", \"mined\"");
}

TEST(Config, TextThatIsNotTomlIsRefusedWithItsLine) {
  const std::string message = refusal("[loss]\ntemperature = = 3\n");
  EXPECT_TRUE(message.starts_with("pagoda.toml:2: ")) << message;
}

TEST(Config, SetIsLaidOverTheFile) {
  const std::string text = "[loss]\ntemperature = 0.1\n[[sampling.negatives]]\n[[sampling.negatives]]\ncount = 7\n";
  const Sample o = read(text, {"loss.temperature=0.05", "model.dim=32", "model.dim=16", "data.split.kind=leave_last",
                               "sampling.negatives.1.count=4096", "sampling.negatives.2.source=mined",
                               "data.interactions=[\"x\", \"y\"]", "loss.learned=learned"});
  EXPECT_EQ(o.temperature, 0.05);
  EXPECT_EQ(o.dim, 16);
  EXPECT_EQ(o.split.kind, "leave_last");
  EXPECT_EQ(o.negatives, (std::vector<Negatives>{
                             {Source::in_batch, 0, 0.5}, {Source::in_batch, 4096, 0.5}, {Source::mined, 0, 0.5}}));
  EXPECT_EQ(o.interactions, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(o.learned, std::nullopt);
}

TEST(Config, SetOnAListThatTheFileDoesNotHaveChangesTheDefaultOne) {
  const Sample o = read("", {"sampling.negatives.1.count=5"});
  EXPECT_EQ(o.negatives, (std::vector<Negatives>{{Source::in_batch, 0, 0.25}, {Source::uniform, 5, 0.5}}));
}

TEST(Config, SetTakesTextsWithoutQuotes) {
  EXPECT_EQ(read("", {"data.split.test=2020-01-31"}).split.test, "2020-01-31");
  EXPECT_EQ(read("", {"data.split.test=7"}).split.test, "7");
  EXPECT_EQ(read("", {"data.split.test=a b # \"c\"=d"}).split.test, "a b # \"c\"=d");
  EXPECT_EQ(read("", {"data.split.test="}).split.test, "");
  EXPECT_EQ(read("", {"data.split.test = a b"}).split.test, "a b") << "as it stands in a config";
  EXPECT_EQ(read("", {"data.split.test=two\nlines=1"}).split.test, "two\nlines=1");
  EXPECT_EQ(read("", {"data.interactions=clicks/*.csv"}).interactions, std::vector<std::string>{"clicks/*.csv"});
}

TEST(Config, TroubleInASetNamesTheSet) {
  EXPECT_EQ(refusal("[loss]\ntemperature = 1", {"loss.temprature=0.05"}),
            "--set loss.temprature=0.05: unknown key 'temprature' in [loss]; did you mean 'temperature'?");
  EXPECT_EQ(refusal("", {"losss.temperature=0.05"}),
            "--set losss.temperature=0.05: unknown section [losss]; did you mean 'loss'?");
  EXPECT_EQ(refusal("", {"model.dim=wide"}),
            "--set model.dim=wide: 'dim' in [model] is the text \"wide\", expected an integer");
  EXPECT_EQ(refusal("", {"model.dim"}), "--set model.dim: expected section.key=value");
  EXPECT_EQ(refusal("", {" = 3"}), "--set  = 3: expected section.key=value");
  EXPECT_EQ(refusal("", {"=3"}), "--set =3: expected section.key=value");
  EXPECT_EQ(refusal("", {"a..b=3"}), "--set a..b=3: expected section.key=value");
  EXPECT_EQ(refusal("", {"sampling.negatives.2.count=5"}),
            "--set sampling.negatives.2.count=5: there is no element 2: 'negatives' in [sampling] has 2");
  EXPECT_EQ(refusal("[[sampling.negatives]]", {"sampling.negatives.2.count=5"}),
            "--set sampling.negatives.2.count=5: there is no element 2: the list has 1");
}

TEST(Config, AFileIsReadAndAMissingOneIsAUsageError) {
  const std::string path = testing::TempDir() + "pagoda_config_" + std::to_string(getpid()) + ".toml";
  write_file(path, "[model]\ndim = 8\n");
  EXPECT_EQ(read(Config::from_file(path)).dim, 8);
  std::filesystem::remove(path);
  try {
    Config::from_file(path);
    FAIL() << "read a missing file";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.what(), path + ": no such file");
  }
}

// Keys of version 0.1 and their names of today, as kRenamedKeys has them.
struct Renamed {
  double logq_weight = 1;
  std::string correct_by = "mixture";
};
void describe(OptionVisitor& f, Renamed& o) {
  f.section("loss", "", [&](OptionVisitor& f) { f.field("logq_weight", o.logq_weight, ""); });
  f.section("sampling", "", [&](OptionVisitor& f) { f.field("correct_by", o.correct_by, ""); });
}
Renamed read_renamed(const Config& config) {
  Renamed o;
  config.read([&](OptionVisitor& f) { describe(f, o); });
  return o;
}
std::string warned(const std::function<void()>& f) {
  testing::internal::CaptureStderr();
  f();
  return testing::internal::GetCapturedStderr();
}

class RenamedKeys : public testing::Test {
 protected:
  Config of_file(const std::string& text) {
    write_file(path_, text);
    return Config::from_file(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }
  const std::string path_ = testing::TempDir() + "pagoda_renamed_" + std::to_string(getpid()) + ".toml";
};

TEST_F(RenamedKeys, AFormerNameIsReadAndTheNewOneTold) {
  const auto said = warned([&] {
    const auto o = read_renamed(of_file("[loss]\npopularity_dial = 0.5\n[sampling]\ncount_by = \"source\"\n"));
    EXPECT_EQ(o.logq_weight, 0.5);
    EXPECT_EQ(o.correct_by, "source");
  });
  EXPECT_NE(said.find(path_ + ":2: 'popularity_dial' in [loss] is called 'logq_weight' now"), said.npos) << said;
  EXPECT_NE(said.find(path_ + ":4: 'count_by' in [sampling] is called 'correct_by' now"), said.npos) << said;
  EXPECT_EQ(warned([&] { EXPECT_EQ(read_renamed(of_file("[loss]\nlogq_weight = 0.5\n")).logq_weight, 0.5); }), "");
}

TEST_F(RenamedKeys, AnAssignmentByEitherNameIsLaidOverAFileOfEither) {
  for (const std::string in_file : {"popularity_dial", "logq_weight"})
    for (const std::string assigned : {"popularity_dial", "logq_weight"}) {
      const auto said = warned([&] {
        auto config = of_file("[loss]\n" + in_file + " = 0.5\n");
        config.set("loss." + assigned + "=0.25");
        EXPECT_EQ(read_renamed(config).logq_weight, 0.25) << in_file << ", " << assigned;
      });
      EXPECT_EQ(said.find("--set loss.popularity_dial=0.25: 'popularity_dial'") != said.npos, assigned[0] == 'p')
          << said;
    }
}

TEST_F(RenamedKeys, BothNamesInOneFileAreRefused) {
  try {
    of_file("[loss]\nlogq_weight = 1\npopularity_dial = 0.5\n");
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::usage);
    EXPECT_EQ(e.what(), path_ +
                            ":3: 'popularity_dial' in [loss] is the former name of 'logq_weight', which is given, too; "
                            "remove one of them");
  }
}

TEST_F(RenamedKeys, ARecordIsReadWithoutAWord) {
  EXPECT_EQ(warned([] {
              EXPECT_EQ(read_renamed(Config::from_text("[loss]\npopularity_dial = 0.5\n", "record")).logq_weight, 0.5);
            }),
            "");
}

TEST_F(RenamedKeys, ConfigsWithinAConfigMayHaveThem) {
  warned([&] {
    auto lab = of_file(
        "set = { \"loss.popularity_dial\" = 0.5 }\ntune = { \"loss.popularity_dial\" = [0, 1] }\n"
        "[base.loss]\npopularity_dial = 0.75\n[[variant]]\nloss.popularity_dial = 0.25\n");
    const auto settings = lab.take_settings("set");
    ASSERT_EQ(settings.size(), 1u);
    EXPECT_EQ(settings[0].key, "loss.logq_weight");
    EXPECT_EQ(read_renamed(settings[0].config).logq_weight, 0.5);
    const auto choices = lab.take_choices("tune");
    ASSERT_EQ(choices.size(), 1u);
    EXPECT_EQ(choices[0][1].key, "loss.logq_weight");
    EXPECT_EQ(read_renamed(choices[0][0].config).logq_weight, 0);
    EXPECT_EQ(read_renamed(*lab.take_table("base")).logq_weight, 0.75);
    EXPECT_EQ(read_renamed(lab.take_tables("variant").at(0)).logq_weight, 0.25);
  });
}

TEST_F(RenamedKeys, ARecordCanBeWrittenWithTheFormerNames) {
  EXPECT_EQ(with_former_keys("[loss]\nlogq_weight = 1.0\n\n[other]\nlogq_weight = 2\n"),
            "[loss]\npopularity_dial = 1.0\n\n[other]\nlogq_weight = 2\n");
}

TEST(ToToml, WhatIsWrittenReadsBackToTheSameValues) {
  Sample o;
  o.interactions = {"a \"quoted\" \\ path", "tab\tline\nreturn\r bell\a del\x7f", "grüße", ""};
  o.split = {"", "x"};
  o.learned = std::nullopt;
  o.normalise = false;
  o.dim = std::numeric_limits<int64_t>::min();
  o.layers = {};
  for (const double t : {0.1, 1.0 / 3, 1e300, 5e-324, -0.0, 1e16, 123456789.0, 1e21,
                         std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    o.temperature = t;
    for (const bool comments : {false, true}) {
      const Sample back = read(written(o, comments));
      EXPECT_EQ(back, o) << written(o, comments);
      EXPECT_EQ(std::signbit(back.temperature), std::signbit(t));
    }
  }
  o.temperature = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(read(written(o, false)).temperature));
  o.temperature = 1;
  o.negatives = {};
  EXPECT_EQ(read(written(o, true)), o);
  o.negatives = {{Source::mined, 1, 2}, {Source::uniform, 3, 4}, {Source::in_batch, 5, 6}};
  EXPECT_EQ(read(written(o, true)), o);
}

TEST(ToToml, TheTextIsWhatAPersonWouldWrite) {
  Sample o;
  o.interactions = {"a.csv", "b.csv"};
  EXPECT_EQ(written(o, false), R"([data]
interactions = ["a.csv", "b.csv"]

[data.split]
kind = "time"
test = "7d"

[loss]
temperature = 0.1
learned = 0.2
normalise = true

[model]
dim = 64
layers = [128, 64]

[sampling]

[[sampling.negatives]]
source = "in_batch"
count = 0
decay = 0.25

[[sampling.negatives]]
source = "uniform"
count = 2048
decay = 0.5
)");
}

TEST(Config, TablesWithinAreTakenAsConfigsThatKeepTheirPlaces) {
  auto config = Config::from_text(
      "seed = 1\n[[part]]\n[part.loss]\ntemperature = 0.7\n[[part]]\n[part.loss]\ntempature = 1\n"
      "[base.model]\ndim = 3\n",
      "lab.toml");
  EXPECT_TRUE(config.has("base"));
  Sample o;
  config.take_table("base")->read([&](OptionVisitor& f) { describe(f, o); });
  EXPECT_EQ(o.dim, 3);
  EXPECT_FALSE(config.has("base"));
  EXPECT_FALSE(config.take_table("base"));
  const auto parts = config.take_tables("part");
  ASSERT_EQ(parts.size(), 2u);
  parts[0].read([&](OptionVisitor& f) { describe(f, o); });
  EXPECT_EQ(o.temperature, 0.7);
  EXPECT_EQ(o.dim, 3) << "what is not given stays";
  try {
    parts[1].read([&](OptionVisitor& f) { describe(f, o); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "lab.toml:7: unknown key 'tempature' in [loss]; did you mean 'temperature'?");
  }
  int64_t seed = 0;
  config.read([&](OptionVisitor& f) { f.field("seed", seed, ""); });
  EXPECT_EQ(seed, 1);
  auto mistyped = Config::from_text("prat = 1\n", "lab.toml");
  EXPECT_TRUE(mistyped.take_tables("part").empty());
  try {
    mistyped.read([&](OptionVisitor& f) { f.field("seed", seed, ""); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "lab.toml:1: unknown key 'prat'; did you mean 'part'?");
  }
}

TEST(Config, SettingsAndChoicesAreAssignmentsOfDottedKeys) {
  auto config = Config::from_text(
      "set = { \"model.dim\" = 5, loss.normalise = false, \"sampling.negatives\" = [{source = \"mined\"}], "
      "\"sampling.negatives.0.count\" = 4 }\n"
      "try = { \"loss.temperature\" = [0.05, 1], \"data.split.kind\" = [\"random\"] }\nbad = { \"a b\" = 1 }\n",
      "lab.toml");
  const auto settings = config.take_settings("set");
  ASSERT_EQ(settings.size(), 4u);
  EXPECT_EQ(settings[0].key, "model.dim");
  EXPECT_EQ(settings[0].value, "5");
  EXPECT_EQ(settings[1].key, "loss.normalise");
  EXPECT_EQ(settings[1].value, "false");
  EXPECT_EQ(settings[2].value, "[...]");
  Sample o;
  for (const auto& setting : settings) setting.config.read([&](OptionVisitor& f) { describe(f, o); });
  EXPECT_EQ(o.dim, 5);
  EXPECT_FALSE(o.normalise);
  EXPECT_EQ(o.negatives, (std::vector<Negatives>{{Source::mined, 4, 0.5}}));
  const auto choices = config.take_choices("try");
  ASSERT_EQ(choices.size(), 2u);
  ASSERT_EQ(choices[0].size(), 2u);
  EXPECT_EQ(choices[0][0].value, "0.05");
  choices[0][1].config.read([&](OptionVisitor& f) { describe(f, o); });
  EXPECT_EQ(o.temperature, 1.0);
  EXPECT_EQ(choices[1][0].value, "random");
  choices[1][0].config.read([&](OptionVisitor& f) { describe(f, o); });
  EXPECT_EQ(o.split.kind, "random");
  EXPECT_TRUE(config.take_settings("none").empty());
  EXPECT_THROW(config.take_settings("bad"), Error);
}

TEST(ToToml, WithCommentsAListSaysWhatIsNotTheDefaultAndExplainsItselfOnce) {
  Sample o;
  o.negatives = {{Source::mined, 0, 0.5}, {Source::in_batch, 0, 0.5}, {Source::uniform, 7, 0.5}};
  const std::string text = written(o, true);
  EXPECT_EQ(text.substr(text.find("\n# sources of negatives")), R"(
# sources of negatives
[[sampling.negatives]]
# where from: "in_batch", "uniform", "mined"
source = "mined"
# count = 0
# decay = 0.5

[[sampling.negatives]]
source = "in_batch"

[[sampling.negatives]]
source = "uniform"
count = 7
)");
  EXPECT_EQ(read(text), o);
}

TEST(ToToml, TheKindOfAnElementIsAlwaysSaid) {
  struct Column {
    std::string name, kind = "text", form = "log";
  };
  std::vector<Column> columns = {{.name = "title"}, {.name = ""}};
  const std::string text = to_toml(
      [&](OptionVisitor& f) {
        f.list<Column>("columns", columns, "", [](OptionVisitor& one, Column& c) {
          one.field("name", c.name, "");
          one.field("kind", c.kind, "");
          one.field("form", c.form, "");
        });
      },
      true);
  EXPECT_EQ(text,
            "[[columns]]\nname = \"title\"\nkind = \"text\"\n# form = \"log\"\n\n"
            "[[columns]]\nname = \"\"\nkind = \"text\"\n");
}

TEST(ToToml, CommentsStandBeforeTheirKeysAndAreWrapped) {
  Sample o;
  const std::string text = written(o, true);
  for (const char* part : {"# the loss\n[loss]\n# divides the cosine\ntemperature = 0.1\n",
                           "# a temperature, too; or \"learned\"\nlearned = 0.2\nnormalise",
                           "# sources of negatives\n[[sampling.negatives]]\n",
                           "# where from: \"in_batch\", \"uniform\", \"mined\"\nsource = \"in_batch\"\n"})
    EXPECT_NE(text.find(part), text.npos) << part << "in:\n" << text;
  int64_t n = 1;
  std::string help;
  for (int i = 0; i < 40; ++i) help += "word" + std::to_string(i) + " ";
  const std::string wrapped = to_toml([&](OptionVisitor& f) { f.field("a key", n, help); }, true);
  EXPECT_TRUE(wrapped.ends_with("\n\"a key\" = 1\n")) << wrapped;
  size_t words = 0;
  for (size_t begin = 0; begin < wrapped.size();) {
    const size_t end = wrapped.find('\n', begin);
    EXPECT_LE(end - begin, 100u);
    const std::string line = wrapped.substr(begin, end - begin);
    if (line.starts_with("# ")) words += static_cast<size_t>(std::count(line.begin(), line.end(), ' '));
    begin = end + 1;
  }
  EXPECT_EQ(words, 40u);
}

}  // namespace
}  // namespace pagoda
