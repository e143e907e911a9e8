#include "model/tables.h"

#include "features/saved.h"

namespace pagoda {

void save_attributes(ByteWriter& out, const Attributes& attributes) {
  save_strings(out, attributes.ids);
  out.value<uint64_t>(attributes.columns.size());
  for (const auto& c : attributes.columns) {
    out.text(c.name);
    out.value(c.type);
    save_ragged(out, c.text);
    out.array(c.integers);
    out.array(c.reals);
    save_ragged(out, c.elements);
    out.array(c.element_offsets);
    out.array(c.valid);
  }
}

Attributes load_attributes(ByteReader& in) {
  Attributes attributes;
  attributes.ids = load_strings(in);
  const auto n = in.value<uint64_t>();
  for (uint64_t i = 0; i < n; ++i) {
    Column c;
    c.name = in.text();
    c.type = load_choice(in, ColumnType::texts);
    c.text = load_ragged<char>(in);
    c.integers = in.array<int64_t>();
    c.reals = in.array<double>();
    c.elements = load_ragged<char>(in);
    c.element_offsets = in.array<uint64_t>();
    c.valid = in.array<uint8_t>();
    if (!offsets_rise(c.element_offsets, c.elements.size()) || c.rows() != attributes.rows() ||
        (!c.valid.empty() && c.valid.size() != c.rows()))
      in.damaged("a column does not fit its rows");
    attributes.columns.push_back(std::move(c));
  }
  return attributes;
}

void save_cells(ByteWriter& out, const UserCells& cells) {
  out.array(cells.id_rows);
  out.value<uint64_t>(cells.features.size());
  for (const auto& f : cells.features) {
    save_ragged(out, f.bag.rows);
    out.array(f.bag.weights);
    out.array(f.numbers);
    out.array(f.times_us);
  }
}

UserCells load_cells(ByteReader& in, const UserEncoder& encoder) {
  UserCells cells;
  cells.id_rows = in.array<uint32_t>();
  const auto features = in.value<uint64_t>();
  for (uint64_t i = 0; i < features; ++i) {
    auto& f = cells.features.emplace_back();
    f.bag.rows = load_ragged<uint32_t>(in);
    f.bag.weights = in.array<float>();
    f.numbers = in.array<float>();
    f.times_us = in.array<int64_t>();
  }
  if (const char* fault = encoder.fault_of(cells)) in.damaged(fault);
  return cells;
}

}  // namespace pagoda
