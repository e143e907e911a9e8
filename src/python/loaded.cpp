#include "python/loaded.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/log.h"
#include "core/printable.h"
#include "core/progress.h"
#include "data/id_overlap.h"
#include "library/arguments.h"
#include "python/arrays.h"
#include "python/towers.h"
#include "python/watched.h"
#include "retrieval/json_request.h"
#include "retrieval/model_card.h"
#include "retrieval/snapshot.h"

namespace pagoda::python {

namespace nb = nanobind;

namespace {

constexpr size_t kBlock = 4096;  // requests at a time, which bounds what the search holds

std::shared_ptr<const retrieval::Retrieval> open_bundle(const std::string& path, bool journal) {
  auto bundle = model::Bundle::open(path);
  if (!journal) return std::make_shared<const retrieval::Retrieval>(std::move(bundle));
  return std::make_shared<const retrieval::Retrieval>(
      retrieval::with_changes(std::move(bundle), retrieval::read_item_journal(retrieval::item_journal_path(path)),
                              {.merge_at = std::numeric_limits<size_t>::max()}));
}

// The number that an id is the usual text of.
std::optional<int64_t> number_of(std::string_view id) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size() || std::to_string(number) != id) return std::nullopt;
  return number;
}

nb::object text_of(std::string_view text) {
  return nb::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

// Numbers where all ids are some; else texts.
nb::object ids_as(const std::vector<std::string_view>& ids, bool integers) {
  std::vector<int64_t> numbers;
  for (size_t i = 0; integers && i < ids.size(); ++i)
    if (const auto number = number_of(ids[i]))
      numbers.push_back(*number);
    else
      integers = false;
  if (integers) {
    const size_t n = numbers.size();
    return nb::cast(array_of(std::move(numbers), {n}));
  }
  nb::list texts;
  for (const auto id : ids) texts.append(text_of(id));
  return texts;
}

// None for a null, and for the empty text, which stands for one.
nb::object value_of(const columns::Column& column, size_t row) {
  using columns::ColumnType;
  if (column.is_null(row)) return nb::none();
  switch (column.type) {
    case ColumnType::text:
    case ColumnType::decimal: {
      const auto text = column.text_of(row);
      return text.empty() ? nb::object(nb::none()) : text_of(text);
    }
    case ColumnType::boolean: return nb::cast(column.integers[row] != 0);
    case ColumnType::integer:
    case ColumnType::time: return nb::cast(column.integers[row]);
    case ColumnType::real: return nb::cast(column.reals[row]);
    case ColumnType::texts: break;
  }
  nb::list elements;
  column.for_each_element(row, '\0', [&](std::string_view element) { elements.append(text_of(element)); });
  return elements;
}

std::vector<retrieval::ItemChange> changes_of(const std::string& json, const retrieval::BroughtItems& items) {
  std::vector<retrieval::ItemChange> changes;
  std::set<std::string> met;
  for (const auto& given : nlohmann::json::parse(json)) {
    retrieval::ItemChange change{.item = retrieval::read_id(given.at("item"), "item"), .attributes = {}};
    if (change.item.empty()) fail(ErrorKind::input, "an item has an empty id");
    if (!met.insert(change.item).second)
      fail(ErrorKind::input, "item '{}' is named twice: give each once", printable(change.item));
    change.deleted = given.value("deleted", false);
    if (given.contains("attributes"))
      change.attributes = retrieval::read_features(given.at("attributes"), "attributes");
    for (const auto& attribute : change.attributes) items.check(attribute);
    changes.push_back(std::move(change));
  }
  return changes;
}

// The last call of the work; the GIL is not held.
template <class F>
auto released(F f) {
  const nb::gil_scoped_release release;
  return f();
}

}  // namespace

Loaded::Loaded(const std::string& path, int threads, bool journal, std::optional<bool> integers)
    : retrieval_(released([&] { return open_bundle(path, journal); })),
      pool_(std::make_shared<library::CallPool>(library::checked_threads(threads))),
      integers_(integers.value_or(retrieval_->bundle().info().integer_items)) {
  released([&] { read_numbers(); });
}

Loaded::Loaded(std::shared_ptr<const retrieval::Retrieval> retrieval, std::shared_ptr<library::CallPool> pool,
               bool integers)
    : retrieval_(std::move(retrieval)), pool_(std::move(pool)), integers_(integers) {
  read_numbers();
}

void Loaded::read_numbers() {
  if (!integers_) return;
  numbers_.reserve(retrieval_->items());
  for (uint32_t row = 0; row < retrieval_->items(); ++row) {
    const auto number = number_of(retrieval_->item_id(row));
    if (!number) {
      log_warning("item ids come as texts, because '{}' is no whole number", printable(retrieval_->item_id(row)));
      numbers_.clear();
      integers_ = false;
      return;
    }
    numbers_.push_back(*number);
  }
}

std::vector<retrieval::RetrieveRequest> Loaded::requests_of(const std::vector<std::string>& users, bool as_json) const {
  std::vector<retrieval::RetrieveRequest> requests;
  requests.reserve(users.size());
  const auto times = retrieval_->bundle().info().times.value_or(columns::TimeForm{});
  for (size_t i = 0; i < users.size(); ++i) {
    if (as_json) {
      const auto place = fmt::format("users[{}]", i);
      requests.push_back(retrieval::parse_request(users[i], place, times));
      retrieval_->check_names(requests.back(), place);
    } else {
      requests.emplace_back().user = users[i];
    }
  }
  return requests;
}

// ask(begin, end) answers that part of n queries.
template <class Ask>
Lists Loaded::lists(size_t n, size_t k, const Ask& ask, const nb::object& on_event) const {
  std::vector<int64_t> numbers;
  std::vector<int32_t> rows, counts(n);
  std::vector<float> scores;
  std::vector<uint8_t> known(n, 1);
  const auto work = [&](const std::atomic<bool>& interrupt) {
    if (integers_)
      numbers.assign(n * k, -1);
    else
      rows.assign(n * k, -1);
    scores.assign(n * k, -std::numeric_limits<float>::infinity());
    Progress bar("recommend", n, "users");
    for (size_t begin = 0; begin < n; begin += kBlock) {
      if (interrupt) fail(ErrorKind::interrupted, "interrupted");
      const size_t end = std::min(n, begin + kBlock);
      const retrieval::RetrieveAnswer answer = ask(begin, end);
      for (size_t q = begin; q < end; ++q) {
        const auto items = answer.found.items[q - begin];
        counts[q] = static_cast<int32_t>(items.size());
        if (!answer.user_known.empty()) known[q] = answer.user_known[q - begin];
        const auto* from = answer.found.scores.data() + answer.found.items.offsets[q - begin];
        std::copy_n(from, items.size(), scores.data() + q * k);
        for (size_t i = 0; i < items.size(); ++i)
          if (integers_)
            numbers[q * k + i] = numbers_[items[i]];
          else
            rows[q * k + i] = static_cast<int32_t>(items[i]);
      }
      bar.update(end);
    }
    bar.finish();
  };
  if (n > kBlock)
    run_watched(work, on_event);
  else
    released([&] { work(false); });
  Lists result;
  result.ids = integers_ ? nb::cast(array_of(std::move(numbers), {n, k})) : nb::cast(array_of(std::move(rows), {n, k}));
  result.scores = nb::cast(array_of(std::move(scores), {n, k}));
  result.counts = nb::cast(array_of(std::move(counts), {n}));
  result.known = nb::cast(array_of(std::move(known), {n}));
  return result;
}

Lists Loaded::recommend(const std::vector<std::string>& users, bool as_json, const retrieval::RetrieveOptions& options,
                        const nb::object& on_event) const {
  if (!retrieval_->bundle().info().towers)
    fail(ErrorKind::usage, "these are vectors without towers, which know no users: ask by search() or similar()");
  auto how = options;
  how.k = library::checked_k(options.k, items());
  const auto requests = released([&] { return requests_of(users, as_json); });
  return lists(
      requests.size(), how.k,
      [&](size_t begin, size_t end) {
        const auto at = [&](size_t i) { return requests.begin() + static_cast<std::ptrdiff_t>(i); };
        return pool_->run([&](ThreadPool& pool) { return retrieval_->retrieve(pool, {at(begin), at(end)}, how); });
      },
      on_event);
}

Lists Loaded::search(const QueryArray& queries, const retrieval::RetrieveOptions& options,
                     const nb::object& on_event) const {
  auto how = options;
  how.k = library::checked_k(options.k, items());
  const auto vectors = library::checked_queries({queries.data(), queries.shape(0), queries.shape(1)},
                                                retrieval_->bundle().item_vectors().cols(), "queries");
  return lists(
      vectors.rows(), how.k,
      [&](size_t begin, size_t end) {
        return pool_->run(
            [&](ThreadPool& pool) { return retrieval_->retrieve(pool, vectors.slice_rows(begin, end), how); });
      },
      on_event);
}

Lists Loaded::similar(const std::vector<std::string>& items, size_t k) const {
  const auto most = library::checked_k(k, this->items());
  std::vector<uint32_t> rows;
  for (const auto& item : items) {
    rows.push_back(retrieval_->find_item(item));
    if (rows.back() != columns::Interner::kNone) continue;
    columns::Interner unknown;
    unknown.add(item);
    fail(ErrorKind::input, "item '{}' is not in the catalogue{}", printable(item),
         data::spelling_hint(data::count_overlap({&unknown}, {&retrieval_->bundle().item_ids()})));
  }
  return lists(
      rows.size(), most,
      [&](size_t begin, size_t end) {
        retrieval::RetrieveAnswer answer;
        answer.found = pool_->run([&](ThreadPool& pool) {
          return retrieval_->similar(pool, std::span(rows).subspan(begin, end - begin), most);
        });
        return answer;
      },
      nb::none());
}

nb::object Loaded::user_vectors(const std::vector<std::string>& users, bool as_json) const {
  auto vectors = released([&] {
    const auto requests = requests_of(users, as_json);
    return pool_->run([&](ThreadPool& pool) { return retrieval_->user_vectors(pool, requests); });
  });
  return nb::cast(array_of(std::move(vectors)));
}

nb::object Loaded::item_vectors() const {
  const auto rows = retrieval_->bundle().item_vectors();
  using Keeper = std::shared_ptr<const model::Bundle>;
  nb::capsule keeper(new Keeper(retrieval_->shared_bundle()), [](void* p) noexcept { delete static_cast<Keeper*>(p); });
  if (rows.precision() == math::RowPrecision::f32)
    return nb::cast(nb::ndarray<nb::numpy, const float>(rows.f32().data(), {rows.rows(), rows.cols()}, keeper));
  return nb::cast(
      nb::ndarray<nb::numpy, nb::ro>(rows.f16().data(), {rows.rows(), rows.cols()}, keeper, {},
                                     nb::dlpack::dtype{static_cast<uint8_t>(nb::dlpack::dtype_code::Float), 16, 1}));
}

nb::object Loaded::vectors_of(const std::vector<std::string>& items) const {
  math::Matrix<float> vectors(items.size(), retrieval_->bundle().item_vectors().cols());
  for (size_t i = 0; i < items.size(); ++i) {
    const auto row = retrieval_->find_item(items[i]);
    if (row == columns::Interner::kNone)
      fail(ErrorKind::input, "item '{}' is not in the catalogue", printable(items[i]));
    retrieval_->item_vector(row, vectors[i]);
  }
  return nb::cast(array_of(std::move(vectors)));
}

nb::object Loaded::boosts_of(const std::vector<std::string>& users, bool as_json, const std::string& item) const {
  math::Matrix<float> amounts(users.size(), 1);
  const uint32_t row = retrieval_->find_item(item);
  const auto boosts = released([&] {
    const auto requests = requests_of(users, as_json);
    return pool_->run([&](ThreadPool& pool) { return retrieval_->boosts(pool, requests); });
  });
  for (size_t user = 0; boosts && user < users.size(); ++user) {
    const auto& [rows, all] = *boosts;
    const auto at = std::ranges::lower_bound(rows[user], row);
    if (at != rows[user].end() && *at == row)
      amounts[user][0] = all[rows.offsets[user] + static_cast<size_t>(at - rows[user].begin())];
  }
  return nb::cast(array_of(std::move(amounts)));
}

nb::dict Loaded::attributes_of(const std::vector<std::string>& items) const {
  const auto& columns = retrieval_->bundle().item_attributes().columns;
  nb::dict found;
  for (size_t c = 0; c < columns.size(); ++c) {
    nb::list values;
    for (const auto& item : items) {
      const auto row = retrieval_->find_item(item);
      const auto [column, at] = row == columns::Interner::kNone
                                    ? std::pair<const columns::Column*, uint32_t>(nullptr, columns::Interner::kNone)
                                    : retrieval_->attribute(c, row);
      values.append(at == columns::Interner::kNone ? nb::object(nb::none()) : value_of(*column, at));
    }
    const std::string type(columns::name_of(columns[c].type));
    found[nb::str(columns[c].name.c_str())] = nb::make_tuple(type, values);
  }
  return found;
}

data::Attributes Loaded::item_table(const std::string& json) const {
  retrieval::BroughtItems items(retrieval_->bundle());
  for (const auto& item : changes_of(json, items)) items.add(item);
  return items.take();
}

nb::object Loaded::encode_items(const std::string& json) const {
  auto vectors = released([&] {
    const auto table = item_table(json);
    return pool_->run([&](ThreadPool& pool) { return retrieval_->item_vectors(pool, table.ids, &table); });
  });
  return nb::cast(array_of(std::move(vectors)));
}

std::shared_ptr<Loaded> Loaded::with_changes(const std::string& json, const std::optional<QueryArray>& vectors) const {
  const auto& before = *retrieval_;
  const auto changes = changes_of(json, retrieval::BroughtItems(before.bundle()));
  const auto given = static_cast<size_t>(std::ranges::count(changes, false, &retrieval::ItemChange::deleted));
  if (vectors && vectors->shape(0) != given)
    fail(ErrorKind::usage, "{} vectors for {} items: give one an item", vectors->shape(0), given);
  if (vectors)
    library::checked_queries({vectors->data(), vectors->shape(0), vectors->shape(1)},
                             before.bundle().item_vectors().cols(), "vectors");
  else if (given > 0 && !before.bundle().info().towers)
    fail(ErrorKind::usage, "give the vectors of the items: there is no tower to encode them");
  return released([&] {
    const auto encode = [&](const columns::Interner& ids, const data::Attributes& attributes) {
      if (vectors) {  // in the order of the items that are not deleted, which is that of `ids`
        math::Matrix<float> rows(ids.size(), vectors->shape(1));
        std::copy_n(vectors->data(), vectors->size(), rows.data());
        return rows;
      }
      return pool_->run([&](ThreadPool& pool) { return before.item_vectors(pool, ids, &attributes); });
    };
    const auto layer = std::make_shared<const retrieval::DeltaLayer>(before.shared_bundle(), before.merged(),
                                                                     before.fresh().get(), changes, encode);
    return std::make_shared<Loaded>(std::make_shared<const retrieval::Retrieval>(before, before.merged(), layer), pool_,
                                    integers_);
  });
}

std::string Loaded::card() const {
  const auto card = retrieval::model_card(*retrieval_, true);
  nlohmann::ordered_json json{{"fingerprint", card.fingerprint},
                              {"info", nlohmann::ordered_json::parse(card.info)},
                              {"index", card.index},
                              {"context", card.context},
                              {"features", card.features},
                              {"events", card.events},
                              {"added_items", card.added_items},
                              {"hidden_items", card.hidden_items},
                              {"metrics", card.metrics},
                              {"config", card.config},
                              {"run_log", retrieval_->bundle().run_log()}};
  json["attributes"] = nlohmann::ordered_json::object();
  for (const auto& [name, type] : card.attributes) json["attributes"][name] = type;
  return json.dump();
}

nb::object Loaded::item_ids() const {
  if (integers_) {
    auto copy = numbers_;
    const size_t n = copy.size();
    return nb::cast(array_of(std::move(copy), {n}));
  }
  std::vector<std::string_view> ids;
  for (uint32_t row = 0; row < retrieval_->items(); ++row) ids.push_back(retrieval_->item_id(row));
  return ids_as(ids, false);
}

nb::object Loaded::catalogue() const {
  std::vector<std::string_view> ids;
  for (uint32_t row = 0; row < retrieval_->items(); ++row)
    if (const auto id = retrieval_->item_id(row); retrieval_->find_item(id) == row) ids.push_back(id);
  return ids_as(ids, integers_);
}

nb::object Loaded::user_ids() const {
  std::vector<std::string_view> ids;
  const auto& users = retrieval_->bundle().user_ids();
  for (uint32_t user = 0; user < users.size(); ++user) ids.push_back(users[user]);
  return ids_as(ids, retrieval_->bundle().info().integer_users);
}

nb::object Loaded::history(const std::string& user) const {
  const auto& bundle = retrieval_->bundle();
  std::vector<std::string_view> ids;
  if (bundle.info().towers)
    if (const auto row = bundle.user_ids().find(user); row != columns::Interner::kNone)
      for (const auto item : bundle.user_states().histories[row]) ids.push_back(bundle.item_ids()[item]);
  return ids_as(ids, integers_);
}

bool Loaded::knows_user(const std::string& user) const {
  if (!retrieval_->bundle().info().towers) return false;
  retrieval::RetrieveRequest request;
  request.user = user;
  return retrieval_->knows_user(request);
}

size_t Loaded::items() const {
  return retrieval_->bundle().item_ids().size() - retrieval_->hidden_items() + retrieval_->added_items();
}

void Loaded::copy_to(const std::string& path) const {
  released([&] { model::copy_bundle(retrieval_->bundle(), path); });
}

void bind_loaded(nb::module_& module) {
  nb::class_<Lists>(module, "Lists")
      .def_ro("ids", &Lists::ids)
      .def_ro("scores", &Lists::scores)
      .def_ro("counts", &Lists::counts)
      .def_ro("known", &Lists::known);
  const auto options_of = [](size_t k, const std::string& filter, bool exclude_seen,
                             const std::vector<std::string>& exclude, std::optional<float> min_score,
                             const std::optional<std::pair<std::string, uint32_t>>& quota, double recall) {
    retrieval::RetrieveOptions options{.k = k, .filter = filter, .exclude_seen = exclude_seen, .exclude = exclude};
    if (min_score) options.min_score = library::checked_min_score(*min_score);
    if (quota) options.quota = {quota->first, quota->second};
    options.recall = library::checked_recall(recall);
    return options;
  };
  nb::class_<retrieval::RetrieveOptions>(module, "RetrieveOptions")
      .def(nb::new_([options_of](size_t k, const std::string& filter, bool exclude_seen,
                                 const std::vector<std::string>& exclude, std::optional<float> min_score,
                                 const std::optional<std::pair<std::string, uint32_t>>& quota, double recall) {
             return new retrieval::RetrieveOptions(
                 options_of(k, filter, exclude_seen, exclude, min_score, quota, recall));
           }),
           nb::arg("k"), nb::arg("filter") = "", nb::arg("exclude_seen") = true,
           nb::arg("exclude") = std::vector<std::string>{}, nb::arg("min_score") = nb::none(),
           nb::arg("quota") = nb::none(), nb::arg("recall") = 0.0);
  nb::class_<Loaded>(module, "Loaded")
      .def(nb::init<const std::string&, int, bool, std::optional<bool>>(), nb::arg("path"), nb::arg("threads") = 0,
           nb::arg("journal") = false, nb::arg("integers") = nb::none())
      .def("recommend", &Loaded::recommend)
      .def("search", &Loaded::search)
      .def("similar", &Loaded::similar)
      .def("user_vectors", &Loaded::user_vectors)
      .def("item_vectors", &Loaded::item_vectors)
      .def("vectors_of", &Loaded::vectors_of)
      .def("boosts_of", &Loaded::boosts_of)
      .def("attributes_of", &Loaded::attributes_of)
      .def("encode_items", &Loaded::encode_items)
      .def("tower", &tower)
      .def("encoded_users", &encoded_users)
      .def("encoded_items", &encoded_items)
      .def("with_changes", &Loaded::with_changes, nb::arg("json"), nb::arg("vectors") = nb::none())
      .def("card", &Loaded::card)
      .def("item_ids", &Loaded::item_ids)
      .def("catalogue", &Loaded::catalogue)
      .def("user_ids", &Loaded::user_ids)
      .def("history", &Loaded::history)
      .def("has_item", &Loaded::has_item)
      .def("knows_user", &Loaded::knows_user)
      .def("items", &Loaded::items)
      .def("copy_to", &Loaded::copy_to);
}

}  // namespace pagoda::python
