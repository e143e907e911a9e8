#include "propose/owned_columns.h"

#include "formats/writer.h"

namespace pagoda::propose {

Owner owner_of(const Belonging& found, double coincidence) {
  // So many changes would chance make at least; of them one in a thousand may be a slip.
  constexpr double kEnough = 20, kSlips = 0.001;
  const auto belongs = [&](uint64_t repeats, uint64_t changes) {
    const double expected = static_cast<double>(repeats) * (1 - coincidence);
    return expected >= kEnough && static_cast<double>(changes) <= kSlips * expected;
  };
  if (belongs(found.item_repeats, found.item_changes)) return Owner::item;
  return belongs(found.user_repeats, found.user_changes) ? Owner::user : Owner::row;
}

void write_owned_columns(const formats::ReaderOptions& log, const std::string& id,
                         const std::vector<std::string>& columns, const std::string& path) {
  formats::ReaderOptions wanted = log;
  wanted.columns = {id};
  wanted.columns.insert(wanted.columns.end(), columns.begin(), columns.end());
  const auto reader = formats::open_reader(wanted);
  struct Values {
    columns::Interner texts;
    std::vector<uint32_t> of_id;  // kNone: none yet
  };
  columns::Interner ids;
  std::vector<Values> values(columns.size());
  columns::RawBatch batch;
  std::string scratch;
  while (reader->next(batch))
    for (size_t row = 0; row < batch.rows; ++row) {
      const auto text = batch.columns[0].as_text(row, scratch);
      if (text.empty()) continue;
      const uint32_t one = ids.add(text);
      for (size_t c = 0; c < columns.size(); ++c) {
        auto& of_id = values[c].of_id;
        if (one >= of_id.size()) of_id.resize(one + 1, columns::Interner::kNone);
        const auto& cells = batch.columns[c + 1];
        if (of_id[one] != columns::Interner::kNone || cells.absent(row)) continue;
        if (const auto value = cells.as_text(row, scratch); !value.empty()) of_id[one] = values[c].texts.add(value);
      }
    }

  std::vector<formats::ColumnSpec> specs{{id, columns::ColumnType::text}};
  for (const auto& column : columns) specs.push_back({column, columns::ColumnType::text});
  const auto writer = formats::open_writer(path, specs, files::Format::csv);
  columns::RawBatch table;
  table.rows = ids.size();
  table.columns.resize(specs.size());
  for (uint32_t one = 0; one < ids.size(); ++one) {
    table.columns[0].push_text(ids[one]);
    for (size_t c = 0; c < columns.size(); ++c) {
      const uint32_t value = values[c].of_id[one];
      if (value == columns::Interner::kNone)
        table.columns[c + 1].push_null();
      else
        table.columns[c + 1].push_text(values[c].texts[value]);
    }
  }
  writer->write(table);
  writer->close();
}

}  // namespace pagoda::propose
