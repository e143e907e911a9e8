#include "model/tables.h"

#include <algorithm>

#include "columns/decimal.h"
#include "features/saved.h"

namespace pagoda::model {

namespace {

// An extension after the columns, for what the layout of version 1 lacks. Older programs ignore it, read decimals as
// texts and compare floats as doubles.
enum class Nature : uint8_t { plain, f32, f16, decimal };

Nature nature_of(const columns::Column& column) {
  if (column.type == columns::ColumnType::decimal) return Nature::decimal;
  if (column.type != columns::ColumnType::real || column.precision == columns::RealPrecision::f64) return Nature::plain;
  return column.precision == columns::RealPrecision::f32 ? Nature::f32 : Nature::f16;
}

bool all_decimals(const columns::Column& column) {
  for (size_t row = 0; row < column.rows(); ++row)
    if (!column.is_null(row) && !columns::Decimal::parse(column.text_of(row))) return false;
  return true;
}

// Returns false if the column is not of that kind.
bool give(columns::Column& column, Nature nature) {
  switch (nature) {
    case Nature::plain: return true;
    case Nature::f32: column.precision = columns::RealPrecision::f32; return column.type == columns::ColumnType::real;
    case Nature::f16: column.precision = columns::RealPrecision::f16; return column.type == columns::ColumnType::real;
    case Nature::decimal:
      if (column.type != columns::ColumnType::text || !all_decimals(column)) return false;
      column.type = columns::ColumnType::decimal;
      return true;
  }
  return false;
}

}  // namespace

void save_attributes(ByteWriter& out, const data::Attributes& attributes) {
  features::save_strings(out, attributes.ids);
  out.value<uint64_t>(attributes.columns.size());
  for (const auto& c : attributes.columns) {
    out.text(c.name);
    out.value(c.type == columns::ColumnType::decimal ? columns::ColumnType::text : c.type);
    features::save_ragged(out, c.text);
    out.array(c.integers);
    out.array(c.reals);
    features::save_ragged(out, c.elements);
    out.array(c.element_offsets);
    out.array(c.valid);
  }
  std::vector<Nature> natures;
  for (const auto& c : attributes.columns) natures.push_back(nature_of(c));
  if (std::ranges::any_of(natures, [](Nature n) { return n != Nature::plain; })) out.array(natures);
}

data::Attributes load_attributes(ByteReader& in) {
  data::Attributes attributes;
  attributes.ids = features::load_strings(in);
  const auto n = in.value<uint64_t>();
  for (uint64_t i = 0; i < n; ++i) {
    columns::Column c;
    c.name = in.text();
    c.type = features::load_choice(in, columns::ColumnType::texts);
    c.text = features::load_ragged<char>(in);
    c.integers = in.array<int64_t>();
    c.reals = in.array<double>();
    c.elements = features::load_ragged<char>(in);
    c.element_offsets = in.array<uint64_t>();
    c.valid = in.array<uint8_t>();
    if (!features::offsets_rise(c.element_offsets, c.elements.size()) || c.rows() != attributes.rows() ||
        (!c.valid.empty() && c.valid.size() != c.rows()))
      in.damaged("a column does not fit its rows");
    attributes.columns.push_back(std::move(c));
  }
  if (in.at_end()) return attributes;
  const auto natures = in.array<Nature>();
  bool fit = natures.size() == n && in.at_end();
  for (size_t c = 0; fit && c < n; ++c) fit = give(attributes.columns[c], natures[c]);
  if (!fit) in.damaged("the precisions of its columns do not fit them");
  return attributes;
}

void save_cells(ByteWriter& out, const features::EncodedUsers& cells) {
  out.array(cells.id_rows);
  out.value<uint64_t>(cells.features.size());
  for (const auto& f : cells.features) {
    features::save_ragged(out, f.bag.rows);
    out.array(f.bag.weights);
    out.array(f.numbers);
    out.array(f.times_us);
  }
}

features::EncodedUsers load_cells(ByteReader& in, const features::UserEncoder& encoder) {
  features::EncodedUsers cells;
  cells.id_rows = in.array<uint32_t>();
  const auto features = in.value<uint64_t>();
  for (uint64_t i = 0; i < features; ++i) {
    auto& f = cells.features.emplace_back();
    f.bag.rows = features::load_ragged<uint32_t>(in);
    f.bag.weights = in.array<float>();
    f.numbers = in.array<float>();
    f.times_us = in.array<int64_t>();
  }
  if (const char* fault = encoder.find_fault(cells)) in.damaged(fault);
  return cells;
}

}  // namespace pagoda::model
