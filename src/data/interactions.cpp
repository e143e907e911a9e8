#include "data/interactions.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "columns/decimal.h"
#include "columns/whitespace.h"
#include "columns/id_mapper.h"
#include "columns/ids.h"
#include "core/error.h"
#include "core/log.h"
#include "data/answer.h"
#include "data/missing_words.h"
#include "data/row_places.h"
#include "math/matrix.h"
#include "predicate/row_predicate.h"

namespace pagoda::data {

namespace {

// The position in a batch of the column of each role; kNone if there is none.
struct RoleColumns {
  static constexpr size_t kNone = SIZE_MAX;
  size_t user = 0, item = 1, time = kNone, weight = kNone, clicked = kNone, context = 2;
  std::vector<size_t> where, events, positive;  // of the columns that the expressions ask for
  std::vector<std::string> columns, required;

  RoleColumns(const InteractionOptions& options, const predicate::RowPredicate& where_rows, const EventKinds& kinds,
              const predicate::RowPredicate& positive_rows)
      : columns{options.user, options.item} {
    const auto add = [&](const std::string& name) {
      columns.push_back(name);
      return columns.size() - 1;
    };
    if (!options.time.empty()) time = add(options.time);
    if (!options.weight.empty()) weight = add(options.weight);
    if (!options.clicked.empty()) clicked = add(options.clicked);
    required = columns;
    context = columns.size();
    for (const auto& name : options.context) add(name);
    // A column may have a role and stand in an expression: it is read once.
    const auto ask = [&](const std::string& name) {
      required.push_back(name);
      const auto at = std::ranges::find(columns, name) - columns.begin();
      return static_cast<size_t>(at) < columns.size() ? static_cast<size_t>(at) : add(name);
    };
    for (const auto& name : where_rows.columns()) where.push_back(ask(name));
    for (const auto& name : kinds.columns()) events.push_back(ask(name));
    for (const auto& name : positive_rows.columns()) positive.push_back(ask(name));
  }
};

int64_t system_now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// Renumbers ids in order of first occurrence, so that nothing is left of rows that were dropped.
void renumber(columns::Interner& ids, std::vector<uint32_t>& rows) {
  columns::Interner kept;
  for (uint32_t& id : rows) id = kept.add(ids[id]);
  ids = std::move(kept);
}

template <class T>
void drop(std::vector<T>& column, size_t first, const std::vector<columns::UnusableTime>& rows) {
  if (column.empty() || rows.empty()) return;
  size_t to = first + rows[0].row;
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t begin = first + rows[i].row + 1;
    const size_t end = i + 1 < rows.size() ? first + rows[i + 1].row : column.size();
    std::copy(column.begin() + static_cast<std::ptrdiff_t>(begin), column.begin() + static_cast<std::ptrdiff_t>(end),
              column.begin() + static_cast<std::ptrdiff_t>(to));
    to += end - begin;
  }
  column.resize(to);
}

// Whether the format says of a value that it is a text or a number.
bool tells_types(files::Format format) {
  return format == files::Format::parquet || format == files::Format::arrow || format == files::Format::jsonl;
}

bool all_integers(const columns::Interner& ids) {
  for (uint32_t i = 0; i < ids.size(); ++i)
    if (!columns::canonical_int64(ids[i])) return false;
  return true;
}

bool has_weights(const InteractionOptions& options) { return !options.weight.empty() || weighs(options.events); }

// Rows that are no positives, while they are read.
struct OtherRowsLoad {
  OtherRows* rows;
  size_t before;
  bool shown_too = false;  // they lie in Interactions::shown, too, where what is bad of them is said
  columns::ParsedTimes times{};
  RowPlaces places{};
};

// Appends the rows of the files. A row is checked completely before anything of it is kept, except for its time: what
// it means, and whether a correct clock can have given it, is known only when all rows are read.
class LogLoader {
 public:
  // all_shown: no row counts as clicked, whatever it says.
  LogLoader(const InteractionOptions& options, Interactions& log, std::unique_ptr<formats::Reader> reader,
            BadRows& bad_rows, bool all_shown = false)
      : options_(options), log_(log), all_shown_(all_shown), weighted_(has_weights(options)),
        where_(options.where, "data.where"), kinds_(options.events, options.event),
        positive_(options.positive, "data.positive"), roles_(options, where_, kinds_, positive_), bad_rows_(bad_rows),
        reader_(std::move(reader)), users_(log.users), items_(log.items) {
    for (const auto& values : log.context_values) contexts_.emplace_back(values);
    others_.push_back({&log.shown, log.shown.size()});
    if (!all_shown) take_kinds();
  }

  // Reads all, and says what there is to say.
  void run() {
    const size_t before = log_.size();
    const uint32_t users_before = log_.users.size(), items_before = log_.items.size();
    columns::Notices id_notices;
    const uint64_t rows = read(id_notices);
    if (roles_.time != RoleColumns::kNone) convert_times(before);
    bad_rows_.summarise();
    reader_->notices().say();
    id_notices.say();
    columns::warn_of_whitespace(reader_->files()[0], roles_.columns[roles_.user], log_.users, users_before);
    columns::warn_of_whitespace(reader_->files()[0], roles_.columns[roles_.item], log_.items, items_before);
    if (!all_shown_) note_integers(before);
    notices_.say();
    tell_of_expressions(rows);
    refuse_nothing(rows, before);
  }

  // Reads all, and says nothing but of bad rows.
  AppendedRows stream() {
    AppendedRows out;
    told_ = &out;
    const size_t before = log_.size();
    columns::Notices unsaid;
    read(unsaid);
    for (size_t row = before; row < log_.size(); ++row) out.records.push_back(places_.record(row));
    if (roles_.time != RoleColumns::kNone) convert_times(before);
    note_integers(before);
    return out;
  }

 private:
  void take_kinds() {
    const auto own = std::ranges::count_if(options_.events, has_own_history);
    log_.events.resize(static_cast<size_t>(own));
    for (size_t kind = 0, next = 0; kind < options_.events.size(); ++kind) {
      const auto& of = options_.events[kind];
      if (!has_own_history(of)) continue;
      own_history_[kind] = others_.size();
      auto& rows = log_.events[next++];
      rows.kind = of.name;
      others_.push_back({&rows, rows.size(), of.role == EventRole::negative});
    }
  }

  uint64_t read(columns::Notices& id_notices) {
    uint64_t rows = 0;
    while (reader_->next(batch_)) {
      make_room(std::max<uint64_t>(batch_.rows, batch_.first_record == 0 ? batch_.file_rows : 0));
      const bool typed = tells_types(reader_->format(batch_.file));
      const auto may_be_integers = [&](const columns::Column& ids) {
        return ids.type == columns::ColumnType::integer || (!typed && ids.type == columns::ColumnType::text);
      };
      integer_users_ &= may_be_integers(batch_.columns[roles_.user]);
      integer_items_ &= may_be_integers(batch_.columns[roles_.item]);
      for (const size_t id : {roles_.user, roles_.item})
        refuse_lists(reader_->files()[batch_.file], batch_.columns[id]);
      users_.start(batch_.columns[roles_.user]);
      items_.start(batch_.columns[roles_.item]);
      for (size_t c = 0; c < contexts_.size(); ++c) contexts_[c].start(batch_.columns[roles_.context + c]);
      if (!load_columns()) load_rows();
      for (const size_t ids : {roles_.user, roles_.item})
        columns::count_rounded_ids(batch_.columns[ids], id_notices,
                                   [&](size_t row) { return reader_->place(batch_.file, batch_.first_record + row); });
      rows += batch_.rows;
    }
    return rows;
  }

  void note_integers(size_t before) {
    log_.integer_users = integer_users_ && (before == 0 || log_.integer_users) && all_integers(log_.users);
    log_.integer_items = integer_items_ && (before == 0 || log_.integer_items) && all_integers(log_.items);
  }

  void refuse_nothing(uint64_t rows, size_t before) const {
    const bool any_shown = others_[0].rows->size() > others_[0].before;
    if (log_.size() > before || (all_shown_ && any_shown)) return;
    const auto& files = reader_->files();
    const std::string name =
        files.size() == 1 ? files[0] : fmt::format("{} and {} more file(s)", files[0], files.size() - 1);
    if (left_out_ == rows && rows > 0)
      fail(ErrorKind::input, "{}: data.where = '{}' holds for none of its {} row(s)", name, options_.where, rows);
    if (!kinds_.empty() && rows > 0 && !any_shown)
      fail(ErrorKind::input, "{}: none of its {} row(s) is of a positive kind of [[data.events]]{}", name, rows,
           of_no_kind_ > 0 ? fmt::format(", {} are of none at all", of_no_kind_) : "");
    if (any_shown && roles_.clicked == RoleColumns::kNone)
      fail(ErrorKind::input, "{}: {} holds for none of its {} row(s)", name,
           positive_.empty() ? "a positive kind of [[data.events]]"
                             : fmt::format("data.positive = '{}'", options_.positive),
           rows);
    if (any_shown)
      fail(ErrorKind::input, "{}: column '{}' says that none of its {} row(s) was clicked", name,
           roles_.columns[roles_.clicked], rows);
    if (rows > 0) fail(ErrorKind::input, "{}: none of its {} row(s) can be used", name, rows);
    fail(ErrorKind::input, "{}: has a header but no rows", name);
  }

  // Grows at least by doubling, otherwise each of many small files would copy all rows before it.
  void make_room(uint64_t rows) {
    const auto reserve = [&](auto& column) {
      if (column.capacity() >= column.size() + rows) return;
      column.reserve(std::max(column.size() + rows, 2 * column.size()));
      math::ask_for_huge_pages(column.data(), column.capacity() * sizeof(column[0]));
    };
    if (all_shown_) return;
    reserve(log_.user);
    reserve(log_.item);
    if (roles_.time != RoleColumns::kNone) times_.reserve(rows);
    if (weighted_) reserve(log_.weight);
    for (auto& column : log_.context) reserve(column);
  }

  // Loads a batch column by column if every row is known to be good; otherwise does nothing and returns false.
  bool load_columns() {
    if (all_shown_ || roles_.weight != RoleColumns::kNone || roles_.clicked != RoleColumns::kNone) return false;
    if (!where_.empty() || !kinds_.empty() || !positive_.empty()) return false;
    const auto good = [](columns::IdMapper& column) { return column.all_valid(); };
    if (!good(users_) || !good(items_) || !std::ranges::all_of(contexts_, good)) return false;
    if (roles_.time != RoleColumns::kNone && !times_.append(batch_.columns[roles_.time])) return false;
    if (batch_.rows > 0) places_.note(log_.size(), batch_.file, batch_.first_record);
    users_.number(log_.users, log_.user);
    items_.number(log_.items, log_.item);
    for (size_t c = 0; c < contexts_.size(); ++c) contexts_[c].number(log_.context_values[c], log_.context[c]);
    return true;
  }

  void load_rows() {
    users_.look_up();
    items_.look_up();
    for (auto& context : contexts_) context.look_up();
    const auto wanted = where_.holds(batch_, roles_.where, notices_);
    kind_of_ = kinds_.of_rows(batch_, roles_.events, notices_);
    is_positive_ = positive_.holds(batch_, roles_.positive, notices_);
    for (size_t row = 0; row < batch_.rows; ++row) {
      if (!wanted.empty() && !wanted[row])
        ++left_out_;
      else if (!kind_of_.empty() && kind_of_[row] == EventKinds::kNone)
        leave_kindless(row);
      else
        load_row(row);
    }
  }

  // A row that is of no kind of event.
  void leave_kindless(size_t row) {
    ++of_no_kind_;
    if (options_.event.empty() || unnamed_.size() > kMostUnnamed) return;
    const auto column = std::ranges::find(roles_.columns, options_.event) - roles_.columns.begin();
    if (static_cast<size_t>(column) == roles_.columns.size()) return;  // every kind has an expression
    const std::string value(batch_.columns[static_cast<size_t>(column)].as_text(row, text_));
    if (std::ranges::find(unnamed_, value) == unnamed_.end()) unnamed_.push_back(value);
  }

  void tell_of_expressions(uint64_t rows) const {
    const auto& file = reader_->files()[0];
    if (!where_.empty()) log_info("{}: data.where leaves {} of {} rows", file, rows - left_out_, rows);
    if (!kinds_.empty()) tell_of_kinds(rows - left_out_);
    if (!positive_.empty())
      log_info("{}: data.positive holds for {} of {} rows; the others count as shown", file, positives_,
               positives_ + not_positive_);
  }

  void tell_of_kinds(uint64_t rows) const {
    std::string said;
    for (size_t kind = 0; kind < options_.events.size(); ++kind)
      said += fmt::format("{}{} {} ({})", kind > 0 ? ", " : "", options_.events[kind].name, rows_of_kind_[kind],
                          name_of(options_.events[kind].role));
    log_info("{}: rows by [[data.events]]: {}", reader_->files()[0], said);
    if (of_no_kind_ == 0) return;
    std::string values;
    for (size_t v = 0; v < std::min(unnamed_.size(), kMostUnnamed); ++v)
      values += fmt::format("{}'{}'", v > 0 ? ", " : "", unnamed_[v]);
    if (unnamed_.size() > kMostUnnamed) values += ", ...";
    log_warning("{}: {} of {} rows are of no kind of [[data.events]] and left out{}", reader_->files()[0], of_no_kind_,
                rows, values.empty() ? "" : fmt::format(": {} = {}", options_.event, values));
  }

  void load_row(size_t row) {
    const columns::Column& users = batch_.columns[roles_.user];
    const columns::Column& items = batch_.columns[roles_.item];
    uint32_t user = users_.find(row), item = items_.find(row);
    if (user == columns::Interner::kNone && !good_text(users, row, users.as_text(row, text_), true)) return;
    if (item == columns::Interner::kNone && !good_text(items, row, items.as_text(row, text_), true)) return;

    columns::ParsedTime time;
    if (roles_.time != RoleColumns::kNone) {
      const auto parsed = columns::parse_time(batch_.columns[roles_.time], row);
      if (!parsed) return bad(batch_.columns[roles_.time], row, "a time, as in 2024-05-01T10:00:00Z or 1714557600");
      time = *parsed;
    }
    const auto* kind = kind_of_.empty() ? nullptr : &options_.events[kind_of_[row]];
    if (kind && kind->role != EventRole::positive) {
      ++rows_of_kind_[kind_of_[row]];
      if (kind->role == EventRole::negative) load_other(others_[0], row, time);
      if (has_own_history(*kind)) load_other(others_[own_history_[kind_of_[row]]], row, time);
      return;
    }
    float weight = kind ? static_cast<float>(kind->weight) : 1;
    if (roles_.weight != RoleColumns::kNone) {
      const auto parsed = batch_.columns[roles_.weight].as_number(row);
      weight *= static_cast<float>(parsed.value_or(0));
      if (!(weight > 0 && weight <= std::numeric_limits<float>::max()))
        return bad(batch_.columns[roles_.weight], row, "a finite number above 0 that 32 bits hold (1e-45 to 3.4e38)");
    }
    bool clicked = !all_shown_;
    if (roles_.clicked != RoleColumns::kNone) {
      const auto parsed = answer_of(batch_.columns[roles_.clicked], row, text_);
      if (!parsed)
        return bad(batch_.columns[roles_.clicked], row, "1 or 0, true or false; for a count give data.positive");
      clicked &= *parsed;
    }
    if (!is_positive_.empty()) {
      clicked &= is_positive_[row];
      ++(is_positive_[row] ? positives_ : not_positive_);
    }
    if (!clicked) return load_other(others_[0], row, time);
    if (!good_context(row)) return;

    if (kind) ++rows_of_kind_[kind_of_[row]];
    places_.note(log_.size(), batch_.file, batch_.first_record + row);
    if (user == columns::Interner::kNone) user = log_.users.add(users.as_text(row, text_));
    if (item == columns::Interner::kNone) item = log_.items.add(items.as_text(row, text_));
    log_.user.push_back(user);
    log_.item.push_back(item);
    if (roles_.time != RoleColumns::kNone) times_.push(time);
    if (weighted_) log_.weight.push_back(weight);
    for (size_t c = 0; c < context_.size(); ++c) log_.context[c].push_back(context_[c]);
  }

  void load_other(OtherRowsLoad& to, size_t row, const columns::ParsedTime& time) {
    to.places.note(to.rows->size(), batch_.file, batch_.first_record + row);
    to.rows->user.push_back(to.rows->users.add(batch_.columns[roles_.user].as_text(row, text_)));
    to.rows->item.push_back(to.rows->items.add(batch_.columns[roles_.item].as_text(row, text_)));
    if (roles_.time != RoleColumns::kNone) to.times.push(time);
  }

  bool good_context(size_t row) {
    context_.resize(log_.context.size());
    for (size_t c = 0; c < context_.size(); ++c) {
      const columns::Column& column = batch_.columns[roles_.context + c];
      context_[c] = contexts_[c].find(row);
      if (context_[c] != columns::Interner::kNone) continue;
      const auto text = column.as_text(row, text_);
      if (!good_text(column, row, text, false)) return false;
      context_[c] = log_.context_values[c].add(text);
    }
    return true;
  }

  bool good_text(const columns::Column& column, size_t row, std::string_view text, bool needed) {
    if (needed && text.empty()) {
      bad(column, row, column.type == columns::ColumnType::real ? "an id, not null or NaN" : "an id");
      return false;
    }
    if (!columns::is_utf8(text)) {
      bad(column, row, "UTF-8 text");
      return false;
    }
    return true;
  }

  void bad(const columns::Column& column, size_t row, std::string_view expected) {
    std::string scratch;
    const auto value = column.as_text(row, scratch);
    if (told_) told_->bad.push_back({batch_.first_record + row, what_is_bad(column.name, value, expected)});
    bad_rows_.report([&] { return reader_->place(batch_.file, batch_.first_record + row); }, column.name, value,
                     expected);
  }

  // Converts the parsed times to timestamps, in one form for the whole column, and drops rows whose time is impossible.
  void convert_times(size_t before) {
    const auto given_or = [](auto known, auto given) { return known != decltype(known){} ? known : given; };
    columns::TimeForm form{given_or(log_.times.unit, options_.times.unit),
                           given_or(log_.times.order, options_.times.order)};
    form = times_.form(form);
    for (const auto& other : others_) form = other.times.form(form);
    refuse_open_dates(times_, places_, before, form);
    for (const auto& other : others_) refuse_open_dates(other.times, other.places, other.before, form);
    log_.times = form;
    const auto* most = &times_;  // any that have a time
    for (const auto& other : others_)
      if (most->size() == 0) most = &other.times;
    if (const auto said = columns::text_of(*most, form); !said.empty()) log_.times_said = said;
    auto finer = times_.finer(form);
    for (const auto& other : others_) finer += other.times.finer(form);
    notices_.add(options_.time, "times have digits below a microsecond, which were dropped", finer);

    columns::ClockBounds bounds;
    if (!options_.trust_clock)
      bounds = columns::clock_bounds(before > 0 ? log_.time_us : most->sample(form),
                                     options_.now_us.value_or(system_now_us()));
    const auto bad_clicked = settle(times_, form, bounds, places_, before, log_.time_us);
    if (told_) drop(told_->records, 0, bad_clicked);
    drop_rows(log_, before, bad_clicked);
    for (auto& other : others_)
      drop_rows(*other.rows, other.before,
                settle(other.times, form, bounds, other.places, other.before, other.rows->time_us, !other.shown_too));
  }

  template <class Rows>
  static void drop_rows(Rows& rows, size_t first, const std::vector<columns::UnusableTime>& bad) {
    if (bad.empty()) return;
    drop(rows.user, first, bad);
    drop(rows.item, first, bad);
    drop(rows.time_us, first, bad);
    renumber(rows.users, rows.user);
    renumber(rows.items, rows.item);
    if constexpr (requires { rows.weight; }) {
      drop(rows.weight, first, bad);
      for (size_t c = 0; c < rows.context.size(); ++c) {
        drop(rows.context[c], first, bad);
        renumber(rows.context_values[c], rows.context[c]);
      }
    }
  }

  void refuse_open_dates(const columns::ParsedTimes& times, const RowPlaces& places, size_t first,
                         columns::TimeForm form) const {
    if (form.order != columns::DateOrder::automatic) return;
    const auto open = times.first_open_date();
    if (!open) return;
    fail(ErrorKind::input,
         "{}: column '{}' is '{}', and no row of the column shows whether the day or the month comes first; set "
         "data.date_order = \"day_first\" or \"month_first\"",
         places.text(*reader_, first + open->row), options_.time, open->text);
  }

  // Writes the timestamps to `into` and reports the bad rows.
  std::vector<columns::UnusableTime> settle(columns::ParsedTimes& times, columns::TimeForm form,
                                            const columns::ClockBounds& bounds, const RowPlaces& places, size_t first,
                                            std::vector<int64_t>& into, bool tell = true) {
    std::vector<columns::UnusableTime> bad;
    const size_t rows = times.size();
    auto timestamps = std::move(times).timestamps(form, bounds, bad);
    if (into.empty())
      into = std::move(timestamps);
    else
      into.insert(into.end(), timestamps.begin(), timestamps.end());
    const auto count = [&](auto&& is) { return std::ranges::count_if(bad, is); };
    const auto late = count([&](const auto& t) { return t.timestamp_us && *t.timestamp_us > bounds.latest_us; });
    const auto early = count([&](const auto& t) { return t.timestamp_us && *t.timestamp_us < bounds.earliest_us; });
    for (const auto& time : tell ? bad : std::vector<columns::UnusableTime>()) {
      std::string expected = form.unit == columns::TimeUnit::automatic || form.unit == columns::TimeUnit::date ||
                                     form.unit == columns::TimeUnit::year
                                 ? "a time like those of the other rows"
                                 : fmt::format("a time that, in {}, lies within the years that can be counted",
                                               columns::name_of(form.unit));
      constexpr std::string_view kRemedy = "data.clock = \"trust\" accepts times as they are";
      if (time.timestamp_us && *time.timestamp_us > bounds.latest_us)
        expected = fmt::format("a time in the past: it is {}, and {} of {} rows lie in the future; {}",
                               columns::format_time_us(*time.timestamp_us), late, rows, kRemedy);
      else if (time.timestamp_us)
        expected = fmt::format(
            "a time since 1971: it is {}; {} of {} rows lie before 1971, and most of the others after 1980; {}",
            columns::format_time_us(*time.timestamp_us), early, rows, kRemedy);
      if (told_)
        told_->bad.push_back({places.record(first + time.row), what_is_bad(options_.time, time.text, expected)});
      bad_rows_.report([&] { return places.text(*reader_, first + time.row); }, options_.time, time.text, expected);
    }
    return bad;
  }

  const InteractionOptions& options_;
  Interactions& log_;
  bool all_shown_, weighted_;
  predicate::RowPredicate where_;
  EventKinds kinds_;
  predicate::RowPredicate positive_;
  std::vector<uint32_t> kind_of_;  // per row of the batch; empty: there are no kinds
  std::vector<bool> is_positive_;  // per row of the batch; empty: all are
  uint64_t left_out_ = 0, of_no_kind_ = 0, positives_ = 0, not_positive_ = 0;  // rows, by the three
  std::vector<uint64_t> rows_of_kind_ = std::vector<uint64_t>(options_.events.size());
  std::vector<size_t> own_history_ = std::vector<size_t>(options_.events.size());  // per kind that has one: of others_
  static constexpr size_t kMostUnnamed = 5;
  std::vector<std::string> unnamed_;  // values of the column of events that are of no kind; one more than are said
  bool integer_users_ = true, integer_items_ = true;
  RoleColumns roles_;
  BadRows& bad_rows_;
  AppendedRows* told_ = nullptr;  // what became of the records, of a stream
  std::unique_ptr<formats::Reader> reader_;
  columns::RawBatch batch_;
  columns::Notices notices_;
  columns::ParsedTimes times_;
  RowPlaces places_;                   // of the rows of log_
  std::vector<OtherRowsLoad> others_;  // of log_.shown, and of each of log_.events
  columns::IdMapper users_, items_;
  std::vector<columns::IdMapper> contexts_;
  std::string text_;               // scratch for the text of a cell
  std::vector<uint32_t> context_;  // of the row being read
};

}  // namespace

formats::ReaderOptions reading_of(const InteractionOptions& options) {
  const RoleColumns roles(options, {options.where, "data.where"}, {options.events, options.event},
                          {options.positive, "data.positive"});
  formats::ReaderOptions reading{options.paths, options.format, roles.columns};
  reading.required = roles.required;
  reading.coded = reading.ahead = true;
  reading.form = options.form;
  return reading;
}

namespace {

void load_files(const InteractionOptions& options, Interactions& log, bool all_shown = false) {
  BadRows bad_rows(options.bad_rows);
  LogLoader(options, log, formats::open_reader(reading_of(options)), bad_rows, all_shown).run();
}

}  // namespace

AppendedRows append_rows(const InteractionOptions& options, std::unique_ptr<formats::Reader> reader, BadRows& bad_rows,
                         Interactions& log) {
  return LogLoader(options, log, std::move(reader), bad_rows).stream();
}

Interactions log_with_context(const std::vector<std::string>& context_names) {
  Interactions log;
  log.context_names = context_names;
  log.context_values.resize(context_names.size());
  log.context.resize(context_names.size());
  return log;
}

Interactions load_interactions(const InteractionOptions& options) {
  auto log = log_with_context(options.context);
  load_files(options, log);
  warn_of_odd_ids(log, options);
  return log;
}

size_t append_interactions(const InteractionOptions& options, Interactions& log) {
  check(options.context == log.context_names, "files of one log are read for the same context columns");
  check(log.size() == 0 || (log.has_time() == !options.time.empty() && log.weight.empty() == !has_weights(options)),
        "files of one log are read for the same time and weight columns");
  const size_t first = log.size();
  load_files(options, log);
  return first;
}

void append_impressions(const InteractionOptions& options, Interactions& log) {
  check(log.shown.size() == 0 || log.shown.time_us.empty() == options.time.empty(),
        "impressions of one log are read for the same time column");
  auto reading = options;
  reading.weight.clear();
  reading.clicked.clear();
  reading.where.clear();
  reading.event.clear();
  reading.events.clear();
  reading.positive.clear();
  reading.context.clear();
  load_files(reading, log, true);
}

}  // namespace pagoda::data
