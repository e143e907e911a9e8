#include "model/ensemble.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "math/kernels.h"
#include "nn/normalise.h"

namespace pagoda::model {

namespace {

// One member of the ensemble to write, and the sections it is copied from.
struct Source {
  const Bundle* bundle;
  const Member* member;
  std::string prefix;             // of its sections in the bundle
  double weight;                  // in the ensemble
  std::vector<uint32_t> row;      // ensemble item to bundle item; empty: the same rows
  std::vector<uint32_t> inverse;  // bundle item to ensemble item; empty: the same rows
};

// The row of each item in `bundle`; empty if all rows are the same.
std::vector<uint32_t> rows_in(const Bundle& bundle, const Bundle& first) {
  const auto fail_lacking = [](const Bundle& with, const Bundle& without, std::string_view item) {
    fail(
        ErrorKind::input,
        "{}: lacks the item '{}' of {}; bundles of an ensemble have one catalogue: train them with the same item table",
        without.file().path(), item, with.file().path());
  };
  std::vector<uint32_t> rows(first.item_ids().size());
  bool same = true;
  for (uint32_t item = 0; item < rows.size(); ++item) {
    rows[item] = bundle.item_ids().find(first.item_ids()[item]);
    if (rows[item] == columns::Interner::kNone) fail_lacking(first, bundle, first.item_ids()[item]);
    same &= rows[item] == item;
  }
  if (bundle.item_ids().size() > rows.size())
    for (uint32_t item = 0; item < bundle.item_ids().size(); ++item)
      if (first.item_ids().find(bundle.item_ids()[item]) == columns::Interner::kNone)
        fail_lacking(bundle, first, bundle.item_ids()[item]);
  return same ? std::vector<uint32_t>() : rows;
}

std::vector<Source> sources_of(const std::vector<EnsemblePart>& parts) {
  if (parts.empty()) fail(ErrorKind::usage, "an ensemble needs at least one bundle");
  std::vector<Source> sources;
  double sum = 0;
  for (const auto& part : parts) {
    const auto& bundle = *part.bundle;
    if (!(part.weight >= 0 && std::isfinite(part.weight)))
      fail(ErrorKind::usage, "{}: its weight is {}; a weight is a number from 0 up", bundle.file().path(), part.weight);
    const auto& members = bundle.members();
    const auto row = rows_in(bundle, *parts[0].bundle);
    std::vector<uint32_t> inverse(row.size());
    for (uint32_t item = 0; item < row.size(); ++item) inverse[row[item]] = item;
    for (size_t m = 0; m < members.size(); ++m) {
      sources.push_back({&bundle, &members[m], member_prefix(m), part.weight * members[m].weight, row, inverse});
      sum += sources.back().weight;
    }
  }
  // An item that is added later brings one vector of a name for all of them.
  std::map<std::string, size_t> widths;
  for (const auto& source : sources)
    for (const bool of_items : {true, false}) {
      const auto& model = source.member->model;
      for (const auto* feature : of_items ? model.item_encoder.vector_features() : model.user_encoder.vector_features())
        if (const auto known = widths.emplace((of_items ? "item " : "user ") + feature->name(), feature->dim()).first;
            known->second != feature->dim())
          fail(ErrorKind::usage, "{}: reads vectors '{}' of {} numbers, and another model those of {}: name them apart",
               source.bundle->file().path(), feature->name(), feature->dim(), known->second);
    }
  if (!(sum > 0 && std::isfinite(sum)))
    fail(ErrorKind::usage, "the weights add up to {}; at least one must be above 0", sum);
  return sources;
}

// Copies the sections of one member, without its vectors, under its new prefix.
void copy_sections(SectionWriter& out, const Source& source, const std::string& prefix) {
  const auto& file = source.bundle->file();
  const auto copy = [&](const std::string& name) { out.section(prefix + name, file.bytes(source.prefix + name)); };
  for (const char* name : {"config", "tower_options", "user_encoder", "item_encoder", "user_ids", "user_cells"})
    copy(name);
  for (const char* name : {"spelling", "unknown_user"})
    if (file.has(source.prefix + name)) copy(name);
  const auto weights = source.prefix + "weights/";
  for (const auto& section : file.sections())
    if (section.name.starts_with(weights)) copy(section.name.substr(source.prefix.size()));
  if (source.inverse.empty()) return copy("user_states");
  auto states = source.member->user_states;
  for (auto& item : states.histories.values) item = source.inverse[item];
  for (auto& of_kind : states.event_histories)
    for (auto& item : of_kind.values) item = source.inverse[item];
  ByteWriter bytes;
  states.save(bytes);
  out.section(prefix + "user_states", bytes.bytes());
}

// The weight of the neighbours in the ensemble, which has the lists of `with`; nullptr: it has none. Each model's score
// has points of its own, so that lists that differ, and towers whose scores become cosines here, cannot be joined.
struct JoinedNeighbours {
  const Bundle* with = nullptr;
  double weight = 0;
};
JoinedNeighbours joined_neighbours(const std::vector<EnsemblePart>& parts, const std::vector<Source>& sources) {
  JoinedNeighbours joined;
  bool same = true;
  for (const auto& part : parts) {
    if (!part.bundle->neighbours()) continue;
    if (!joined.with) joined.with = part.bundle.get();
    joined.weight += part.weight * part.bundle->neighbours()->weight();
    same &= part.bundle->neighbours()->has_the_lists_of(*joined.with->neighbours());
  }
  for (const auto& source : sources) same &= !joined.with || (source.row.empty() && source.member->unit_length);
  if (same) return joined;
  log_warning(
      "the neighbours of the models are left out: an ensemble keeps them where all models have the same lists, one "
      "order of the catalogue, and towers that end in unit length");
  return {};
}

void write_joined_vectors(SectionWriter& out, const std::vector<Source>& sources, size_t items) {
  out.begin("item_vectors");
  ThreadPool serial(1);
  std::vector<float> lengths;
  for (size_t item = 0; item < items; ++item)
    for (const auto& source : sources) {
      auto vector = source.bundle->item_vectors().row(source.row.empty() ? item : source.row[item]);
      const math::MatrixView<float> part(vector.data() + source.member->first_column, 1, source.member->dim());
      if (!source.bundle->ensemble() && !source.member->unit_length) nn::normalise_rows(serial, part, lengths);
      out.append(std::as_bytes(part.row(0)));
    }
  out.end();
}

math::Matrix<float> joined(ThreadPool& pool, const Bundle& bundle, const MemberVectors& vectors_of, bool weighted) {
  const auto& members = bundle.members();
  math::Matrix<float> out;
  for (const auto& member : members) {
    auto vectors = vectors_of(member);
    std::vector<float> lengths;
    if (bundle.ensemble() && !member.unit_length) nn::normalise_rows(pool, vectors.view(), lengths);
    if (weighted && member.weight != 1) math::scale(static_cast<float>(member.weight), vectors.data(), vectors.size());
    if (members.size() == 1) return vectors;
    out.resize(vectors.rows(), bundle.item_vectors().cols());
    for (size_t i = 0; i < vectors.rows(); ++i) std::copy_n(vectors[i], member.dim(), out[i] + member.first_column);
  }
  return out;
}

}  // namespace

void check_ensemble(const std::vector<EnsemblePart>& parts) { sources_of(parts); }

void write_ensemble(const std::string& path, const std::vector<EnsemblePart>& parts, const std::string& version) {
  const auto sources = sources_of(parts);
  const auto& first = *parts[0].bundle;
  auto info = first.info();
  info.version = version;
  info.dim = 0;
  info.vectors = math::RowPrecision::f32;
  auto members = nlohmann::ordered_json::array();
  for (const auto& source : sources) {
    const auto& from = source.member->info;
    info.dim += source.member->dim();
    info.moment_us = std::max(info.moment_us, from.moment_us);
    if (from.chosen_on == "validation") info.chosen_on = from.chosen_on;
    info.refit |= from.refit;
    info.all_rows |= from.all_rows;
    info.uses_order |= from.uses_order;
    info.given_vectors |= from.given_vectors;
    info.event_kinds |= from.event_kinds;
    members.push_back({{"weight", source.weight},
                       {"fingerprint", source.member->fingerprint},
                       {"info", nlohmann::ordered_json::parse(info_json(from))}});
  }
  const auto neighbours = joined_neighbours(parts, sources);
  SectionWriter out(
      path, kBundleKind,
      version_of(info, true, neighbours.with ? neighbours.with->neighbours()->choice().kind : NeighbourKind::none));
  out.section("info", info_json(info));
  out.section("members", members.dump(1));
  out.section("metrics", std::string_view());
  out.section("run_log", std::string_view());
  for (size_t m = 0; m < sources.size(); ++m) copy_sections(out, sources[m], member_prefix(m));
  for (const char* name : {"frequency", "item_ids", "item_counts", "item_attributes"})
    out.section(name, first.file().bytes(name));
  if (neighbours.with) neighbours.with->neighbours()->save(out, neighbours.weight);
  out.section("index", std::string_view("exact"));
  write_joined_vectors(out, sources, first.item_ids().size());
  out.commit();
}

math::Matrix<float> joined_user_vectors(ThreadPool& pool, const Bundle& bundle, const MemberVectors& vectors_of) {
  return joined(pool, bundle, vectors_of, true);
}

math::Matrix<float> joined_item_vectors(ThreadPool& pool, const Bundle& bundle, const MemberVectors& vectors_of) {
  return joined(pool, bundle, vectors_of, false);
}

math::Matrix<float> known_user_vectors(ThreadPool& pool, const Bundle& bundle, const columns::Interner& ids,
                                       std::span<const uint32_t> users) {
  return joined_user_vectors(pool, bundle, [&](const Member& m) {
    std::vector<uint32_t> rows(users.begin(), users.end());
    if (&ids != &m.user_ids)
      for (auto& user : rows)
        if (user != columns::Interner::kNone) user = m.user_ids.find(ids[user]);
    return known_user_vectors(pool, m.model, m.user_cells, m.user_states, m.item_id_rows, rows);
  });
}

}  // namespace pagoda::model
