#include "text/form_survey.h"

#include "formats/formats_test.h"

namespace pagoda::formats {
namespace {

class FormSurveyTest : public files::FilesTest {
 protected:
  // The survey of a log, and its rows read as it says.
  struct Surveyed {
    text::FormSurvey survey;
    std::vector<std::string> names;
    Rows rows;
  };
  static Surveyed survey(const std::string& path, const std::string& keys = "data.") {
    Surveyed s{text::survey_form({path}, "auto", {.keys = keys}), {}, {}};
    ReaderOptions options{
        .paths = {path}, .format = files::format_or_automatic(s.survey.format), .form = s.survey.form};
    s.names = open_reader(options)->columns();
    s.rows = read_rows(options);
    return s;
  }
  // n lines, made of their number.
  template <class F>
  static std::string lines(F&& line, int n = 60) {
    std::string text;
    for (int i = 0; i < n; ++i) text += line(i) + "\n";
    return text;
  }
};

using Names = std::vector<std::string>;

TEST_F(FormSurveyTest, ColumnsWithoutNamesAreNamedByTheirValues) {
  const auto rating = [](const char* s) {
    return [s](int i) {
      return fmt::format("{1}{0}{2}{0}{3}{0}{4}", s, 1 + i / 9, 1000 + i * 37 % 400, 1 + i % 5, 978300760 + i);
    };
  };
  for (const auto& [name, separator] : {std::pair("ratings.dat", "::"), {"u.data", "\t"}, {"r.csv", ","}}) {
    const auto s = survey(file(name, lines(rating(separator))));
    EXPECT_EQ(s.names, (Names{"user_id", "item_id", "rating", "timestamp"})) << name;
    EXPECT_EQ(s.rows.size(), 60u);
    EXPECT_EQ(s.survey.form.header, columns::Header::no);
    ASSERT_EQ(s.survey.guesses.size(), 1u);
    EXPECT_NE(s.survey.guesses[0].find("data.columns names them otherwise"), std::string::npos);
  }
  const auto taobao = [](int i) {
    return fmt::format("{},{},{},{},{}", 1 + i / 9, 22000 + i * 37 % 400, 46 + i % 7, i % 3 ? "pv" : "buy",
                       1511544070 + i);
  };
  EXPECT_EQ(survey(file("UserBehavior.csv", lines(taobao))).names,
            (Names{"user_id", "item_id", "column_3", "event", "timestamp"}));
  const auto lastfm = [](int i) {
    return fmt::format("user_{:06}\t2009-05-{:02}T23:08:57Z\t{}\tDeep {}", i / 9, 1 + i % 28, i % 4 ? "f1b1cf71" : "",
                       i % 9);
  };
  EXPECT_EQ(survey(file("plays.tsv", lines(lastfm))).names, (Names{"user_id", "timestamp", "column_3", "item_id"}));
  const auto amazon = [](int i) {
    return fmt::format("B0000{:05},A{:013},{}.0,{}", i % 7, i / 9, 1 + i % 5, 1500000000 + i);
  };
  EXPECT_EQ(survey(file("Beauty.csv", lines(amazon))).names, (Names{"item_id", "user_id", "rating", "timestamp"}));
  const auto steam = [](int i) {
    return fmt::format("{},Game {},{},{}.0,0", i / 9, i % 9, i % 2 ? "play" : "purchase", i * 7);
  };
  EXPECT_EQ(survey(file("steam-200k.csv", lines(steam))).names,
            (Names{"user_id", "item_id", "event", "column_4", "column_5"}));
  EXPECT_EQ(survey(file("movies.dat", lines([](int i) { return fmt::format("{}::Film {} (1995)::Drama|War", i, i); })),
                   "data.items_form.")
                .names,
            (Names{"item_id", "column_2", "column_3"}));
  const auto named = survey(file("ok.csv", "user_id,item_id\n1,2\n"));
  EXPECT_TRUE(named.survey.found.empty() && named.survey.guesses.empty());
  EXPECT_EQ(named.survey.form, (columns::TableForm{.keys = "data."}));
}

TEST_F(FormSurveyTest, ATextOfRowsBetweenBlanksIsATable) {
  const auto s =
      survey(file("log.txt", lines([](int i) { return fmt::format("{} {} {}", 1 + i / 9, 50 + i % 11, 1 + i % 5); })));
  EXPECT_EQ(s.survey.format, "csv");
  EXPECT_EQ(s.names, (Names{"user_id", "item_id", "rating"}));
  EXPECT_EQ(survey(file("train.txt", "0 1 2 3\n1 4\n2 5 6\n")).survey.format, "adjacency");
}

TEST_F(FormSurveyTest, TheEncodingIsThatOfMostLines) {
  std::string text = "item_id;title\n";
  text += lines([](int i) { return fmt::format("{};Film {}", i, i); }, 20000) + "7a;Am\xe9lie\n";
  const auto s = survey(file("latin.csv", text));
  EXPECT_EQ(s.survey.form.encoding, "latin-1");
  EXPECT_EQ(s.rows.back()[1], "Am\xc3\xa9lie");
  ASSERT_EQ(s.survey.found.size(), 1u);
  EXPECT_NE(s.survey.found[0].find("1 line(s) are not UTF-8, the first is line 20002"), std::string::npos);
}

TEST_F(FormSurveyTest, QuotingIsWhatReadsTheWholeFile) {
  const auto row = [](int i) { return fmt::format("\"{}\";\"Title {}\"", i, i); };
  const auto books =
      file("BX-Books.csv", "\"ISBN\";\"Title\"\n" + lines(row, 3000) + "\"9\";\"The \\\"Gift\\\"; a novel\"\n");
  const auto s = survey(books);
  EXPECT_EQ(s.survey.form.quoting, columns::Quoting::backslash);
  EXPECT_EQ(s.rows.back(), (std::vector<std::string>{"9", "The \"Gift\"; a novel"}));
  const auto title = [](int i) { return fmt::format("N{}\tnews\tTitle {}", 100 + i, i); };
  for (const char* last : {"N9\tnews\t\"Big\" is back\nN8\tnews\tplain\n", "N9\tnews\t\"open\nN8\tnews\tshut\"\n"}) {
    const auto news = survey(file("news.tsv", "id\tkind\ttitle\n" + lines(title, 3000) + last));
    EXPECT_EQ(news.survey.form.quoting, columns::Quoting::none) << last;
    EXPECT_EQ(news.rows.size(), 3002u);
  }
  const auto usual = survey(file("u.csv", "id,title\n1,\"a \"\"b\"\",\nc\"\n2,d\n"));
  EXPECT_EQ(usual.survey.form.quoting, columns::Quoting::doubled);
  EXPECT_EQ(usual.rows[0][1], "a \"b\",\nc");
}

}  // namespace
}  // namespace pagoda::formats
