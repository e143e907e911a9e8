#include "files/source_files.h"

#include "files/files_test.h"

namespace pagoda::files {
namespace {

class SourceFilesTest : public FilesTest {
 protected:
  // A file in folders that are made for it.
  std::string deep(const std::string& name, std::string_view text) const {
    make_folder(std::filesystem::path(path(name)).parent_path().string());
    return file(name, text);
  }
  // The files found, without the folder they all lie in.
  std::vector<std::string> found(const std::vector<std::string>& names) const {
    std::vector<std::string> paths, short_names;
    for (const auto& name : names) paths.push_back(path(name));
    for (const auto& file : find_files(paths)) short_names.push_back(file.path.substr(folder_.size() + 1));
    return short_names;
  }
  using Names = std::vector<std::string>;
};

TEST_F(SourceFilesTest, TwoStarsAreAnyNumberOfFolders) {
  for (const char* name : {"t/0.csv", "t/a/1.csv", "t/a/b/2.csv", "t/a/b/3.tsv", "t/c/d/e/4.csv"}) deep(name, "n\n1\n");
  EXPECT_EQ(found({"t/**/*.csv"}), (Names{"t/0.csv", "t/a/1.csv", "t/a/b/2.csv", "t/c/d/e/4.csv"}));
  EXPECT_EQ(found({"t/a/**/*.csv"}), (Names{"t/a/1.csv", "t/a/b/2.csv"}));
  EXPECT_EQ(found({"t/**/b/*"}), (Names{"t/a/b/2.csv", "t/a/b/3.tsv"}));
  EXPECT_EQ(found({"t/**/b/**/*.csv"}), (Names{"t/a/b/2.csv"}));
  EXPECT_EQ(found({"t/a/**"}), (Names{"t/a/1.csv", "t/a/b/2.csv", "t/a/b/3.tsv"}));
  EXPECT_EQ(found({"t/*/*.csv"}), (Names{"t/a/1.csv"})) << "one star is one folder";
  EXPECT_EQ(found({"t/[ac]/?.csv"}), (Names{"t/a/1.csv"}));
}

TEST_F(SourceFilesTest, AFolderIsAllTheFilesBelowIt) {
  for (const char* name : {"log/a=1/part-00000.csv", "log/a=2/part-00000.csv", "log/x.csv"}) deep(name, "n\n1\n");
  for (const char* passed_over : {"log/_SUCCESS", "log/.x.csv.crc", "log/_temporary/0/y.csv", "log/x.csv.crc",
                                  "log/.hidden/z.csv", "log/x.csv~", "log/x.csv.bak"})
    deep(passed_over, "z\n9\n");
  const Names all{"log/a=1/part-00000.csv", "log/a=2/part-00000.csv", "log/x.csv"};
  EXPECT_EQ(found({"log"}), all);
  EXPECT_EQ(found({"log/"}), all);
  EXPECT_EQ(found({"log/**"}), all);
  EXPECT_EQ(found({"log/*"}), (Names{"log/x.csv"}));
  EXPECT_EQ(found({"log/*.bak"}), (Names{"log/x.csv.bak"})) << "meant by its ending";
  EXPECT_EQ(found({"log/_*"}), (Names{"log/_SUCCESS"})) << "meant by its beginning";
  EXPECT_EQ(found({"log/_SUCCESS"}), (Names{"log/_SUCCESS"})) << "named outright";
}

TEST_F(SourceFilesTest, FoldersOfPartitionsGiveKeysAndTheirValues) {
  deep("h/dt=2024-05-01/country=C%C3%B4te%20d%27Ivoire/a.csv", "n\n1\n");
  deep("h/dt=2024-05-01/country=__HIVE_DEFAULT_PARTITION__/b.csv", "n\n1\n");
  const auto files = find_files({path("h")});
  ASSERT_EQ(files.size(), 2u);
  ASSERT_EQ(files[0].keys.size(), 2u);
  EXPECT_EQ(files[0].keys[0], std::pair(std::string("dt"), std::optional<std::string>("2024-05-01")));
  EXPECT_EQ(files[0].keys[1].second, "C\xc3\xb4te d'Ivoire");
  EXPECT_EQ(files[1].keys[1], std::pair(std::string("country"), std::optional<std::string>()));
}

TEST_F(SourceFilesTest, AFileThatIsMetTwiceIsReadOnce) {
  deep("a.csv", "n\n1\n");
  deep("b.csv", "n\n1\n");
  EXPECT_EQ(found({"*.csv", "a.csv", "./b.csv"}), (Names{"a.csv", "b.csv"}));
  std::filesystem::create_symlink(path("a.csv"), path("link.csv"));
  EXPECT_EQ(found({"*.csv"}), (Names{"a.csv", "b.csv"}));
  std::filesystem::create_directory_symlink(folder_, path("loop"));
  EXPECT_EQ(found({"**/*.csv"}).size(), 2u) << "a link to a folder above ends";
}

TEST_F(SourceFilesTest, TablesWithALogOfTheirFilesAreRefused) {
  deep("delta/_delta_log/00.json", "{}");
  deep("delta/part-0.parquet", "stale");
  deep("delta/dt=1/part-1.parquet", "stale");
  for (const char* name : {"delta", "delta/*.parquet", "delta/**/*.parquet", "delta/dt=1/*.parquet", "delta/dt=1"}) {
    const auto error = error_of([&] { find_files({path(name)}); });
    EXPECT_EQ(error.kind, ErrorKind::input);
    EXPECT_TRUE(error.says("is a Delta Lake table") && error.says("delta_scan('" + path("delta") + "')"))
        << error.message;
  }
  EXPECT_EQ(found({"delta/part-0.parquet"}).size(), 1u) << "one that is named outright is read, with a warning";
  deep("hudi/.hoodie/x", "");
  deep("hudi/a.parquet", "");
  EXPECT_TRUE(error_of([&] { find_files({path("hudi")}); }).says("is a Hudi table"));
  deep("ice/metadata/v1.metadata.json", "{}");
  deep("ice/data/a.parquet", "");
  EXPECT_TRUE(error_of([&] { find_files({path("ice")}); }).says("is an Iceberg table"));
  EXPECT_TRUE(error_of([&] { find_files({path("ice/data/*.parquet")}); }).says("iceberg_scan"));
}

TEST_F(SourceFilesTest, WhatIsNotThereOrNotHereIsAnError) {
  make_folder(path("empty"));
  EXPECT_TRUE(error_of([&] { find_files({path("empty")}); }).says("no file is in this folder"));
  EXPECT_TRUE(error_of([&] { find_files({path("empty/**/*.csv")}); }).says("no file matches"));
  EXPECT_TRUE(error_of([&] { find_files({"s3://bucket/log/"}); }).says("'aws s3 cp --recursive'"));
  EXPECT_TRUE(error_of([&] { find_files({"https://x.org/a.csv"}); }).says("'curl -O'"));
  EXPECT_TRUE(error_of([&] { find_files({"file:///tmp/a.csv"}); }).says("write the path alone"));
  EXPECT_TRUE(error_of([&] { find_files({"~/a.csv"}); }).says("write it out"));
}

}  // namespace
}  // namespace pagoda::files
