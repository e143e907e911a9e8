// What libpagoda shows to the programs that link it; all else in it is hidden.
#pragma once

#define PAGODA_EXPORT __attribute__((visibility("default")))
