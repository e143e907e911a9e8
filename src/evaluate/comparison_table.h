// A model beside its baselines, as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pagoda::evaluate {

// Lines of a table from the JSON of `pagoda evaluate`: the first recall of the model and of each baseline with its
// interval, the model's difference to it, what was left out and why, and the users without a history. Empty if nobody
// was judged, or if the JSON has no baselines.
std::vector<std::string> comparison_table(std::string_view json);

// "item_knn" as people write it: "item-kNN".
std::string baseline_label(std::string_view name);

}  // namespace pagoda::evaluate
