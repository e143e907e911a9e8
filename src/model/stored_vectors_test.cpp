#include "model/stored_vectors.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace pagoda::model {
namespace {

class StoredVectorsOf : public testing::Test {
 protected:
  StoredVectorsOf() : from_(3, 2) {
    const float values[] = {3, 4, 0, 0, -0.5f, 1000.25f};
    std::copy_n(values, 6, from_.data());
  }
  StoredVectors stored(const StorageFormat& form) { return {pool_, "v.npy", from_, form, testing::TempDir()}; }
  std::string refusal(const StorageFormat& form) {
    try {
      stored(form);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
  ThreadPool pool_{2};
  math::Matrix<float> from_;
};

TEST_F(StoredVectorsOf, WhatIsSoAlreadyIsNotCopied) {
  EXPECT_EQ(stored({}).rows().f32().data(), from_.data());
  EXPECT_NE(stored({.unit_length = true}).rows().f32().data(), from_.data());
}

TEST_F(StoredVectorsOf, UnitLengthAndHalfPrecision) {
  const auto unit = stored({.unit_length = true});
  EXPECT_FLOAT_EQ(unit.rows().row(0)[1], 0.8f);
  EXPECT_EQ(unit.rows().row(1), (std::vector<float>{0, 0}));
  const auto half = stored({.precision = math::RowPrecision::f16});
  EXPECT_EQ(half.rows().precision(), math::RowPrecision::f16);
  EXPECT_EQ(half.rows().row(2), (std::vector<float>{-0.5f, 1000.0f}))
      << "the nearest, 1000.25 lying between 1000 and 1000.5: to even";
  const StoredVectors back(pool_, "v", half.rows(), {}, testing::TempDir());
  EXPECT_EQ(back.rows().precision(), math::RowPrecision::f32);
  EXPECT_EQ(back.rows().row(0), (std::vector<float>{3, 4}));
}

TEST_F(StoredVectorsOf, WhatCanNotBeStoredIsRefusedWithItsPlace) {
  from_[2][1] = 70000;
  EXPECT_EQ(refusal({}), "");
  EXPECT_NE(refusal({.precision = math::RowPrecision::f16}).find("component 1 of row 2"), std::string::npos);
  EXPECT_EQ(refusal({.precision = math::RowPrecision::f16, .unit_length = true}), "");
  from_[1][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(refusal({}).find("component 0 of row 1"), std::string::npos);
}

TEST_F(StoredVectorsOf, LengthsAtTheEndsOfFloatsAreExactOrRefused) {
  from_[0][0] = 3e25f;
  from_[0][1] = 4e25f;
  from_[2][0] = 3e-30f;
  from_[2][1] = -4e-30f;
  const auto unit = stored({.unit_length = true});
  EXPECT_FLOAT_EQ(unit.rows().row(0)[0], 0.6f);
  EXPECT_FLOAT_EQ(unit.rows().row(2)[1], -0.8f);
  EXPECT_EQ(refusal({}), "");
  from_[0][0] = 1;
  from_[0][1] = 1;
  EXPECT_NE(refusal({.precision = math::RowPrecision::f16}).find("row 2 (from 0) are below"), std::string::npos);
  from_[1][1] = 2e30f;
  EXPECT_NE(refusal({}).find("row 1 (from 0) has the length 2e+30"), std::string::npos);
  EXPECT_EQ(refusal({.unit_length = true}), "");
}

}  // namespace
}  // namespace pagoda::model
