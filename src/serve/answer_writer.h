// Answers as JSON. Numbers are the shortest that read back to the same bits; a text that is not UTF-8 is mended.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "serve/search_queue.h"

namespace pagoda {

void append_json_text(std::string& out, std::string_view text);  // with its quotes
void append_json_number(std::string& out, float value);

// {"user_known": ..., "items": [...], "scores": [...], "attributes": [...], "model": ..., "explain": {...}}; user_known
// of candidates alone, attributes when `attributes` names columns of the item table, explain when the outcome has one.
void append_list(std::string& out, const Retrieval& retrieval, const Outcome& outcome,
                 std::span<const size_t> attributes, bool of_a_user);

// {"vectors": [[...], ...], "model": ...}
void append_vectors(std::string& out, const Bundle& bundle, MatrixView<const float> vectors);

// {"fingerprint": ..., "info": {...}, "index": ..., "context": [...], "features": [...], "attributes": {...},
//  "added_items": ..., "hidden_items": ..., "metrics": {...} or null, "config": ...}
std::string model_json(const Retrieval& retrieval);

}  // namespace pagoda
