// PAGODA_CLONES before a plain function compiles it for AVX-512, AVX2 and plain x86-64; the first call picks one.
// Left out under a sanitizer (the choice is made before the sanitizer's runtime is up) and under clang.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(PAGODA_SANITIZED)
#define PAGODA_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PAGODA_CLONES
#endif
