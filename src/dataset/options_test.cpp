#include "dataset/options.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace pagoda::dataset {
namespace {

size_t lines_of(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

// The record is what is written but for the keys that version 0.1.0 did not know.
TEST(ResumeRecord, KeysOfLaterVersionsStandInItOnlyWhereTheySaySomething) {
  Options options;
  const auto plain = resume_record(options);
  EXPECT_TRUE(plain.starts_with("[data]\ninteractions = []\n"));
  for (const auto* key : {"separator = \"auto\"", "header", "columns", "null_values", "items_form", "users_form"})
    EXPECT_EQ(plain.find(key), plain.npos) << key;

  options.data.form.header = columns::Header::no;
  options.data.users_form.null_values = {"-"};
  const auto more = resume_record(options);
  EXPECT_EQ(lines_of(more), lines_of(plain) + 4);  // two keys, a section and the blank line before it
  EXPECT_NE(more.find("header = false\n"), more.npos);
  EXPECT_NE(more.find("\n\n[data.users_form]\nnull_values = [\"-\"]\n\n[data.split]\n"), more.npos) << more;
}

TEST(ResumeRecord, RefitIsWrittenAsTheFirstVersionDidWhereItMeansTheSame) {
  Options options;
  for (const auto& [refit, line] : {std::pair(Refit::validation, "\nrefit = true\n"),
                                    {Refit::none, "\nrefit = false\n"},
                                    {Refit::all, "\nrefit = \"all\"\n"}}) {
    options.train.refit = refit;
    EXPECT_NE(resume_record(options).find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace pagoda::dataset
