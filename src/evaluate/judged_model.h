// The model that was judged in place of one that has learnt from all rows, including its test part.
//
// `train.refit = "all"` trains a model on the rows before the test part, judges it, and then trains the one that is
// served. The first is kept beside the second: it can be judged again, by other metrics or list lengths.
#pragma once

#include <memory>
#include <string>

#include "model/bundle.h"

namespace pagoda::evaluate {

// BUNDLE.run: the folder that training leaves beside its bundle.
std::string run_folder(const std::string& bundle);
std::string judged_path(const std::string& bundle);  // BUNDLE.run/judged.pagoda, beside the bundle it was judged for

// The judged model of a served one, or nullptr if it is missing: never kept, moved away, or of another training.
std::shared_ptr<const model::Bundle> open_judged(const model::Bundle& served);

// The same, for callers that need one; a bundle that has not seen its test part is returned itself. Error{usage} says
// what can be done instead.
std::shared_ptr<const model::Bundle> need_judged(const std::shared_ptr<const model::Bundle>& bundle);

// Error{usage} if the bundle has learnt from its own test part.
void check_test_is_unseen(const model::Bundle& bundle);

}  // namespace pagoda::evaluate
