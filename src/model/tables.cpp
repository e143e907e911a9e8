#include "model/tables.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "columns/decimal.h"
#include "core/error.h"
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
  // After them, so that older programs read what has no vectors as before.
  for (const auto& f : cells.features) {
    if (!f.vectors) continue;
    std::vector<uint8_t> has;
    std::vector<float> values, vector(f.vectors->width());
    for (const uint32_t row : f.vector_rows) {
      has.push_back(row != columns::Interner::kNone && f.vectors->has(row));
      if (!has.back()) continue;
      f.vectors->read(row, vector.data());
      values.insert(values.end(), vector.begin(), vector.end());
    }
    out.value<uint64_t>(static_cast<uint64_t>(&f - cells.features.data()));
    out.value<uint64_t>(f.vectors->width());
    out.array(has);
    out.array(values);
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
  while (!in.at_end()) {
    const auto feature = in.value<uint64_t>(), width = in.value<uint64_t>();
    const auto has = in.array<uint8_t>();
    const auto values = in.array<float>();
    const auto vectors = static_cast<size_t>(std::ranges::count_if(has, [](uint8_t h) { return h != 0; }));
    if (feature >= cells.features.size() || width == 0 || values.size() / width != vectors ||
        values.size() % width != 0)
      in.damaged("the vectors of a feature do not fit its rows");
    columns::VectorRows rows("");
    rows.set_width(width);
    for (size_t user = 0, at = 0; user < has.size(); ++user)
      has[user] ? rows.push({values.data() + width * at++, width}) : rows.push_null();
    auto& f = cells.features[feature];
    f.vectors = rows.finish();
    f.vector_rows.resize(has.size());
    std::iota(f.vector_rows.begin(), f.vector_rows.end(), 0u);
  }
  if (const char* fault = encoder.find_fault(cells)) in.damaged(fault);
  return cells;
}

namespace {
constexpr std::string_view kVectors = "item_vectors/", kPlaces = "item_vector_rows/";
}

void save_vectors(SectionWriter& out, const VectorColumns& columns) {
  for (const auto& column : columns) {
    out.begin(std::string(kVectors) + column->name());
    const uint64_t shape[2] = {column->rows() - column->missing(), column->width()};
    out.append(std::as_bytes(std::span(shape)));
    std::vector<float> vector(column->width());
    std::vector<uint32_t> places;
    uint32_t next = 0;
    for (size_t row = 0; row < column->rows(); ++row) {
      places.push_back(column->has(row) ? next++ : columns::Interner::kNone);
      if (!column->has(row)) continue;
      column->read(row, vector.data());
      out.append(std::as_bytes(std::span(vector)));
    }
    out.end();
    out.section(std::string(kPlaces) + column->name(), std::as_bytes(std::span(places)));
  }
}

VectorColumns load_vectors(const std::shared_ptr<const SectionFile>& in) {
  VectorColumns columns;
  for (const auto& section : in->sections()) {
    if (!section.name.starts_with(kVectors)) continue;
    const auto name = section.name.substr(kVectors.size());
    const auto bytes = in->bytes(section.name), at = in->bytes(std::string(kPlaces) + name);
    uint64_t shape[2] = {0, 0};
    if (bytes.size() >= sizeof shape) std::memcpy(shape, bytes.data(), sizeof shape);
    const auto* values = reinterpret_cast<const float*>(bytes.data() + sizeof shape);
    const std::span places(reinterpret_cast<const uint32_t*>(at.data()), at.size() / sizeof(uint32_t));
    const uint64_t floats = (bytes.size() - std::min(bytes.size(), sizeof shape)) / sizeof(float);
    const bool fits =
        shape[1] > 0 && floats % shape[1] == 0 && floats / shape[1] == shape[0] &&
        std::ranges::all_of(places, [&](uint32_t p) { return p == columns::Interner::kNone || p < shape[0]; });
    if (!fits) fail(ErrorKind::failed, "{}: section '{}' is damaged", in->path(), section.name);
    auto column = std::make_shared<columns::VectorColumn>(name, shape[1]);
    const auto source = column->add({math::MatrixView(values, shape[0], shape[1]), in});
    for (const uint32_t p : places) p == columns::Interner::kNone ? column->push_null() : column->push(source, p);
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace pagoda::model
