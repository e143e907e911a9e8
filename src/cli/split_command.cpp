#include <array>

#include "cli/commands.h"
#include "cli/results.h"
#include "core/file.h"
#include "core/log.h"
#include "dataset/dataset.h"
#include "formats/writer.h"
#include "train/whole_config.h"

namespace pagoda::cli {

namespace {

constexpr size_t kBatchRows = 65536;  // rows of a batch

columns::ColumnType id_type(bool integers) {
  return integers ? columns::ColumnType::integer : columns::ColumnType::text;
}

// The rows of one part, in the order of the log, with the columns that the config names.
uint64_t write_part(const std::string& path, files::Format format, const dataset::DataOptions& options,
                    const dataset::Dataset& data, data::Part part) {
  const auto& log = data.log;
  std::vector<formats::ColumnSpec> specs{{options.user, id_type(log.integer_users)},
                                         {options.item, id_type(log.integer_items)}};
  if (log.has_time()) specs.push_back({options.time, columns::ColumnType::time});
  if (!log.weight.empty())  // those of kinds of events have no column
    specs.push_back({options.weight.empty() ? "weight" : options.weight, columns::ColumnType::real});
  for (const auto& name : log.context_names) specs.push_back({name, columns::ColumnType::text});
  const auto writer = formats::open_writer(path, specs, format);
  columns::RawBatch batch;
  uint64_t written = 0;
  const auto clear = [&] {
    batch = {};
    for (const auto& spec : specs) {
      auto& column = batch.columns.emplace_back();
      column.name = spec.name;
      column.type = spec.type;
    }
  };
  clear();
  for (size_t row = 0; row < log.size(); ++row) {
    if (data.parts[row] != part) continue;
    size_t c = 0;
    push_id(batch.columns[c++], log.users[log.user[row]]);
    push_id(batch.columns[c++], log.items[log.item[row]]);
    if (log.has_time()) batch.columns[c++].push_integer(log.time_us[row]);
    if (!log.weight.empty()) batch.columns[c++].push_real(log.weight[row]);
    for (size_t k = 0; k < log.context.size(); ++k)
      batch.columns[c++].push_text(log.context_values[k][log.context[k][row]]);
    ++written;
    if (++batch.rows == kBatchRows) {
      writer->write(batch);
      clear();
    }
  }
  if (batch.rows > 0) writer->write(batch);
  writer->close();
  return written;
}

}  // namespace

void run_split(const SplitArgs& args) {
  const auto format = files::format_from_name(args.format);
  train::WholeConfig config;
  read_config(args.config, args.set, config);
  const auto& options = config.training.data;
  dataset::validate(config.training);
  if (options.split.kind == data::SplitKind::none)
    fail(ErrorKind::usage, "data.split.kind = \"none\" holds nothing out, so there are no parts to write");
  const auto data = dataset::load_dataset(options);
  if (!data.split_said.empty()) log_info("split: {}", data.split_said);
  if (!options.events.empty()) log_info("split: rows of positive kinds of [[data.events]] alone are written");
  make_folder(args.output);
  constexpr std::array<const char*, 3> kNames{"train", "validation", "test"};
  for (size_t part = 0; part < kNames.size(); ++part) {
    const auto path = fmt::format("{}/{}.{}", args.output, kNames[part], args.format);
    const auto rows = write_part(path, format, options, data, static_cast<data::Part>(part));
    log_info("{}: {} rows", path, rows);
  }
}

}  // namespace pagoda::cli
