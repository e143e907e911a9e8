#include "features/ngrams.h"

#include <string>

#include "features/vocabulary.h"

namespace pagoda::features {

namespace {

// A byte of a word: an ASCII letter or digit, or part of a multi-byte UTF-8 character.
bool is_word_byte(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}
bool starts_character(unsigned char c) { return (c & 0xc0) != 0x80; }

constexpr uint64_t kTrigramSeed = 3, kWordSeed = 101;

}  // namespace

void hash_ngrams(std::string_view text, bool trigrams, int word_ngrams, uint32_t buckets, std::vector<uint32_t>& out) {
  std::vector<std::string> recent;  // the last word_ngrams words
  std::string word, joined;
  std::vector<size_t> starts;  // byte offsets of the characters of ^word$
  const auto flush = [&] {
    if (word.empty()) return;
    if (trigrams) {
      const std::string marked = "^" + word + "$";
      starts.clear();
      for (size_t i = 0; i < marked.size(); ++i)
        if (starts_character(static_cast<unsigned char>(marked[i]))) starts.push_back(i);
      starts.push_back(marked.size());
      for (size_t i = 0; i + 3 < starts.size(); ++i) {
        const auto gram = std::string_view(marked).substr(starts[i], starts[i + 3] - starts[i]);
        out.push_back(static_cast<uint32_t>(hash_text(gram, kTrigramSeed) % buckets));
      }
    }
    if (word_ngrams > 0) {
      if (recent.size() == static_cast<size_t>(word_ngrams)) recent.erase(recent.begin());
      recent.push_back(word);
      joined.clear();
      for (size_t n = 0; n < recent.size(); ++n) {  // the n + 1 latest words
        if (n > 0) joined.insert(0, 1, ' ');
        joined.insert(0, recent[recent.size() - 1 - n]);
        out.push_back(static_cast<uint32_t>(hash_text(joined, kWordSeed + n) % buckets));
      }
    }
    word.clear();
  };
  for (const char c : text) {
    if (is_word_byte(static_cast<unsigned char>(c)))
      word.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    else
      flush();
  }
  flush();
}

}  // namespace pagoda::features
