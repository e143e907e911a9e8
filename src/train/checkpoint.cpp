#include "train/checkpoint.h"

namespace pagoda::train {

namespace {
constexpr uint32_t kVersion = 2;
constexpr std::string_view kKind = "checkpoint", kBestKind = "weights";
}  // namespace

void save_checkpoint(const std::string& path, const TrainingProgress& p, uint64_t config_checksum,
                     const model::Model& model, const Trainer& trainer) {
  SectionWriter out(path, kKind, kVersion);
  ByteWriter progress;
  progress.value(config_checksum);
  progress.value(p.phase);
  progress.value(p.next_step);
  progress.value(p.loss_sum);
  progress.value(p.loss_examples);
  progress.value(p.hit_sum);
  progress.value(p.pair_sum);
  progress.value(p.best_value);
  progress.value(p.best_epoch);
  progress.value(p.evaluations_since_best);
  progress.value(p.choose_steps);
  progress.value(p.seconds);
  out.section("progress", progress.bytes());
  model::save_weights(out, model.towers);
  trainer.save(out);
  out.commit();
}

Checkpoint::Checkpoint(const std::string& path, uint64_t config_checksum) : file_(path, kKind, kVersion) {
  file_.verify();
  ByteReader in(file_.bytes("progress"), path + ": section 'progress'");
  if (in.value<uint64_t>() != config_checksum)
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
  p.choose_steps = in.value<uint64_t>();
  p.seconds = in.value<double>();
}

void Checkpoint::restore(model::Model& model, Trainer& trainer) const {
  model::load_weights(file_, model.towers);
  trainer.load(file_);
}

void save_best(const std::string& path, const model::Model& model) {
  SectionWriter out(path, kBestKind, kVersion);
  model::save_weights(out, model.towers);
  out.commit();
}

void load_best(const std::string& path, model::Model& model) {
  const SectionFile in(path, kBestKind, kVersion);
  in.verify();
  model::load_weights(in, model.towers);
}

}  // namespace pagoda::train
