// Which instructions the kernels use: chosen at run time, by the CPU.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda {

// portable: whatever the program was compiled for. avx2: with FMA. avx512: with F, BW, CD, DQ and VL. avx512_bf16: and the
// products of bf16.
enum class Instructions { portable, avx2, avx512, avx512_bf16 };

std::string_view name_of(Instructions instructions);

// Lets the kernels use at most the instructions of that name; "" (the default): what the CPU has. For the whole process: a
// program calls it once, with the environment variable PAGODA_KERNELS, before it uses a kernel. A name that is unknown or
// that the CPU lacks is an error of whoever uses a kernel then.
void limit_instructions(std::string name);

// What this CPU has up to the limit, the least first. Error{usage}: the limit is no name, or the CPU lacks it.
std::vector<Instructions> usable_instructions();

// Whether a product of bf16 costs less than one of floats. The CPUs of Intel that have AVX-512 BF16 start one of its
// instructions every two cycles and two multiply-adds of floats in each: half the products in the same time.
bool bf16_is_fast();

// Whether the loss rounds to bf16 what it may: where that is fast, and wherever there is a limit, whatever it costs.
// Elsewhere it takes floats, which are faster there.
bool use_bf16_loss();
bool use_bf16_loss(std::string_view limit, bool fast);

// What usable_instructions makes of a limit.
std::vector<Instructions> usable_instructions(std::string_view limit, std::vector<Instructions> of_cpu);

}  // namespace pagoda
