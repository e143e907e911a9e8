// Which instructions the kernels use: chosen at run time, by the CPU.
#pragma once

#include <string_view>
#include <vector>

namespace pagoda {

// portable: whatever the program was compiled for. avx2: with FMA. avx512: with F, BW, CD, DQ and VL. avx512_bf16: and the
// products of bf16.
enum class Instructions { portable, avx2, avx512, avx512_bf16 };

std::string_view name_of(Instructions instructions);

// Rising. What this CPU has, at most what the environment variable PAGODA_KERNELS names. Error{usage}: it names something
// else, or what the CPU lacks.
std::vector<Instructions> usable_instructions();

// Whether a product of bf16 costs less than one of floats. The CPUs of Intel that have AVX-512 BF16 start one of its
// instructions every two cycles and two multiply-adds of floats in each: half the products in the same time.
bool bf16_is_fast();

// Whether what may be rounded to bf16 is: where that is fast, and wherever PAGODA_KERNELS names the instructions, whatever
// it costs. Elsewhere floats are taken, which are faster there.
bool takes_bf16();
bool takes_bf16(std::string_view word, bool fast);

// What usable_instructions makes of the variable's value, "" where there is none.
std::vector<Instructions> usable_instructions(std::string_view word, std::vector<Instructions> of_cpu);

}  // namespace pagoda
