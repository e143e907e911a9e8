// The forms of files that only one publisher has.
#include "formats/formats_test.h"

namespace pagoda::formats {
namespace {

using PublishersTest = files::FilesTest;

TEST_F(PublishersTest, NetflixNamesTheItemAboveItsRatings) {
  const auto path =
      file("combined_data_1.txt", "1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n\n22:\n7,1,2004-01-02\n");
  EXPECT_EQ(
      read_rows(path),
      (Rows{{"1488844", "1", "3", "2005-09-06"}, {"822109", "1", "5", "2005-05-13"}, {"7", "22", "1", "2004-01-02"}}));
  EXPECT_EQ(read_rows(path, {"item_id"}), (Rows{{"1"}, {"1"}, {"22"}}));
  EXPECT_EQ(read_rows(file("probe.txt", "1:\n30878\n")), (Rows{{"30878", "1", "", ""}}));
  const auto broken = file("mv.txt", "1:\n7,1,2004-01-02,9\n");
  EXPECT_TRUE(files::error_of([&] { read_rows(broken); }).says("mv.txt:2: has more than a user"));
  ReaderOptions options;
  options.paths = {path};
  EXPECT_EQ(open_reader(options)->place(0, 2), path + ":6");
}

TEST_F(PublishersTest, MindGivesARowAShownItemAndTheHistoryBeforeTheFile) {
  const auto path = file("behaviors.tsv",
                         "1\tU13\t11/13/2019 9:05:58 AM\tN1 N2\tN10-1 N11-0\n"
                         "2\tU87\t11/11/2019 12:00:10 AM\t\tN10-0\n"
                         "3\tU13\t11/14/2019 8:00:00 PM\tN1 N2\tN12-0\n");
  const auto reader = [&] {
    ReaderOptions options;
    options.paths = {path};
    return open_reader(options);
  }();
  columns::RawBatch batch;
  ASSERT_TRUE(reader->next(batch));
  EXPECT_EQ(reader->notices().texts().size(), 1u);
  EXPECT_EQ(reader->place(0, 5), path + ":3");
  EXPECT_EQ(read_rows(path), (Rows{{"", "U13", "2019-11-11T00:00:08Z", "N1", "1"},
                                   {"", "U13", "2019-11-11T00:00:09Z", "N2", "1"},
                                   {"1", "U13", "11/13/2019 9:05:58 AM", "N10", "1"},
                                   {"1", "U13", "11/13/2019 9:05:58 AM", "N11", "0"},
                                   {"2", "U87", "11/11/2019 12:00:10 AM", "N10", "0"},
                                   {"3", "U13", "11/14/2019 8:00:00 PM", "N12", "0"}}));
  ReaderOptions told{.paths = {file("test.tsv", "1\tU1\t11/13/2019 9:05:58 AM\tN1\tN10 N11\n")},
                     .format = files::Format::mind};
  EXPECT_TRUE(files::error_of([&] { read_rows(told); }).says("'N10' does not say whether it was clicked"));
}

TEST_F(PublishersTest, LinesOfPythonAreReadAsJson) {
  const auto path =
      file("meta.json",
           "{'asin': 'B01', 'title': \"Bob's \\\"Best\\\"\", 'price': 9.99, 'also': ['B02', u'B\\xe9'], "
           "'new': True, 'brand': None}\n"
           "{u'asin': u'B02', u'title': u'tab\\there \\u2013 it\\'s', 'price': 3, 'also': [], 'new': False}\n");
  EXPECT_EQ(read_rows(path, {"asin", "title", "price", "new", "brand"}),
            (Rows{{"B01", "Bob's \"Best\"", "9.99", "true", "<null>"},
                  {"B02", "tab\there \xe2\x80\x93 it's", "3", "false", "<null>"}}));
  ReaderOptions options;
  options.paths = {path};
  options.columns = {"also"};
  const auto reader = open_reader(options);
  columns::RawBatch batch;
  ASSERT_TRUE(reader->next(batch));
  ASSERT_EQ(batch.columns[0].type, columns::ColumnType::texts);
  ASSERT_EQ(reader->notices().texts().size(), 1u);
  EXPECT_TRUE(reader->notices().texts()[0].starts_with("2 line(s) are dictionaries of Python"));
  EXPECT_TRUE(files::error_of([&] { read_rows(file("b.json", "{'a': 1\n")); }).says("b.json:1"));
}

}  // namespace
}  // namespace pagoda::formats
