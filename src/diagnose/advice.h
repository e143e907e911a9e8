// Advice on which negatives a log needs, in plain sentences. Each is based on figures of the Diagnosis and names them.
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

// TOML for the [loss], [sampling.frequency] and [[sampling.negatives]] of a config; keys of [train] are in comments.
struct AdviceBlock {
  std::string title;
  std::string toml;
};

struct Advice {
  std::vector<AdvicePoint> points;
  std::vector<AdviceBlock> blocks;  // the first is the one to start with
};

// Applies the rules; each threshold is next to its reason in advice.cpp. Sampled sources are always assessed: they are
// what remains when the catalogue grows.
Advice advise(const Diagnosis& diagnosis);

}  // namespace pagoda::diagnose
