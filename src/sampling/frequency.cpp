#include "sampling/frequency.h"

#include "core/error.h"

namespace pagoda::sampling {

void describe(OptionVisitor& visitor, FrequencyOptions& options) {
  visitor.choice("kind", options.kind, {{"counts", FrequencyKind::counts}, {"streaming", FrequencyKind::streaming}},
                 "q of the correction: exact \"counts\" for shuffled epochs, \"streaming\" for data in time order");
  visitor.field("learning_rate", options.learning_rate,
                "streaming: higher follows popularity faster and is noisier; 0.001-0.1");
  visitor.field("buckets", options.buckets,
                "streaming: of each hash; several times the number of items, memory allowing");
  visitor.field("hashes", options.hashes, "streaming: more undo collisions; 1 when buckets outnumber items by far");
  visitor.choice("clock", options.clock, {{"example", FrequencyClock::example}, {"step", FrequencyClock::step}},
                 "streaming: \"example\" counts every occurrence; \"step\" ticks once a batch, as the paper has it");
  visitor.field("bias_correction", options.bias_correction,
                "streaming: takes out the upward bias of 1/B; off: as the paper has it");
}

void validate(const FrequencyOptions& options) {
  if (!(options.learning_rate > 0 && options.learning_rate <= 1))
    fail(ErrorKind::usage, "the frequency's learning_rate is {}, expected a number in (0, 1]; 0.01 is usual",
         options.learning_rate);
  if (options.buckets < 1 || options.buckets > (int64_t{1} << 32))
    fail(ErrorKind::usage,
         "the frequency's buckets is {}, expected 1 to 2^32; several times the number of items is good",
         options.buckets);
  if (options.hashes < 1 || options.hashes > 16)
    fail(ErrorKind::usage, "the frequency's hashes is {}, expected 1 to 16; 1 to 4 is usual", options.hashes);
}

std::unique_ptr<Frequency> make_frequency(const FrequencyOptions& options, std::span<const uint64_t> counts,
                                          uint64_t seed) {
  validate(options);
  switch (options.kind) {
    case FrequencyKind::counts: return make_counts(counts);
    case FrequencyKind::streaming: return make_streaming(options, seed);
  }
  check(false, "every kind of frequency is made");
  return nullptr;
}

}  // namespace pagoda::sampling
