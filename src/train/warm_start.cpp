#include "train/warm_start.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/log.h"
#include "evaluate/bundle_evaluation.h"
#include "files/source_files.h"
#include "model/tables.h"
#include "train/config_differences.h"

namespace pagoda::train {

namespace {

constexpr uint32_t kStateVersion = 1;
constexpr std::string_view kStateKind = "state";

// The options that give the towers their shape and the encoders their values, as TOML.
std::string shape_of(const dataset::Options& options) {
  auto towers = options.towers;
  const model::ModelOptions standard;
  towers.model.precision = standard.precision;  // changes products, not what is learnt
  towers.model.dropout = standard.dropout;
  towers.user.id.dropout = towers.item.id.dropout = features::IdOptions().dropout;
  auto& history = towers.user.history;
  const bool is_learnt = features::is_learnt(history.encoder);
  if (!is_learnt) history.heads = features::HistoryOptions().heads;     // it has none
  if (is_learnt) history.recency = features::HistoryOptions().recency;  // where learning began, and not where it is
  if (history.encoder != features::HistoryEncoder::transformer) history.blocks = features::HistoryOptions().blocks;
  return pagoda::to_toml([&](OptionVisitor& f) { describe(f, towers); }, false);
}

// A state that fits, or nullptr, with a warning.
std::shared_ptr<const SectionFile> open_state(const model::Bundle& bundle, uint64_t& steps, Lineage& lineage,
                                              uint64_t& latest_events) {
  const auto path = state_path(bundle.file().path());
  const auto anew = [&](std::string_view why) {
    log_warning(
        "{}: {}: the optimiser's sums, the frequencies and the negatives of earlier batches begin anew, and the times "
        "of "
        "earlier events are not known",
        path, why);
    return nullptr;
  };
  if (!file_exists(path)) return anew("is not there");
  auto state = std::make_shared<const SectionFile>(path, kStateKind, kStateVersion);
  state->verify();
  const auto info = nlohmann::json::parse(state->text("info"), nullptr, false);
  if (!info.is_object() || !info.contains("model") || !info.contains("steps"))
    fail(ErrorKind::failed, "{}: section 'info' is damaged", path);
  if (info.at("model") != model::fingerprint_of_learnt(bundle.file().path())) return anew("is of another model");
  steps = info.at("steps");
  lineage = {.full_rows = info.value("full_rows", lineage.full_rows), .times = info.value("times", uint64_t{0})};
  latest_events = info.value("latest_events", uint64_t{0});
  return state;
}

// Per item: events that were learnt from, and are in no history any more.
std::vector<uint64_t> counts_let_go(const model::Bundle& bundle) {
  auto counts = bundle.item_counts();
  for (const uint32_t item : bundle.user_states().histories.values) counts[item] -= std::min<uint64_t>(1, counts[item]);
  return counts;
}

}  // namespace

std::string state_path(const std::string& bundle) { return bundle + ".state"; }

uint64_t write_state(const std::string& bundle, const dataset::Events& events,
                     const std::vector<dataset::EventHistory>& event_histories, const Lineage& lineage,
                     const Trainer& trainer, const data::Attributes* items, uint64_t latest_events) {
  const auto path = state_path(bundle);
  SectionWriter out(path, kStateKind, kStateVersion);
  const nlohmann::ordered_json info{{"model", model::fingerprint_of_learnt(bundle)},
                                    {"steps", trainer.steps_taken()},
                                    {"full_rows", lineage.full_rows},
                                    {"times", lineage.times},
                                    {"latest_events", latest_events}};
  out.section("info", info.dump(1));
  ByteWriter times;
  times.array(events.time_us);
  for (const auto& history : event_histories) times.array(history.time_us);
  out.section("times", times.bytes());
  if (items) model::save_vectors(out, items->vectors);
  trainer.save(out);
  out.commit();
  return std::filesystem::file_size(path);
}

void say_lineage(const Lineage& lineage, uint64_t rows) {
  const uint64_t more = rows - std::min(rows, lineage.full_rows);
  log_info("trained anew on {} rows, gone on from {} times since with {} more", lineage.full_rows, lineage.times, more);
  if (more > lineage.full_rows)
    log_warning(
        "it has learnt more rows going on than when it was trained anew: means of numbers, widths of tables and hash "
        "buckets are those of {} rows; a full training is due",
        lineage.full_rows);
}

WarmStart::WarmStart(const std::string& path, int64_t forget_us) {
  const auto bundle = model::Bundle::open(path);
  if (bundle->members().size() > 1)
    fail(ErrorKind::usage, "{}: is an ensemble, and training goes on from one model; give one of those it was made of",
         path);
  options_ = evaluate::bundle_options(*bundle, {});
  lineage_.full_rows = bundle->info().training_rows;
  uint64_t latest_events = 0;
  state_ = open_state(*bundle, steps_, lineage_, latest_events);
  auto earlier = std::make_shared<dataset::Earlier>();
  earlier->bundle = bundle;
  if (latest_events > 0) earlier->counts_let_go = counts_let_go(*bundle);
  if (state_) {
    ByteReader times(state_->bytes("times"), state_->path() + ": section 'times'");
    earlier->time_us = times.array<int64_t>();
    if (earlier->time_us.size() != bundle->user_states().histories.values.size())
      times.damaged("is not of the events of the bundle");
    for (const auto& of_kind : bundle->user_states().event_histories) {
      earlier->event_time_us.push_back(times.array<int64_t>());
      if (earlier->event_time_us.back().size() != of_kind.values.size())
        times.damaged("is not of the events of the bundle");
    }
    earlier->item_vectors = model::load_vectors(state_);
    for (const auto& vectors : earlier->item_vectors)
      if (vectors->rows() != bundle->item_attributes().rows())
        fail(ErrorKind::failed, "{}: its vectors of '{}' are not those of the bundle's items", state_->path(),
             vectors->name());
  }
  const bool timed = state_ && !options_.data.time.empty();
  if (forget_us > 0 && !timed)
    fail(ErrorKind::usage, "{}: the times of its events are not known, so nothing can be forgotten by them; {}", path,
         state_ ? "its log has no data.time" : "keep its .state beside it");
  earlier->forget_us = forget_us;
  earlier_ = std::move(earlier);
}

dataset::Options WarmStart::options_for_more() const {
  auto options = options_;
  options.data.split = {.kind = data::SplitKind::none};
  for (auto* table : {&options.data.items, &options.data.users})  // memory that is gone; the bundle has what was in it
    if (files::is_memory_table(*table)) table->clear();
  options.train.epochs = options.train.order == dataset::Order::time
                             ? 1
                             : std::max<int64_t>(1, static_cast<int64_t>(earlier_->bundle->info().epochs));
  return options;
}

void WarmStart::check_shape(const dataset::Options& now) const {
  auto differences = config_differences(shape_of(options_), shape_of(now));
  if (options_.towers.user.event_kinds != now.towers.user.event_kinds)
    differences += fmt::format("{}data.events has other kinds or roles", differences.empty() ? "" : ", ");
  if (!differences.empty())
    fail(ErrorKind::usage,
         "{}: this config makes towers of another shape: {}; set it back, or train anew without --from",
         earlier_->bundle->file().path(), differences);
}

void WarmStart::carry(model::Model& now, Trainer& trainer) const {
  const auto& before = earlier_->member().model;
  const model::CarryOver carry(before, now);
  carry.weights(before.towers, now.towers);
  if (state_) trainer.go_on(*state_, carry, options_);
}

}  // namespace pagoda::train
