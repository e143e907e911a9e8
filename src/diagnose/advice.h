// Which negatives a log needs, in plain sentences. Each stands on figures of the Diagnosis and says them.
#pragma once

#include <string>
#include <vector>

#include "diagnose/diagnosis.h"

namespace pagoda::diagnose {

enum class Verdict { take, leave_out, set };  // a source of negatives to take or leave out; a key to set

struct AdvicePoint {
  std::string subject;  // as the config names it: "in_batch", "temperature"
  Verdict verdict;
  std::string text;
};

// TOML for a config's [loss], [sampling.frequency] and [[sampling.negatives]]; what belongs in [train] stands in
// comments.
struct AdviceBlock {
  std::string title;
  std::string toml;
};

struct Advice {
  std::vector<AdvicePoint> points;
  std::vector<AdviceBlock> blocks;  // the first is the one to start with
};

// The rules; a threshold stands beside its reason in advice.cpp. Sampled sources are judged in any case: they are what
// is left when the catalogue grows.
Advice advise(const Diagnosis& diagnosis);

}  // namespace pagoda::diagnose
