#include "math/tile_kernels.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace pagoda {

namespace {

struct Known {
  Instructions instructions;
  std::string_view name;
  const TileKernels* (*kernels)();
  bool (*runs)();
};

#ifdef __x86_64__
bool runs_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool runs_avx512() {
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool runs_avx512_bf16() { return runs_avx512() && __builtin_cpu_supports("avx512bf16"); }
#else
bool runs_avx2() { return false; }
bool runs_avx512() { return false; }
bool runs_avx512_bf16() { return false; }
#endif

// Rising.
constexpr std::array kKnown{
    Known{Instructions::portable, "portable", portable_tile_kernels, [] { return true; }},
    Known{Instructions::avx2, "avx2", avx2_tile_kernels, runs_avx2},
    Known{Instructions::avx512, "avx512", avx512_tile_kernels, runs_avx512},
    Known{Instructions::avx512_bf16, "avx512_bf16", avx512_bf16_tile_kernels, runs_avx512_bf16},
};

bool usable(const Known& known) { return known.kernels() && known.runs(); }

}  // namespace

std::vector<Instructions> usable_instructions() {
  const char* wanted = std::getenv("PAGODA_KERNELS");
  std::vector<Instructions> result;
  for (const auto& known : kKnown) {
    if (usable(known)) result.push_back(known.instructions);
    if (wanted && known.name == wanted) {
      if (!usable(known)) fail(ErrorKind::usage, "PAGODA_KERNELS is {}, which this machine can not run", wanted);
      return result;
    }
  }
  if (wanted) fail(ErrorKind::usage, "PAGODA_KERNELS is {}, expected portable, avx2, avx512 or avx512_bf16", wanted);
  return result;
}

std::string_view name_of(Instructions instructions) { return kKnown[static_cast<size_t>(instructions)].name; }

const TileKernels& best_tile_kernels() { return tile_kernels(usable_instructions().back()); }

const TileKernels& tile_kernels(Instructions instructions) {
  const Known& known = kKnown[static_cast<size_t>(instructions)];
  check(usable(known), "kernels that this machine runs");
  return *known.kernels();
}

}  // namespace pagoda
