#include "model/bundle.h"

#include "model/without_index.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/file.h"
#include "core/log.h"
#include "features/saved.h"
#include "index/partitioned_index.h"

namespace pagoda::model {

namespace {

constexpr uint64_t kMaxVectorDim = 1 << 16;  // bare vectors may be wider than a model's

BundleInfo info_of(const nlohmann::json& j) {
  BundleInfo i;
  i.version = j.at("version");
  i.towers = j.at("towers");
  i.dim = j.at("dim");
  i.items = j.at("items");
  i.users = j.at("users");
  i.training_rows = j.at("training_rows");
  i.moment_us = j.at("moment_us");
  i.chosen_on = j.at("chosen_on");
  i.refit = j.at("refit");
  i.uses_order = j.at("uses_order");
  i.epochs = j.at("epochs");
  i.all_rows = j.value("all_rows", false);
  i.chosen_by = j.value("chosen_by", "");
  i.test_rows = j.value("test_rows", "");
  if (const auto times = j.find("times"); times != j.end())
    i.times =
        columns::time_form_from_names(times->at("unit").get<std::string>(), times->at("order").get<std::string>());
  i.vectors = j.value("vectors", "f32") == "f16" ? math::RowPrecision::f16 : math::RowPrecision::f32;
  i.given_vectors = j.value("given_vectors", false);
  i.event_kinds = j.value("event_kinds", false);
  i.integer_users = j.value("user_id_type", "text") == "integer";
  i.integer_items = j.value("item_id_type", "text") == "integer";
  return i;
}

// Reads a JSON section with read(json); exceptions become errors of the section.
template <class Read>
auto parsed(const SectionFile& file, std::string_view section, const Read& read) {
  try {
    return read(nlohmann::json::parse(file.text(section)));
  } catch (const nlohmann::json::exception& e) {
    fail(ErrorKind::failed, "{}: section '{}' cannot be read: {}", file.path(), section, e.what());
  }
}

void write_vectors(SectionWriter& out, math::RowsView vectors) {
  out.begin("item_vectors");
  for (size_t row = 0; row < vectors.rows(); ++row)
    out.append(vectors.precision() == math::RowPrecision::f32 ? std::as_bytes(vectors.f32().row(row))
                                                              : std::as_bytes(vectors.f16().row(row)));
  out.end();
}

template <class Save>
void bytes_section(SectionWriter& out, std::string_view name, const Save& save) {
  ByteWriter bytes;
  save(bytes);
  out.section(name, bytes.bytes());
}

ByteReader reader_of(const SectionFile& file, std::string_view name) {
  return ByteReader(file.bytes(name), fmt::format("{}: section '{}'", file.path(), name));
}

// The fingerprint of every section that answers depend on; not of metrics and logs.
template <class Covers>
std::string fingerprint_of(const SectionFile& file, const Covers& covers) {
  ByteWriter sums;
  for (const auto& section : file.sections())
    if (covers(section.name)) {
      sums.text(section.name);
      sums.value(section.checksum);
    }
  return fmt::format("{:016x}", checksum(sums.bytes()));
}

std::string fingerprint_of(const SectionFile& file) {
  return fingerprint_of(file, [](const std::string& name) { return name != "metrics" && name != "run_log"; });
}

// Figures beside the bundle that are of another one, such as of its predecessor under the same name, are passed over.
std::string metrics_of(const SectionFile& file, const std::string& fingerprint,
                       const std::optional<JudgedInstead>& judged) {
  const auto beside = metrics_path(file.path());
  std::string own(file.text("metrics"));
  if (!file_exists(beside)) return own;
  std::string otherwise = judged ? own : "";  // old figures of the bundle itself may be out of date
  const auto json = nlohmann::ordered_json::parse(read_file(beside), nullptr, false);
  const auto pointer = nlohmann::ordered_json::json_pointer("/model/fingerprint");
  if (!json.is_object() || !json.contains("metrics") || !json.contains(pointer)) {
    log_warning("{}: holds no figures of `pagoda evaluate`, and is passed over", beside);
    return otherwise;
  }
  const bool of_judged = judged && json.at(pointer) == judged->fingerprint;
  if (json.at(pointer) != fingerprint && !of_judged) return otherwise;
  return json.dump();
}

std::unique_ptr<index::Index> make_index(const SectionFile& file, math::RowsView vectors) {
  const auto kind = file.text("index");
  if (kind == "partitioned")
    return index::make_partitioned_index(index::load_partitions(file, vectors.rows(), vectors.cols()), vectors);
  if (kind != "exact")
    fail(ErrorKind::failed,
         "{}: its index is of kind '{}', which this program does not know; rebuild it: pagoda index {}", file.path(),
         kind, file.path());
  return index::make_exact_index(vectors);
}

void write_index(SectionWriter& out, const index::Partitions* partitions) {
  out.section("index", std::string_view(partitions ? "partitioned" : "exact"));
  if (partitions) index::save_partitions(out, *partitions);
}

// Checks that the sections exist and have the right sizes before tables are allocated.
void expect_tables(const SectionFile& file, const std::string& prefix, const features::TowerLayout& layout,
                   bool tables_of_items, math::Precision stored) {
  const size_t bytes = stored == math::Precision::f32 ? sizeof(float) : sizeof(uint16_t);
  for (const auto& bag : layout.bags) {
    if (bag.item_ids && !tables_of_items) continue;  // a table of the item tower
    const uint64_t expected = 2 * sizeof(uint64_t) + uint64_t{bag.rows} * bag.dim * bytes;
    if (bag.rows < bag.buckets || file.bytes(prefix + "weights/" + bag.name).size() != expected)
      fail(ErrorKind::failed, "{}: section '{}weights/{}' is not of the {} x {} that its encoder says", file.path(),
           prefix, bag.name, bag.rows, bag.dim);
  }
}

}  // namespace

void describe(OptionVisitor& f, TowerOptions& o) {
  f.section("user", "the user tower: what is known of a user at the moment of a request",
            [&](OptionVisitor& f) { features::describe(f, o.user); });
  f.section("item", "the item tower", [&](OptionVisitor& f) { features::describe(f, o.item); });
  f.section("model", "what both towers share", [&](OptionVisitor& f) { describe(f, o.model); });
}

uint32_t version_of(const BundleInfo& info, bool ensemble, NeighbourKind neighbours) {
  return info.event_kinds                          ? kBundleVersion
         : neighbours == NeighbourKind::ease       ? kEaseVersion
         : info.given_vectors                      ? kGivenVectorsVersion
         : neighbours != NeighbourKind::none       ? kNeighboursVersion
         : info.vectors == math::RowPrecision::f16 ? kF16Version
         : ensemble                                ? kEnsembleVersion
                                                   : 1;
}

std::string info_json(const BundleInfo& i) {
  nlohmann::ordered_json j = {
      {"version", i.version},       {"towers", i.towers},       {"dim", i.dim},
      {"items", i.items},           {"users", i.users},         {"training_rows", i.training_rows},
      {"moment_us", i.moment_us},   {"chosen_on", i.chosen_on}, {"refit", i.refit},
      {"uses_order", i.uses_order}, {"epochs", i.epochs}};
  if (i.times) j["times"] = {{"unit", columns::name_of(i.times->unit)}, {"order", columns::name_of(i.times->order)}};
  if (i.all_rows) j["all_rows"] = true;
  if (!i.chosen_by.empty()) j["chosen_by"] = i.chosen_by;
  if (!i.test_rows.empty()) j["test_rows"] = i.test_rows;
  if (i.vectors == math::RowPrecision::f16) j["vectors"] = "f16";
  if (i.given_vectors) j["given_vectors"] = true;
  if (i.event_kinds) j["event_kinds"] = true;
  j["user_id_type"] = i.integer_users ? "integer" : "text";
  j["item_id_type"] = i.integer_items ? "integer" : "text";
  return j.dump(1);
}

void write_bundle(const std::string& path, const BundleContent& c) {
  check(c.info.items == c.item_ids->size() && c.info.items == c.item_counts.size() &&
            c.info.items == c.item_vectors.rows() && c.info.dim == c.item_vectors.cols() &&
            c.info.vectors == c.item_vectors.precision(),
        "a bundle has a count and a vector for each item");
  SectionWriter out(path, kBundleKind,
                    version_of(c.info, false, c.neighbours ? c.neighbours->choice().kind : NeighbourKind::none));
  out.section("info", info_json(c.info));
  out.section("config", c.config);
  out.section("metrics", c.metrics);
  if (c.judged)
    out.section(
        "judged",
        nlohmann::ordered_json{{"fingerprint", c.judged->fingerprint}, {"training_rows", c.judged->training_rows}}.dump(
            1));
  out.section("run_log", c.run_log);
  out.section("frequency", c.frequency);
  if (c.info.towers) {
    auto options = c.options;
    out.section("tower_options", to_toml([&](OptionVisitor& f) { describe(f, options); }, false));
    bytes_section(out, "user_encoder", [&](ByteWriter& b) { c.model->user_encoder.save(b); });
    bytes_section(out, "item_encoder", [&](ByteWriter& b) { c.model->item_encoder.save(b); });
    out.section("spelling", std::string_view("canonical"));
    save_weights(out, c.model->towers);
    if (!c.model->unknown_user.empty())
      bytes_section(out, "unknown_user", [&](ByteWriter& b) { b.array(c.model->unknown_user); });
    bytes_section(out, "user_ids", [&](ByteWriter& b) { features::save_strings(b, *c.user_ids); });
    bytes_section(out, "user_cells", [&](ByteWriter& b) { save_cells(b, *c.user_cells); });
    bytes_section(out, "user_states", [&](ByteWriter& b) { c.user_states->save(b); });
  }
  bytes_section(out, "item_ids", [&](ByteWriter& b) { features::save_strings(b, *c.item_ids); });
  bytes_section(out, "item_counts", [&](ByteWriter& b) { b.array(c.item_counts); });
  bytes_section(out, "item_attributes", [&](ByteWriter& b) {
    save_attributes(b, c.item_attributes ? *c.item_attributes : data::Attributes{});
  });
  if (c.neighbours) c.neighbours->save(out);
  write_index(out, c.partitions);
  write_vectors(out, c.item_vectors);
  out.commit();
}

std::string metrics_path(const std::string& bundle) { return bundle + ".metrics"; }

void write_metrics(const std::string& bundle, std::string_view json) {
  write_file(metrics_path(bundle), std::string(json) + "\n");
}

std::string fingerprint_of_bundle(const std::string& path) {
  return fingerprint_of(SectionFile(path, kBundleKind, kBundleVersion));
}

std::string fingerprint_of_learnt(const std::string& path) {
  return fingerprint_of(SectionFile(path, kBundleKind, kBundleVersion), [](const std::string& name) {
    return name.starts_with("weights/") || name.ends_with("_encoder") || name.ends_with("_ids") ||
           name == "user_states";
  });
}

void rewrite_index(const std::string& path, const std::string& to, math::RowsView item_vectors,
                   const index::Partitions* partitions) {
  const SectionFile in(path, kBundleKind, kBundleVersion);
  in.verify();
  in.bytes("index");
  auto info = parsed(in, "info", info_of);
  info.vectors = item_vectors.precision();
  SectionWriter out(to, kBundleKind, version_of(info, in.has("members"), Neighbours::kind_in(in)));
  for (const auto& section : in.sections()) {
    if (section.name == "info")
      out.section("info", info_json(info));
    else if (section.name == "item_vectors")
      write_vectors(out, item_vectors);
    else if (section.name == "index")
      write_index(out, partitions);
    else if (!section.name.starts_with("index/"))
      out.section(section.name, in.bytes(section.name));
  }
  out.commit();
}

void copy_without_index(const std::string& path, const std::string& to) {
  const SectionFile in(path, kBundleKind, kBundleVersion);
  in.verify();
  SectionWriter out(to, kBundleKind,
                    version_of(parsed(in, "info", info_of), in.has("members"), Neighbours::kind_in(in)));
  for (const auto& section : in.sections()) {
    if (section.name == "index")
      write_index(out, nullptr);
    else if (!section.name.starts_with("index/"))
      out.section(section.name, in.bytes(section.name));
  }
  out.commit();
}

void copy_bundle(const Bundle& bundle, const std::string& to) {
  SectionWriter out(to, kBundleKind, version_of(bundle.info(), bundle.ensemble(), Neighbours::kind_in(bundle.file())));
  for (const auto& section : bundle.file().sections()) out.section(section.name, bundle.file().bytes(section.name));
  out.commit();
}

std::shared_ptr<const Bundle> Bundle::open(const std::string& path) {
  return std::shared_ptr<const Bundle>(new Bundle(path));
}

Bundle::Bundle(const std::string& path) : file_(path, kBundleKind, kBundleVersion), members_(1) {
  file_.verify();
  info_ = parsed(file_, "info", info_of);
  fingerprint_ = fingerprint_of(file_);
  if (file_.has("judged"))
    judged_ = parsed(file_, "judged", [](const nlohmann::json& j) {
      return JudgedInstead{.fingerprint = j.at("fingerprint"), .training_rows = j.at("training_rows")};
    });
  metrics_ = metrics_of(file_, fingerprint_, judged_);
  auto items = reader_of(file_, "item_ids");
  item_ids_ = features::load_strings(items);
  auto counts = reader_of(file_, "item_counts");
  item_counts_ = counts.array<uint64_t>();
  auto attributes = reader_of(file_, "item_attributes");
  item_attributes_ = load_attributes(attributes);
  if (info_.times)
    for (auto& column : item_attributes_.columns) column.times = columns::time_form_of(column, *info_.times);
  const auto vectors = file_.bytes("item_vectors");
  if (item_ids_.size() != info_.items || item_counts_.size() != info_.items)
    fail(ErrorKind::failed, "{}: its sections disagree about the number of items", path);
  const size_t bytes = info_.vectors == math::RowPrecision::f32 ? sizeof(float) : sizeof(uint16_t);
  if (info_.dim < 1 || info_.dim > kMaxVectorDim || vectors.size() != info_.items * info_.dim * bytes)
    fail(ErrorKind::failed, "{}: section 'item_vectors' is not of {} vectors of {} components", path, info_.items,
         info_.dim);
  if (info_.vectors == math::RowPrecision::f32)
    item_vectors_ = math::MatrixView(reinterpret_cast<const float*>(vectors.data()), info_.items, info_.dim);
  else
    item_vectors_ =
        math::RowsView(math::MatrixView(reinterpret_cast<const uint16_t*>(vectors.data()), info_.items, info_.dim));
  index_ = make_index(file_, item_vectors_);
  if (index_->kind() == "partitioned") file_.advise_random("item_vectors");  // a rerank reads single rows
  neighbours_ = Neighbours::load(file_, info_.items);
  if (info_.towers) read_members();
}

void Bundle::read_members() {
  members_[0].info = info_;
  members_[0].fingerprint = fingerprint_;
  if (ensemble()) {
    members_ = parsed(file_, "members", [](const nlohmann::json& list) {
      std::vector<Member> members;
      for (const auto& one : list) {
        auto& member = members.emplace_back();
        member.weight = one.at("weight");
        member.fingerprint = one.at("fingerprint");
        member.info = info_of(one.at("info"));
      }
      return members;
    });
    for (const auto& member : members_)
      if (!(member.weight >= 0))
        fail(ErrorKind::failed, "{}: section 'members' has a weight of {}", file_.path(), member.weight);
    if (members_.empty()) fail(ErrorKind::failed, "{}: section 'members' names no model", file_.path());
  }
  size_t columns = 0;
  for (size_t m = 0; m < members_.size(); ++m) {
    members_[m].first_column = columns;
    read_towers(members_[m], member_prefix(m));
    columns += members_[m].dim();
  }
  if (columns != info_.dim)
    fail(ErrorKind::failed, "{}: the towers end in {} components, the item vectors have {}", file_.path(), columns,
         info_.dim);
}

void Bundle::read_towers(Member& member, const std::string& prefix) const {
  const auto& path = file_.path();
  TowerOptions options;
  Config::from_text(file_.text(prefix + "tower_options"), fmt::format("{}: section '{}tower_options'", path, prefix))
      .read([&](OptionVisitor& f) { describe(f, options); });
  validate(options.model);
  features::validate(options.user, options.item);
  member.unit_length = options.model.normalise;
  auto user_encoder = reader_of(file_, prefix + "user_encoder"),
       item_encoder = reader_of(file_, prefix + "item_encoder");
  auto& model = member.model;
  const auto spelling = file_.has(prefix + "spelling") ? features::Spelling::canonical : features::Spelling::either;
  model.user_encoder = features::UserEncoder::load(user_encoder, spelling);
  model.item_encoder = features::ItemEncoder::load(item_encoder, spelling);
  const auto& id_vocabulary = model.item_encoder.id_vocabulary();
  const auto& item_bags = model.item_encoder.layout().bags;
  const bool item_table = !item_bags.empty() && item_bags[0].item_ids;
  for (const auto& bag : model.user_encoder.layout().bags)
    if (bag.item_ids && !item_table)
      fail(ErrorKind::failed, "{}: section '{}user_encoder' shares an item table that section '{}item_encoder' lacks",
           path, prefix, prefix);
  if (model.user_encoder.history_length() > 0 && model.user_encoder.history_rows() != id_vocabulary.rows())
    fail(ErrorKind::failed,
         "{}: section '{}user_encoder' reads histories of other items than section '{}item_encoder' knows", path,
         prefix, prefix);
  const auto& history = options.user.history;
  if (features::is_learnt(history.encoder)) {
    if (model.user_encoder.history_length() != static_cast<size_t>(history.last))
      fail(ErrorKind::failed,
           "{}: section '{}user_encoder' reads histories of another length than '{}tower_options' says", path, prefix,
           prefix);
    if (history.last > 0) file_.bytes(prefix + "weights/user.history.queries");  // before memory is taken for it
  }
  expect_tables(file_, prefix, model.item_encoder.layout(), true, options.model.table_precision);
  expect_tables(file_, prefix, model.user_encoder.layout(), false, options.model.table_precision);
  model.towers = TwoTowers<float>(options.model, options.user, options.item, model.user_encoder.layout(),
                                  model.item_encoder.layout());
  load_weights(file_, model.towers, prefix + "weights/");
  if (file_.has(prefix + "unknown_user")) {
    model.unknown_user = reader_of(file_, prefix + "unknown_user").array<float>();
    if (model.unknown_user.size() != model.towers.dim() ||
        !std::ranges::all_of(model.unknown_user, [](float c) { return std::isfinite(c); }))
      fail(ErrorKind::failed, "{}: section '{}unknown_user' is not a vector of {} numbers", path, prefix,
           model.towers.dim());
  }
  auto users = reader_of(file_, prefix + "user_ids"), cells = reader_of(file_, prefix + "user_cells"),
       states = reader_of(file_, prefix + "user_states");
  member.user_ids = features::load_strings(users);
  member.user_cells = load_cells(cells, model.user_encoder);
  member.user_states = UserStates::load(states, item_ids_.size());
  if (member.user_states.size() != member.user_ids.size() || member.user_cells.size() != member.user_ids.size())
    fail(ErrorKind::failed, "{}: its sections disagree about the number of users", path);
  if (member.user_states.event_names != model.user_encoder.own_histories())
    fail(ErrorKind::failed, "{}: its sections disagree about the kinds of events", path);
  member.item_id_rows.reserve(item_ids_.size());
  for (uint32_t item = 0; item < item_ids_.size(); ++item)
    member.item_id_rows.push_back(id_vocabulary.row(item_ids_[item]));
}

std::string member_prefix(size_t member) { return member == 0 ? "" : fmt::format("member{}/", member); }

const columns::Column* Bundle::title_column() const {
  for (const char* name : {"title", "name"})
    if (const auto* column = item_attributes_.find(name)) return column;
  return nullptr;
}

const std::vector<Member>& Bundle::members() const {
  if (!info_.towers)
    fail(ErrorKind::usage, "{}: holds bare vectors and knows no users; give query vectors with --vectors",
         file_.path());
  return members_;
}

}  // namespace pagoda::model
