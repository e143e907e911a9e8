#include "data/inference.h"

#include "formats/formats_test.h"

namespace pagoda::data {
namespace {

class InferenceTest : public files::FilesTest {
 protected:
  static std::string role(const TableGuess& guess, std::string_view name) {
    for (const auto& column : guess.columns)
      if (column.name == name) return column.role;
    return "no such column";
  }
  static std::string name(const TableGuess& guess, std::string_view role) {
    const auto* column = guess.by_role(role);
    return column ? column->name : "";
  }
};

TEST_F(InferenceTest, RolesOfALogComeFromNamesAndValues) {
  std::string text = "userId,movieId,rating,timestamp,device,split\n";
  for (int i = 0; i < 200; ++i)
    text += std::to_string(i % 20) + "," + std::to_string(i % 33) + "," + std::to_string(1 + i % 5) + "," +
            std::to_string(1700000000 + i) + "," + (i % 3 ? "phone" : "web") + ",\n";
  const auto guess = guess_interactions({{file("a.csv", text)}});
  EXPECT_EQ(name(guess, "user"), "userId");
  EXPECT_EQ(name(guess, "item"), "movieId");
  EXPECT_EQ(name(guess, "weight"), "rating");
  EXPECT_EQ(name(guess, "time"), "timestamp");
  EXPECT_EQ(name(guess, "context"), "device");
  EXPECT_EQ(role(guess, "split"), "");
  EXPECT_EQ(guess.sampled_rows, 200u);
  for (const auto& column : guess.columns) EXPECT_FALSE(column.reason.empty()) << column.name;
}

TEST_F(InferenceTest, WithoutTellingNamesTheFirstIdsAreUserAndItem) {
  std::string text = "a,b,c\n";
  for (int i = 0; i < 100; ++i)
    text += "p" + std::to_string(i % 20) + ",q" + std::to_string(i % 33) + ",2024-05-" + (i % 2 ? "01" : "02") + "\n";
  const auto guess = guess_interactions({{file("a.csv", text)}});
  EXPECT_EQ(name(guess, "user"), "a");
  EXPECT_EQ(name(guess, "item"), "b");
  EXPECT_EQ(name(guess, "time"), "c");
}

TEST_F(InferenceTest, AWeightThatIsAlwaysTheSameOrNotAboveZeroIsNone) {
  std::string constant = "user_id,item_id,weight\n", zero = "user_id,item_id,rating\n";
  for (int i = 0; i < 50; ++i) {
    constant += std::to_string(i) + ",1" + std::to_string(i % 7) + ",1\n";
    zero += std::to_string(i) + ",1" + std::to_string(i % 7) + "," + std::to_string(i % 3) + "\n";
  }
  EXPECT_EQ(name(guess_interactions({{file("a.csv", constant)}}), "weight"), "");
  EXPECT_EQ(name(guess_interactions({{file("b.csv", zero)}}), "weight"), "");
}

TEST_F(InferenceTest, NumbersThatCountSince1970AreTimesWhateverTheirName) {
  // The unit's size, what is added for a row, and whether such a column is the time.
  const auto time_of = [&](const std::string& name, int64_t first, int64_t step) {
    std::string text = "user_id,item_id," + name + "\n";
    for (int64_t i = 0; i < 200; ++i) text += fmt::format("{},{},{}\n", i % 20, i % 33, first + step * (i * i % 5000));
    return this->name(guess_interactions({{file("a.csv", text)}}), "time");
  };
  EXPECT_EQ(time_of("x", 1'700'000'000, 61), "x");
  EXPECT_EQ(time_of("x", 1'700'000'000'000, 61'007), "x");
  EXPECT_EQ(time_of("x", 1'700'000'000'000'000, 61'000'007), "x");
  EXPECT_EQ(time_of("x", 1'700'000'000'000'000'000, 61'000'000'000), "x");
  EXPECT_EQ(time_of("x", 1'700'000'000'000'000'000, 61'000'000'007), "");  // no clock is that fine: keys
  EXPECT_EQ(time_of("order_id", 1'700'000'000, 61), "");
  EXPECT_EQ(time_of("x", 1'000'000, 61), "");
  EXPECT_EQ(time_of("x", 3'000'000'000, 61), "");
}

TEST_F(InferenceTest, ACounterIsNoTimeAndOfTwoSuchColumnsNone) {
  std::string counter = "user_id,item_id,x\n", two = "user_id,item_id,x,y\n";
  for (int i = 0; i < 200; ++i) {
    counter += fmt::format("{},{},{}\n", i % 20, i % 33, 1'700'000'000 + i);
    two += fmt::format("{},{},{},{}\n", i % 20, i % 33, 1'700'000'000 + 61 * i, 1'600'000'000 + 61 * i);
  }
  EXPECT_EQ(name(guess_interactions({{file("a.csv", counter)}}), "time"), "");
  EXPECT_EQ(name(guess_interactions({{file("b.csv", two)}}), "time"), "");
}

TEST_F(InferenceTest, AColumnOfTimesIsNoUserAndTheFinestIsTaken) {
  std::string text = "when_it_was,who,what\n", fine = "user_id,item_id,date,time_ms\n";
  for (int i = 0; i < 200; ++i) {
    text += fmt::format("{},p{},q{}\n", 1'700'000'000 + 61 * i, i % 20, i % 33);
    fine += fmt::format("{},{},202401{},{}\n", i % 20, i % 33, 10 + i / 20, 1'704'844'800'000 + 4'320'007 * int64_t{i});
  }
  const auto guess = guess_interactions({{file("a.csv", text)}});
  EXPECT_EQ(name(guess, "user"), "who");
  EXPECT_EQ(name(guess, "item"), "what");
  EXPECT_EQ(name(guess, "time"), "when_it_was");
  EXPECT_EQ(name(guess_interactions({{file("b.csv", fine)}}), "time"), "time_ms");
}

TEST_F(InferenceTest, NamesSayWhoInOtherWordsToo) {
  std::string text = "parent,reviewerID,target,product_no\n";
  for (int i = 0; i < 200; ++i) text += fmt::format("a{},b{},{},c{}\n", i % 7, i % 20, i % 2, i % 33);
  const auto guess = guess_interactions({{file("a.csv", text)}});
  EXPECT_EQ(name(guess, "user"), "reviewerID");
  EXPECT_EQ(name(guess, "item"), "product_no");
  EXPECT_TRUE(guess.by_role("user")->by_name);
}

TEST_F(InferenceTest, ListsOfManyFractionsAreVectorsAndNeverWords) {
  for (const std::string between : {" ", "|", ";", ", "})
    for (const bool brackets : {false, true}) {
      std::string text = "item_id,embedding\n";
      for (int i = 0; i < 50; ++i) {
        text += fmt::format("{},\"{}", i, brackets ? "[" : "");
        for (int d = 0; d < 300; ++d) text += fmt::format("{}{:.3f}", d ? between : "", (i * 31 + d * 17) % 1000 / 1e3);
        text += brackets ? "]\"\n" : "\"\n";
      }
      const auto guess = guess_table({{file("a.csv", text)}});
      const bool list = brackets && (between == " " || between == ", ");  // written as programs print one
      EXPECT_EQ(role(guess, "embedding"), list ? "vector" : "") << between << brackets;
      EXPECT_TRUE(guess.columns[1].vectors);
    }
  std::string words = "item_id,tags\n";
  for (int i = 0; i < 50; ++i) {
    words += fmt::format("{},", i);
    for (int d = 0; d < 20; ++d) words += fmt::format("{}{}", d ? "|" : "", (i + d) % 30);
    words += "\n";
  }
  EXPECT_EQ(role(guess_table({{file("b.csv", words)}}), "tags"), "multi");
}

TEST_F(InferenceTest, AnAdjacencyFileHasUserAndItem) {
  const auto guess = guess_interactions({{file("a.txt", "0 1 2 3\n1 2 3\n")}});
  EXPECT_EQ(name(guess, "user"), "user_id");
  EXPECT_EQ(name(guess, "item"), "item_id");
}

TEST_F(InferenceTest, ColumnsOfAnItemTableAreToldByTheirValues) {
  std::string text = "item_id,title,genres,authors,year,released,language,description,image,empty\n";
  const std::vector<std::string> genres = {"Crime|Drama", "Comedy|Short", "Drama", "Crime|Comedy|War"};
  for (int i = 0; i < 300; ++i) {
    const auto painter = i % 3 ? "" : fmt::format(", Painter {}", i % 7);
    text += fmt::format("{0},The {0}th Film (Part {0}),{1},\"Author {2}{3}\",{4}.0,19{5}-01-0{6},{7},", i,
                        genres[static_cast<size_t>(i) % 4], i % 40, painter, 1915 + i % 90, 10 + i % 90, 1 + i % 9,
                        i % 2 ? "eng" : "fre");
    text += fmt::format(
        "\"A story of {0} people, who meet, part and meet again in a town by the sea.\",https://x.org/{0}.jpg,\n", i);
  }
  const auto guess = guess_table({{file("a.csv", text)}});
  EXPECT_EQ(name(guess, "id"), "item_id");
  EXPECT_EQ(name(guess, "title"), "title");
  EXPECT_EQ(role(guess, "genres"), "multi");
  EXPECT_EQ(guess.by_role("multi")->separator, '|');
  EXPECT_EQ(role(guess, "authors"), "multi");
  EXPECT_EQ(role(guess, "year"), "numeric");
  EXPECT_EQ(role(guess, "released"), "time");
  EXPECT_EQ(role(guess, "language"), "categorical");
  EXPECT_EQ(role(guess, "description"), "text") << "its commas are a sentence's";
  EXPECT_EQ(role(guess, "image"), "");
  EXPECT_EQ(role(guess, "empty"), "");
  EXPECT_EQ(guess.columns[9].null_share, 1);
}

TEST_F(InferenceTest, AUserTableIsOneOfUsers) {
  std::string text = "age,uid,country,vip\n";
  for (int i = 0; i < 100; ++i)
    text += std::to_string(20 + i % 40) + ",u" + std::to_string(i) + "," + (i % 2 ? "de" : "fr") + "," +
            (i % 5 ? "false" : "true") + "\n";
  const auto guess = guess_table({{file("a.csv", text)}});
  EXPECT_EQ(name(guess, "id"), "uid");
  EXPECT_EQ(role(guess, "age"), "numeric");
  EXPECT_EQ(role(guess, "country"), "categorical");
  EXPECT_EQ(role(guess, "vip"), "categorical");
}

TEST_F(InferenceTest, WordsThatMeanMissingDoNotTellWhatAColumnHolds) {
  std::string text = "item_id,price,kind,cast,vector\n";
  for (int i = 0; i < 100; ++i)
    text += fmt::format("i{},{},{},\"['a{}', 'b']\",\"[{}]\"\n", i, i % 4 ? std::to_string(i) : "-",
                        i % 2 ? "NULL" : "book", i % 5, i % 10 ? "0.5 0.25 0.1 1.5 2.5 3.5 4.5 1e-3" : "");
  const auto guess = guess_table({{file("a.csv", text)}});
  EXPECT_EQ(guess.columns[1].type, columns::ColumnType::integer);
  EXPECT_EQ(role(guess, "price"), "numeric");
  EXPECT_EQ(guess.columns[1].missing, (std::map<std::string, uint64_t>{{"-", 25}}));
  EXPECT_EQ(guess.columns[2].missing, (std::map<std::string, uint64_t>{{"NULL", 50}}));
  EXPECT_EQ(role(guess, "cast"), "multi");
  EXPECT_EQ(role(guess, "vector"), "vector");
  const auto lists = file("b.csv", "user_id,item_id\nu1,\"[1, 2]\"\nu2,\"[3]\"\n");
  EXPECT_TRUE(files::error_of([&] { guess_interactions({{lists}}); }).says("df.explode('item_id')"));
}

TEST_F(InferenceTest, NumbersWithCommasAreSaidToBeNone) {
  const auto guess = guess_table({{file("a.csv", "item_id;price\ni1;3,5\ni2;1,25\ni3;4\n")}});
  EXPECT_EQ(role(guess, "price"), "");
  EXPECT_NE(guess.columns[1].reason.find("write them with a point"), std::string::npos) << guess.columns[1].reason;
}

TEST_F(InferenceTest, OnlyTheSampleIsLookedAt) {
  const auto guess = guess_table({{file("a.csv", "id,n\n1,2\n2,3\n3,words\n")}}, 2);
  EXPECT_EQ(guess.sampled_rows, 2u);
  EXPECT_EQ(guess.columns[1].type, columns::ColumnType::integer);
  EXPECT_EQ(files::error_of([&] { guess_table({{file("b.csv", "id,n\n")}}); }).kind, ErrorKind::input);
}

}  // namespace
}  // namespace pagoda::data
