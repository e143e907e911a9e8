#include "python/towers.h"

#include <nanobind/stl/string.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "core/config.h"
#include "core/error.h"
#include "math/bf16.h"
#include "model/request_examples.h"
#include "model/unknown_user.h"
#include "python/arrays.h"
#include "retrieval/encoding.h"

namespace pagoda::python {

namespace nb = nanobind;

namespace {

using features::FeatureKind;

const model::Member& only_member(const model::Bundle& bundle) {
  if (!bundle.info().towers) fail(ErrorKind::usage, "these are vectors without towers; train() makes towers");
  if (bundle.ensemble())
    fail(ErrorKind::usage,
         "this is an ensemble, which has no towers of its own; take the bundles that it was made of, one by one");
  return bundle.members()[0];
}

model::TowerOptions options_of(const model::Bundle& bundle) {
  model::TowerOptions options;
  Config::from_text(bundle.file().text("tower_options"), bundle.file().path()).read([&](OptionVisitor& f) {
    describe(f, options);
  });
  return options;
}

bool is_dense(const features::FeatureOptions& feature) {
  return feature.kind == FeatureKind::vector ||
         (feature.kind == FeatureKind::numeric && feature.form != features::NumericForm::bucket);
}

// The names of the plain numbers, in their order; those of a vector are "column[0]", "column[1]", ...
nlohmann::json dense_names(const std::vector<features::FeatureOptions>& features,
                           const std::vector<const features::Feature*>& vectors) {
  auto names = nlohmann::json::array();
  for (const auto& feature : features) {
    if (!is_dense(feature)) continue;
    const auto vector = std::ranges::find(vectors, feature.column, &features::Feature::name);
    if (feature.kind != FeatureKind::vector) names.push_back(feature.column);
    for (size_t i = 0; feature.kind == FeatureKind::vector && i < (*vector)->dim(); ++i)
      names.push_back(fmt::format("{}[{}]", feature.column, i));
  }
  return names;
}

// Of the bags of a layout, in its order: ids and the history come first, then the features in the order of the config.
std::vector<std::string> poolings_of(const features::TowerLayout& layout,
                                     const std::vector<features::FeatureOptions>& features, bool attention) {
  std::vector<std::string> poolings;
  for (const auto& bag : layout.bags)
    if (bag.of_ids)
      poolings.push_back(bag.reads == features::BagReads::values                 ? "one"
                         : attention && bag.reads == features::BagReads::history ? "attention"
                                                                                 : "recency");
  for (const auto& feature : features)
    if (!is_dense(feature))
      poolings.push_back(feature.kind == FeatureKind::multi  ? "mean"
                         : feature.kind == FeatureKind::text ? "root"
                                                             : "one");
  check(poolings.size() == layout.bags.size(), "a bag for each id, history and feature");
  return poolings;
}

// Some rows of each bag, one list an example; the longest list is the width.
Array<int64_t> rows_of(const std::vector<std::span<const uint32_t>>& lists) {
  size_t width = 1;
  for (const auto& list : lists) width = std::max(width, list.size());
  std::vector<int64_t> rows(lists.size() * width, -1);
  for (size_t i = 0; i < lists.size(); ++i)
    std::ranges::copy(lists[i], rows.begin() + static_cast<std::ptrdiff_t>(i * width));
  return array_of(std::move(rows), {lists.size(), width});
}

// Where an example lies: in which batch, and in which row of it.
struct Place {
  const features::EncodedBatch* batch = nullptr;
  size_t row = 0;
};

nb::dict arrays_of(const features::TowerLayout& layout, const std::vector<Place>& places, const char* numbers_name) {
  nb::dict arrays;
  for (size_t b = 0; b < layout.bags.size(); ++b) {
    std::vector<std::span<const uint32_t>> lists;
    for (const auto& place : places) lists.push_back(place.batch->bags[b].rows[place.row]);
    arrays[nb::str(layout.bags[b].name.c_str())] = nb::cast(rows_of(lists));
  }
  if (layout.dense > 0) {
    math::Matrix<float> numbers(places.size(), layout.dense);
    for (size_t i = 0; i < places.size(); ++i)
      std::copy_n(places[i].batch->dense[places[i].row], layout.dense, numbers[i]);
    arrays[numbers_name] = nb::cast(array_of(std::move(numbers)));
  }
  return arrays;
}

using Keeper = std::shared_ptr<const model::Bundle>;

nb::object kept(const Keeper& bundle, const math::Matrix<float>& matrix) {
  nb::capsule keeper(new Keeper(bundle), [](void* p) noexcept { delete static_cast<Keeper*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, const float>(matrix.data(), {matrix.rows(), matrix.cols()}, keeper));
}

nb::object widened(const math::Matrix<uint16_t>& matrix) {
  math::Matrix<float> floats(matrix.rows(), matrix.cols());
  std::transform(matrix.begin(), matrix.end(), floats.begin(), math::from_bf16);
  return nb::cast(array_of(std::move(floats)));
}

}  // namespace

nb::tuple tower(const Loaded& loaded, const std::string& which) {
  const auto bundle = loaded.retrieval().shared_bundle();
  const auto& member = only_member(*bundle);
  const auto options = options_of(*bundle);
  const auto& towers = member.model.towers;
  const bool user = which == "user";
  const auto& one = user ? towers.user() : towers.item();
  const auto& features = user ? options.user.features : options.item.features;
  if (user && towers.user().transformer())
    fail(ErrorKind::usage,
         "towers with user.history.encoder = \"transformer\" are not exported; \"attention\" and \"mean\" are");
  const auto poolings = poolings_of(one.layout(), features, one.attention() != nullptr);

  nb::dict weights;
  auto bags = nlohmann::json::array();
  // The order of the columns that Tower's constructor gives: those that are added come first.
  const auto is_added = [&](const features::BagLayout& bag) {
    return options.model.combine == model::Combine::sum && bag.of_ids && bag.dim == towers.dim();
  };
  size_t read = one.layout().dense;
  for (const bool added : {true, false})
    for (size_t b = 0; b < poolings.size(); ++b) {
      const auto& bag = one.layout().bags[b];
      if (is_added(bag) != added) continue;
      const auto& table = towers.tables()[one.table_of(b)];
      read += added ? 0 : bag.dim;
      bags.push_back({{"name", bag.name},
                      {"table", table.name()},
                      {"rows", table.rows()},
                      {"dim", bag.dim},
                      {"pooling", poolings[b]},
                      {"added", added}});
      weights[nb::str(("table:" + table.name()).c_str())] =
          table.stored() == math::Precision::bf16 ? widened(table.bf16()) : kept(bundle, table.values());
    }
  check(read == one.mlp().in(), "the columns of a tower's input");
  for (size_t l = 0; l < one.mlp().layers(); ++l) {
    const auto name = "layer" + std::to_string(l + 1);
    weights[nb::str((name + ".weights").c_str())] = kept(bundle, one.mlp().weights(l));
    weights[nb::str((name + ".biases").c_str())] = kept(bundle, one.mlp().biases(l));
  }
  if (const auto* attention = one.attention())
    nn::HistoryAttention<float>::for_each_parameter(
        *attention, [&](const char* name, const math::Matrix<float>& matrix, auto) {
          weights[nb::str((std::string("history.") + name).c_str())] = kept(bundle, matrix);
        });
  if (auto unknown = member.model.unknown_user; user && !unknown.empty()) {
    const size_t n = unknown.size();
    weights["unknown_user"] = nb::cast(array_of(std::move(unknown), {n}));
  }
  const auto dense = dense_names(
      features, user ? member.model.user_encoder.vector_features() : member.model.item_encoder.vector_features());
  const nlohmann::json description{{"dim", towers.dim()},
                                   {"normalise", options.model.normalise},
                                   {"layers", one.mlp().layers()},
                                   {"bags", bags},
                                   {"dense", dense},
                                   {"history", options.user.history.last},
                                   {"heads", options.user.history.heads},
                                   {"recency", options.user.history.recency}};
  return nb::make_tuple(description.dump(), weights);
}

nb::dict encoded_users(const Loaded& loaded, const std::vector<std::string>& users, bool as_json) {
  const auto& bundle = loaded.retrieval().bundle();
  const auto& member = only_member(bundle);
  const auto requests = loaded.requests_of(users, as_json);
  std::vector<std::unique_ptr<features::EncodedBatch>> batches;
  std::vector<Place> places(requests.size());
  std::vector<uint8_t> nothing(requests.size());
  {
    const nb::gil_scoped_release release;
    retrieval::for_each_encoding(bundle, member, requests, {}, [&](const retrieval::Encoding& part) {
      const model::RequestExamples asked(member.model, member.user_states, member.item_id_rows, part.requests);
      auto& batch = *batches.emplace_back(std::make_unique<features::EncodedBatch>());
      member.model.user_encoder.encode(part.cells, asked.examples(), batch);
      for (size_t i = 0; i < part.places.size(); ++i) {
        places[part.places[i]] = {&batch, i};
        nothing[part.places[i]] = model::nothing_known(asked.examples()[i]);
      }
    });
  }
  auto arrays = arrays_of(member.model.towers.user().layout(), places, "user.numbers");
  if (member.model.unknown_user.empty()) return arrays;
  const size_t n = nothing.size();
  arrays["nothing_known"] = nb::cast(array_of(std::move(nothing), {n, 1})).attr("astype")("bool");
  return arrays;
}

nb::dict encoded_items(const Loaded& loaded, const std::string& json) {
  const auto& member = only_member(loaded.retrieval().bundle());
  features::EncodedBatch batch;
  {
    const nb::gil_scoped_release release;
    const auto table = loaded.item_table(json);
    const auto cells = member.model.item_encoder.cells(table.ids, &table);
    std::vector<uint32_t> rows(cells.size());
    std::iota(rows.begin(), rows.end(), 0);
    member.model.item_encoder.encode(cells, rows, {&member.info.moment_us, 1}, batch);
  }
  std::vector<Place> places;
  for (size_t i = 0; i < batch.size; ++i) places.push_back({&batch, i});
  return arrays_of(member.model.towers.item().layout(), places, "item.numbers");
}

}  // namespace pagoda::python
