#include "data/interactions.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/error.h"
#include "data/blanks.h"
#include "data/ids.h"
#include "data/missing_words.h"
#include "data/numbering.h"
#include "math/matrix.h"

namespace pagoda {

namespace {

// Where each role's column lies in a batch; kNone where there is none.
struct Roles {
  static constexpr size_t kNone = SIZE_MAX;
  size_t user = 0, item = 1, time = kNone, weight = kNone, clicked = kNone, context = 2;
  std::vector<std::string> columns;

  explicit Roles(const InteractionOptions& options) : columns{options.user, options.item} {
    const auto add = [&](const std::string& name) {
      columns.push_back(name);
      return columns.size() - 1;
    };
    if (!options.time.empty()) time = add(options.time);
    if (!options.weight.empty()) weight = add(options.weight);
    if (!options.clicked.empty()) clicked = add(options.clicked);
    context = columns.size();
    for (const auto& name : options.context) add(name);
  }
};

// Appends the rows of the files, each checked whole before anything of it is kept.
class Loading {
 public:
  // all_shown: none of the rows was clicked, whatever they say.
  Loading(const InteractionOptions& options, Interactions& log, Impressions& shown, bool all_shown = false)
      : log_(log), shown_(shown), all_shown_(all_shown), roles_(options), bad_rows_(options.bad_rows),
        users_(log.users), items_(log.items) {
    for (const auto& values : log.context_values) contexts_.emplace_back(values);
    ReaderOptions reading{options.paths, options.format, roles_.columns};
    reading.required.assign(roles_.columns.begin(), roles_.columns.begin() + static_cast<std::ptrdiff_t>(roles_.context));
    reading.coded = reading.ahead = true;
    reading.form = options.form;
    reader_ = open_reader(reading);
  }

  void run() {
    const size_t before = log_.size(), shown_before = shown_.size();
    const uint32_t users_before = log_.users.size(), items_before = log_.items.size();
    uint64_t rows = 0;
    Notices id_notices;
    while (reader_->next(batch_)) {
      if (batch_.first_record == 0) make_room(batch_.file_rows);
      for (const size_t id : {roles_.user, roles_.item}) refuse_lists(reader_->files()[batch_.file], batch_.columns[id]);
      users_.start(batch_.columns[roles_.user]);
      items_.start(batch_.columns[roles_.item]);
      for (size_t c = 0; c < contexts_.size(); ++c) contexts_[c].start(batch_.columns[roles_.context + c]);
      if (!load_columns()) load_rows();
      for (const size_t ids : {roles_.user, roles_.item})
        count_rounded_ids(batch_.columns[ids], id_notices,
                          [&](size_t row) { return reader_->place(batch_.file, batch_.first_record + row); });
      rows += batch_.rows;
    }
    bad_rows_.summarise();
    reader_->notices().say();
    id_notices.say();
    say_blanks(reader_->files()[0], roles_.columns[roles_.user], log_.users, users_before);
    say_blanks(reader_->files()[0], roles_.columns[roles_.item], log_.items, items_before);
    if (log_.size() > before || (all_shown_ && shown_.size() > shown_before)) return;
    const auto& files = reader_->files();
    const std::string name =
        files.size() == 1 ? files[0] : fmt::format("{} and {} more file(s)", files[0], files.size() - 1);
    if (shown_.size() > shown_before)
      fail(ErrorKind::input, "{}: column '{}' says that none of its {} row(s) was clicked", name,
           roles_.columns[roles_.clicked], rows);
    if (rows > 0) fail(ErrorKind::input, "{}: none of its {} row(s) can be used", name, rows);
    fail(ErrorKind::input, "{}: has a header but no rows", name);
  }

 private:
  // At least by doubling, or many small files would each copy all rows before them.
  void make_room(uint64_t rows) {
    const auto reserve = [&](auto& column) {
      if (column.capacity() >= column.size() + rows) return;
      column.reserve(std::max(column.size() + rows, 2 * column.size()));
      ask_for_huge_pages(column.data(), column.capacity() * sizeof(column[0]));
    };
    if (rows == 0 || all_shown_) return;
    reserve(log_.user), reserve(log_.item);
    if (roles_.time != Roles::kNone) reserve(log_.time_us);
    if (roles_.weight != Roles::kNone) reserve(log_.weight);
    for (auto& column : log_.context) reserve(column);
  }

  // A batch of which every row is known to be good, column by column; false, and nothing done, where it is not.
  bool load_columns() {
    if (all_shown_ || roles_.weight != Roles::kNone || roles_.clicked != Roles::kNone) return false;
    const auto good = [](const Numbering& column) { return column.all_good(); };
    if (!good(users_) || !good(items_) || !std::ranges::all_of(contexts_, good)) return false;
    if (roles_.time != Roles::kNone && !batch_.columns[roles_.time].append_times_us(log_.time_us)) return false;
    users_.number(log_.users, log_.user);
    items_.number(log_.items, log_.item);
    for (size_t c = 0; c < contexts_.size(); ++c) contexts_[c].number(log_.context_values[c], log_.context[c]);
    return true;
  }

  void load_rows() {
    users_.look_up(), items_.look_up();
    for (auto& context : contexts_) context.look_up();
    for (size_t row = 0; row < batch_.rows; ++row) load_row(row);
  }

  void load_row(size_t row) {
    const Column& users = batch_.columns[roles_.user];
    const Column& items = batch_.columns[roles_.item];
    uint32_t user = users_.find(row), item = items_.find(row);
    if (user == Interner::kNone && !good_text(users, row, users.as_text(row, text_), true)) return;
    if (item == Interner::kNone && !good_text(items, row, items.as_text(row, text_), true)) return;

    int64_t time = 0;
    if (roles_.time != Roles::kNone) {
      const auto parsed = batch_.columns[roles_.time].as_time_us(row);
      if (!parsed) return bad(batch_.columns[roles_.time], row, "a time, as in 2024-05-01T10:00:00Z or 1714557600");
      time = *parsed;
    }
    float weight = 1;
    if (roles_.weight != Roles::kNone) {
      const auto parsed = batch_.columns[roles_.weight].as_number(row);
      weight = static_cast<float>(parsed.value_or(0));
      if (!(weight > 0 && weight <= std::numeric_limits<float>::max()))
        return bad(batch_.columns[roles_.weight], row,
                   "a finite number above 0 that 32 bits hold (1e-45 to 3.4e38)");
    }
    bool clicked = !all_shown_;
    if (roles_.clicked != Roles::kNone) {
      const auto parsed = was_clicked(row);
      if (!parsed) return bad(batch_.columns[roles_.clicked], row, "1 or 0, true or false");
      clicked &= *parsed;
    }
    if (!clicked) {
      shown_.user.push_back(shown_.users.add(users.as_text(row, text_)));
      shown_.item.push_back(shown_.items.add(items.as_text(row, text_)));
      if (roles_.time != Roles::kNone) shown_.time_us.push_back(time);
      return;
    }
    if (!good_context(row)) return;

    if (user == Interner::kNone) user = log_.users.add(users.as_text(row, text_));
    if (item == Interner::kNone) item = log_.items.add(items.as_text(row, text_));
    log_.user.push_back(user);
    log_.item.push_back(item);
    if (roles_.time != Roles::kNone) log_.time_us.push_back(time);
    if (roles_.weight != Roles::kNone) log_.weight.push_back(weight);
    for (size_t c = 0; c < context_.size(); ++c) log_.context[c].push_back(context_[c]);
  }

  std::optional<bool> was_clicked(size_t row) {
    const Column& column = batch_.columns[roles_.clicked];
    if (const auto number = column.as_number(row)) return *number != 0;
    const auto text = column.as_text(row, text_);
    if (text == "true" || text == "True" || text == "TRUE" || text == "yes") return true;
    if (text == "false" || text == "False" || text == "FALSE" || text == "no") return false;
    return std::nullopt;
  }

  bool good_context(size_t row) {
    context_.resize(log_.context.size());
    for (size_t c = 0; c < context_.size(); ++c) {
      const Column& column = batch_.columns[roles_.context + c];
      context_[c] = contexts_[c].find(row);
      if (context_[c] != Interner::kNone) continue;
      const auto text = column.as_text(row, text_);
      if (!good_text(column, row, text, false)) return false;
      context_[c] = log_.context_values[c].add(text);
    }
    return true;
  }

  bool good_text(const Column& column, size_t row, std::string_view text, bool needed) {
    if (needed && text.empty())
      return bad(column, row, column.type == ColumnType::real ? "an id, not null or NaN" : "an id"), false;
    if (!is_utf8(text)) return bad(column, row, "UTF-8 text"), false;
    return true;
  }

  void bad(const Column& column, size_t row, std::string_view expected) {
    std::string scratch;
    bad_rows_.report([&] { return reader_->place(batch_.file, batch_.first_record + row); }, column.name,
                     column.as_text(row, scratch), expected);
  }

  Interactions& log_;
  Impressions& shown_;
  bool all_shown_;
  Roles roles_;
  BadRows bad_rows_;
  std::unique_ptr<Reader> reader_;
  RawBatch batch_;
  Numbering users_, items_;
  std::vector<Numbering> contexts_;
  std::string text_;               // of a cell, where it must be made
  std::vector<uint32_t> context_;  // of the row being read
};

}  // namespace

Interactions load_interactions(const InteractionOptions& options) {
  Interactions log;
  log.context_names = options.context;
  log.context_values.resize(options.context.size());
  log.context.resize(options.context.size());
  Loading(options, log, log.shown).run();
  warn_of_odd_ids(log, options);
  return log;
}

size_t append_interactions(const InteractionOptions& options, Interactions& log) {
  check(options.context == log.context_names, "files of one log are read for the same context columns");
  check(log.size() == 0 || (log.has_time() == !options.time.empty() && log.weight.empty() == options.weight.empty()),
        "files of one log are read for the same time and weight columns");
  const size_t first = log.size();
  Loading(options, log, log.shown).run();
  return first;
}

void append_impressions(const InteractionOptions& options, Impressions& shown) {
  check(shown.size() == 0 || shown.time_us.empty() == options.time.empty(),
        "impressions of one log are read for the same time column");
  InteractionOptions reading{.paths = options.paths,
                             .format = options.format,
                             .user = options.user,
                             .item = options.item,
                             .time = options.time,
                             .form = options.form,
                             .bad_rows = options.bad_rows};
  Interactions no_clicks;
  Loading(reading, no_clicks, shown, true).run();
}

}  // namespace pagoda
