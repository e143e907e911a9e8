#include "model/tables.h"

namespace pagoda {

namespace {

template <class T>
void save_ragged(ByteWriter& out, const Ragged<T>& lists) {
  out.array(lists.offsets);
  out.array(lists.values);
}

template <class T>
Ragged<T> load_ragged(ByteReader& in) {
  Ragged<T> lists;
  lists.offsets = in.array<uint64_t>();
  lists.values = in.array<T>();
  return lists;
}

}  // namespace

void save_strings(ByteWriter& out, const Interner& strings) { save_ragged(out, strings.strings()); }
Interner load_strings(ByteReader& in) { return Interner::from_strings(load_ragged<char>(in)); }

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
    c.type = in.value<ColumnType>();
    c.text = load_ragged<char>(in);
    c.integers = in.array<int64_t>();
    c.reals = in.array<double>();
    c.elements = load_ragged<char>(in);
    c.element_offsets = in.array<uint64_t>();
    c.valid = in.array<uint8_t>();
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

UserCells load_cells(ByteReader& in) {
  UserCells cells;
  cells.id_rows = in.array<uint32_t>();
  cells.features.resize(in.value<uint64_t>());
  for (auto& f : cells.features) {
    f.bag.rows = load_ragged<uint32_t>(in);
    f.bag.weights = in.array<float>();
    f.numbers = in.array<float>();
    f.times_us = in.array<int64_t>();
  }
  return cells;
}

}  // namespace pagoda
