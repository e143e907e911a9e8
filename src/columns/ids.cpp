#include "columns/ids.h"

#include <cmath>

#include "columns/conversions.h"

namespace pagoda::columns {

void count_rounded_ids(const Column& column, Notices& notices, const std::function<std::string(size_t)>& place) {
  if (column.type != ColumnType::real) return;
  const double limit = column.precision == RealPrecision::f64   ? 0x1p53
                       : column.precision == RealPrecision::f32 ? 0x1p24
                                                                : 0x1p11;
  uint64_t count = 0;
  size_t first = 0;
  for (size_t row = 0; row < column.rows(); ++row)
    if (!column.is_null(row) && std::abs(column.reals[row]) >= limit && count++ == 0) first = row;
  notices.add(column.name, conversion::kRoundedId, count, [&] { return place(first); });
}

}  // namespace pagoda::columns
