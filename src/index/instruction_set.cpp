#include "index/instruction_set.h"

#include <algorithm>
#include <cstdlib>

#include "core/error.h"

namespace pagoda {

std::string_view name_of(InstructionSet set) {
  switch (set) {
    case InstructionSet::avx512: return "avx512";
    case InstructionSet::avx2: return "avx2";
    case InstructionSet::portable: break;
  }
  return "portable";
}

std::vector<InstructionSet> available_instruction_sets() {
  std::vector<InstructionSet> sets{InstructionSet::portable};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v3")) {
    sets.push_back(InstructionSet::avx2);
    if (__builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vnni"))
      sets.push_back(InstructionSet::avx512);
  }
#endif
  return sets;
}

InstructionSet choose_instruction_set(std::string_view word, const std::vector<InstructionSet>& available) {
  if (word.empty()) return available.back();
  if (word == "avx512_bf16") word = "avx512";  // the loss alone has products in bf16
  for (const auto set : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
    if (word != name_of(set)) continue;
    if (std::find(available.begin(), available.end(), set) == available.end())
      fail(ErrorKind::usage, "PAGODA_KERNELS={}: this CPU does not have these instructions; the best it has is {}",
           word, name_of(available.back()));
    return set;
  }
  fail(ErrorKind::usage, "PAGODA_KERNELS={}: portable, avx2, avx512 or avx512_bf16", word);
}

InstructionSet instruction_set() {
  static const InstructionSet chosen = [] {
    const char* word = std::getenv("PAGODA_KERNELS");
    return choose_instruction_set(word ? word : "", available_instruction_sets());
  }();
  return chosen;
}

}  // namespace pagoda
