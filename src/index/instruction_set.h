// Which instructions the kernels of this room use.
#pragma once

#include <string_view>
#include <vector>

namespace pagoda {

// portable: whatever the program was compiled for. avx2: with FMA. avx512: with BW, VL and VNNI. Kernels over integers give
// the same bits on each; kernels over floats the same on avx2 and avx512, which both have fused multiply-add.
enum class InstructionSet { portable, avx2, avx512 };

std::string_view name_of(InstructionSet set);

// Those that this CPU has, the plainest first.
std::vector<InstructionSet> available_instruction_sets();

// The best available one; or what the environment variable PAGODA_KERNELS (portable, avx2, avx512) asks for, read once.
// Error{usage}: another word, or instructions that this CPU does not have.
InstructionSet instruction_set();

// `word` "" stands for no wish. What instruction_set() does with the variable's value.
InstructionSet choose_instruction_set(std::string_view word, const std::vector<InstructionSet>& available);

}  // namespace pagoda
