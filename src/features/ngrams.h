// Text as hashed character trigrams and word n-grams (EBR, KDD 2020, section 3: trigrams beat words; both beat either).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pagoda::features {

// Appends one bucket in [0, buckets) for each character trigram of each word (with ^ and $ at its ends) when `trigrams`,
// and for each run of 1 .. word_ngrams words. Words are runs of letters and digits, lower-cased (ASCII; other UTF-8
// letters are kept as they are), split everywhere else. Repeats are kept: they weigh more.
void hash_ngrams(std::string_view text, bool trigrams, int word_ngrams, uint32_t buckets, std::vector<uint32_t>& out);

}  // namespace pagoda::features
