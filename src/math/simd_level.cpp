#include "math/simd_level.h"

#include <algorithm>
#include <array>
#include <utility>

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/error.h"

namespace pagoda::math {

namespace {

constexpr std::array<std::string_view, 5> kNames{"portable", "avx2", "avx512", "avx512_bf16", "amx"};

std::vector<SimdLevel> simd_levels_of_cpu() {
  std::vector<SimdLevel> have{SimdLevel::portable};
#if defined(__x86_64__)
  __builtin_cpu_init();  // for whoever asks before main()
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return have;
  have.push_back(SimdLevel::avx2);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return have;
  have.push_back(SimdLevel::avx512);
  if (!__builtin_cpu_supports("avx512bf16")) return have;
  have.push_back(SimdLevel::avx512_bf16);
  if (amx_state() == AmxState::allowed) have.push_back(SimdLevel::amx);
#endif
  return have;
}

AmxState ask_for_amx() {
#if defined(__x86_64__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // of <asm/prctl.h>, and the number of the state in XCR0
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("amx-tile") || !__builtin_cpu_supports("amx-bf16")) return AmxState::none;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0 ? AmxState::allowed : AmxState::refused;
#else
  return AmxState::none;
#endif
}

std::string& limit() {
  static std::string name;
  return name;
}

}  // namespace

void limit_simd_level(std::string name) {
  limit() = std::move(name);
  remembered_simd_level.store(kUnknownSimdLevel, std::memory_order_relaxed);
}

std::string_view name_of(SimdLevel instructions) { return kNames[static_cast<size_t>(instructions)]; }

AmxState amx_state() {
  static const AmxState state = ask_for_amx();
  return state;
}

std::vector<SimdLevel> usable_simd_levels() { return usable_simd_levels(limit(), simd_levels_of_cpu(), amx_state()); }

SimdLevel remember_simd_level() {
  const SimdLevel best = usable_simd_levels().back();
  remembered_simd_level.store(static_cast<int>(best), std::memory_order_relaxed);
  return best;
}

bool bf16_is_fast() {
#if defined(__x86_64__)
  const SimdLevel best = best_simd_level();
  return best == SimdLevel::amx || (best == SimdLevel::avx512_bf16 && !__builtin_cpu_is("intel"));
#else
  return false;
#endif
}

bool use_bf16_loss() { return use_bf16_loss(limit(), bf16_is_fast()); }

bool use_bf16_loss(std::string_view limit, bool fast) { return fast || !limit.empty(); }

std::vector<SimdLevel> usable_simd_levels(std::string_view limit, std::vector<SimdLevel> of_cpu, AmxState amx) {
  if (limit.empty()) return of_cpu;
  const auto name = std::ranges::find(kNames, limit);
  if (name == kNames.end())
    fail(ErrorKind::usage, "PAGODA_KERNELS={}: expected portable, avx2, avx512, avx512_bf16 or amx", limit);
  const auto last = std::ranges::find(of_cpu, static_cast<SimdLevel>(name - kNames.begin()));
  if (last == of_cpu.end())
    fail(ErrorKind::usage, "PAGODA_KERNELS={}: {}; the best it has is {}", limit,
         limit == name_of(SimdLevel::amx) && amx == AmxState::refused
             ? "the kernel does not let this process use the tile registers of this CPU"
             : "this CPU does not have these instructions",
         name_of(of_cpu.back()));
  of_cpu.erase(last + 1, of_cpu.end());
  return of_cpu;
}

}  // namespace pagoda::math
