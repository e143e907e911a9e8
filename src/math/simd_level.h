// Which instruction set the kernels use: chosen at run time, by the CPU.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace pagoda::math {

// portable: what the program was compiled for. avx2: with FMA. avx512: with F, BW, CD, DQ and VL. avx512_bf16: with dot
// products of bf16 as well. amx: with the tile registers of AMX and their products of bf16 (math/amx_kernels.h), which
// the kernel has to allow.
enum class SimdLevel { portable, avx2, avx512, avx512_bf16, amx };

std::string_view name_of(SimdLevel instructions);

// Lets the kernels use at most the instructions of that name; "" (the default): what the CPU has. For the whole
// process: a program calls it once, with the environment variable PAGODA_KERNELS, before it uses a kernel. A name that
// is unknown or that the CPU lacks is an error of whoever uses a kernel then.
void limit_simd_level(std::string name);

// What this CPU has up to the limit, the least first. Error{usage}: the limit is no name, or the CPU lacks it, or the
// kernel does not allow it.
std::vector<SimdLevel> usable_simd_levels();

// The last of usable_simd_levels(), remembered until the limit changes: what every choice of a kernel goes by.
SimdLevel best_simd_level();

// Tile registers: `refused` where the CPU has them and the kernel does not let this process use them.
enum class AmxState { none, refused, allowed };

// Asks the kernel (Linux's ARCH_REQ_XCOMP_PERM, for all threads of the process) at the first call.
AmxState amx_state();

// Whether products of bf16 are faster than those of floats: with AMX, and with AVX-512 BF16 but for Intel's CPUs, which
// start one such instruction every two cycles, but two multiply-adds of floats every cycle, twice as many products.
bool bf16_is_fast();

// Whether the loss rounds to bf16 what it may: where that is fast, and wherever there is a limit, whatever it costs.
// Elsewhere it takes floats, which are faster there.
bool use_bf16_loss();
bool use_bf16_loss(std::string_view limit, bool fast);

// What usable_simd_levels makes of a limit.
std::vector<SimdLevel> usable_simd_levels(std::string_view limit, std::vector<SimdLevel> of_cpu, AmxState amx);

inline constexpr int kUnknownSimdLevel = -1;
inline std::atomic<int> remembered_simd_level{kUnknownSimdLevel};  // of best_simd_level() alone
SimdLevel remember_simd_level();

inline SimdLevel best_simd_level() {
  const int level = remembered_simd_level.load(std::memory_order_relaxed);
  return level == kUnknownSimdLevel ? remember_simd_level() : static_cast<SimdLevel>(level);
}

}  // namespace pagoda::math
