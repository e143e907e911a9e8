// Encodes text as hashed character trigrams and word n-grams (EBR, KDD 2020, section 3: trigrams beat words; both
// together beat either).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pagoda::features {

// Appends one bucket in [0, buckets) for each run of 1 .. word_ngrams words and, with `trigrams`, for each character
// trigram of each word (with ^ and $ at its ends). Words are runs of letters and digits, split at everything else;
// ASCII letters are lower-cased, other UTF-8 letters are kept as they are. Repeats are kept: they weigh more.
void hash_ngrams(std::string_view text, bool trigrams, int word_ngrams, uint32_t buckets, std::vector<uint32_t>& out);

}  // namespace pagoda::features
