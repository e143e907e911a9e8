#include "train/checkpoint.h"

#include <algorithm>

namespace pagoda::train {

namespace {
constexpr uint32_t kVersion = 3;
constexpr std::string_view kKind = "checkpoint", kBestKind = "weights";

void write_evaluated(ByteWriter& out, const std::vector<EvaluatedEpoch>& epochs) {
  out.value<uint64_t>(epochs.size());
  for (const auto& one : epochs) {
    out.value(one.epoch);
    out.value(one.value);
    out.array(one.users);
  }
}

std::vector<EvaluatedEpoch> read_evaluated(ByteReader& in) {
  std::vector<EvaluatedEpoch> epochs;
  for (auto n = in.value<uint64_t>(); n > 0; --n) {
    auto& one = epochs.emplace_back();
    one.epoch = in.value<uint64_t>();
    one.value = in.value<double>();
    one.users = in.array<float>();
  }
  return epochs;
}

}  // namespace

void save_checkpoint(const std::string& path, const TrainingProgress& p, const RunIdentity& run,
                     const model::Model& model, const Trainer& trainer) {
  SectionWriter out(path, kKind, kVersion);
  ByteWriter progress;
  progress.value(checksum(run.config));
  progress.value(p.phase);
  progress.value(p.next_step);
  progress.value(p.loss_sum);
  progress.value(p.loss_examples);
  progress.value(p.hit_sum);
  progress.value(p.pair_sum);
  progress.value(p.best_value);
  progress.value(p.best_epoch);
  progress.value(p.evaluations_since_best);
  progress.value(p.steps_before);
  progress.value(p.seconds);
  out.section("progress", progress.bytes());
  out.section("config", run.config);
  out.section("data", run.data);
  ByteWriter judged;
  judged.text(p.judged.fingerprint);
  judged.value(p.judged.training_rows);
  judged.text(p.judged.figures);
  out.section("judged", judged.bytes());
  ByteWriter evaluated;
  write_evaluated(evaluated, p.evaluated);
  out.section("evaluated", evaluated.bytes());
  if (p.neighbours.weight > 0) {
    ByteWriter neighbours;
    neighbours.value(p.neighbours.kind);
    neighbours.value(p.neighbours.weight);
    neighbours.value(p.neighbours.shrinkage);
    out.section("neighbours", neighbours.bytes());
  }
  if (!p.tried.empty() || p.ratio > 0) {
    ByteWriter ratio;
    ratio.value(p.ratio);
    ratio.value<uint64_t>(p.tried.size());
    for (const auto& epochs : p.tried) write_evaluated(ratio, epochs);
    out.section("ratio", ratio.bytes());
  }
  model::save_weights(out, model.towers);
  trainer.save(out);
  out.commit();
}

Checkpoint::Checkpoint(const std::string& path, const RunIdentity& run) : file_(path, kKind, kVersion) {
  file_.verify();
  const bool says_all = file_.has("config");  // not of version 0.1
  if (says_all) {
    const RunIdentity was{
        .config = std::string(file_.text("config")), .data = std::string(file_.text("data")), .former_checksums = {}};
    if (const auto changed = what_changed(was, run); !changed.empty())
      fail(ErrorKind::usage,
           "{}: was written by a run with another config or other data: {}; put it back, or train without --resume to "
           "begin anew",
           path, changed);
  }
  ByteReader in(file_.bytes("progress"), path + ": section 'progress'");
  const auto config = in.value<uint64_t>();
  if (!says_all && std::ranges::find(run.former_checksums, config) == run.former_checksums.end())
    fail(ErrorKind::usage, "{}: was written by a run with another config; train without --resume to begin anew", path);
  auto& p = progress_;
  p.phase = in.value<Phase>();
  p.next_step = in.value<uint64_t>();
  p.loss_sum = in.value<double>();
  p.loss_examples = in.value<uint64_t>();
  p.hit_sum = in.value<double>();
  p.pair_sum = in.value<double>();
  p.best_value = in.value<double>();
  p.best_epoch = in.value<uint64_t>();
  p.evaluations_since_best = in.value<uint64_t>();
  p.steps_before = in.value<uint64_t>();
  p.seconds = in.value<double>();
  if (!says_all) return;
  ByteReader judged(file_.bytes("judged"), path + ": section 'judged'");
  p.judged.fingerprint = judged.text();
  p.judged.training_rows = judged.value<uint64_t>();
  p.judged.figures = judged.text();
  if (file_.has("neighbours")) {
    ByteReader neighbours(file_.bytes("neighbours"), path + ": section 'neighbours'");
    p.neighbours.kind = neighbours.value<model::NeighbourKind>();
    p.neighbours.weight = neighbours.value<double>();
    if (!neighbours.at_end()) p.neighbours.shrinkage = neighbours.value<double>();  // none in 0.2
  }
  if (file_.has("ratio")) {
    ByteReader ratio(file_.bytes("ratio"), path + ": section 'ratio'");
    p.ratio = ratio.value<double>();
    for (auto n = ratio.value<uint64_t>(); n > 0; --n) p.tried.push_back(read_evaluated(ratio));
  }
  if (!file_.has("evaluated")) {  // of a run that began before they were kept: the best, and that none was better since
    if (p.best_epoch > 0) p.evaluated.push_back({.epoch = p.best_epoch, .value = p.best_value, .users = {}});
    for (uint64_t n = 0; n < p.evaluations_since_best && p.best_epoch > 0; ++n)
      p.evaluated.push_back({.epoch = p.best_epoch, .value = -1, .users = {}});
    return;
  }
  ByteReader evaluated(file_.bytes("evaluated"), path + ": section 'evaluated'");
  p.evaluated = read_evaluated(evaluated);
}

void Checkpoint::restore(model::Model& model, Trainer& trainer) const {
  if (!file_.has("steps") && trainer.in_order_of_time())
    fail(ErrorKind::usage,
         "{}: is of version 0.1 and of a pass in order of time, whose rows of the id table lie otherwise now; train "
         "without "
         "--resume to begin anew",
         file_.path());
  model::load_weights(file_, model.towers);
  trainer.load(file_);
}

void save_best(const std::string& path, const model::Model& model, const Trainer* trainer) {
  SectionWriter out(path, kBestKind, kVersion);
  model::save_weights(out, model.towers);
  if (trainer) trainer->save(out);
  out.commit();
}

void load_best(const std::string& path, model::Model& model, Trainer* trainer) {
  const SectionFile in(path, kBestKind, kVersion);
  in.verify();
  model::load_weights(in, model.towers);
  if (trainer && in.has("steps")) trainer->load(in);
}

void carry_best(const std::string& path, const model::CarryOver& carry, const dataset::Options& was, Trainer& trainer) {
  const SectionFile in(path, kBestKind, kVersion);
  in.verify();
  trainer.go_on(in, carry, was);
}

}  // namespace pagoda::train
