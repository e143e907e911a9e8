#include "cli/unknown_names.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "data/id_overlap.h"

namespace pagoda::cli {

namespace {

constexpr size_t kMostNames = 1000;
constexpr uint32_t kExamples = 4;  // one more than is shown, so that it is known whether there are more

}  // namespace

void UnknownNames::Count::add(bool known, const std::string& name) {
  ++of;
  if (known) return;
  ++unknown;
  if (names.size() < kMostNames) names.add(name);
}

std::string UnknownNames::Count::examples() const {
  std::vector<std::string> some;
  for (uint32_t i = 0; i < std::min<uint32_t>(kExamples, names.size()); ++i) some.emplace_back(names[i]);
  return data::examples_of(some);
}

std::string UnknownNames::Count::hint(const columns::Interner& known) const {
  return data::spelling_hint(data::count_overlap({&names}, {&known}));
}

void UnknownNames::add(const retrieval::RetrieveRequest& request) {
  std::vector<const std::vector<std::string>*> lists{&request.recent};  // of items that tell of the user
  if (request.history) lists.push_back(&*request.history);
  for (const auto& [kind, items] : request.events) lists.push_back(&items);
  if (request.user) {
    const bool known = retrieval_.knows_user(request);
    users_.add(known, *request.user);
    const auto in_catalogue = [&](const std::string& item) {
      return retrieval_.find_item(item) != columns::Interner::kNone;
    };
    const bool has_history =
        std::ranges::any_of(lists, [&](const auto* items) { return std::ranges::any_of(*items, in_catalogue); });
    if (!known && (has_history || !request.features.empty())) ++told_otherwise_;
  }
  for (const auto* items : lists)
    for (const auto& item : *items) history_.add(retrieval_.find_item(item) != columns::Interner::kNone, item);
  for (const auto& value : retrieval_.unseen_values(request)) values_.add(false, value);
}

void UnknownNames::add_answers(const index::SearchResult& found) {
  for (size_t q = 0; q < found.items.size(); ++q) {
    ++answers_;
    empty_ += found.items[q].empty();
  }
}

std::string UnknownNames::unknown_users() const {
  return fmt::format("{} of {} users are unknown to the model: {}", users_.unknown, users_.of, users_.examples());
}

void UnknownNames::check_share(double max) const {
  const size_t nothing_known = users_.unknown - told_otherwise_;
  if (static_cast<double>(nothing_known) <= max * static_cast<double>(users_.of)) return;
  fail(ErrorKind::input, "{}{}; --max-unknown {} allows {:.0f}, and --max-unknown 1 answers all of them alike{}",
       unknown_users(),
       told_otherwise_ > 0 ? fmt::format(", and the lines of {} say nothing else of them", nothing_known) : "", max,
       std::floor(max * static_cast<double>(users_.of)), users_.hint(retrieval_.bundle().user_ids()));
}

void UnknownNames::say() const {
  if (users_.unknown > 0)
    log_warning("{}{}{}", unknown_users(),
                told_otherwise_ == users_.unknown ? "; their answers use their lines alone"
                : told_otherwise_ > 0
                    ? fmt::format("; the answers of {} use their lines, the others get the answer for an unknown user",
                                  told_otherwise_)
                    : "; they get the answer for an unknown user",
                users_.hint(retrieval_.bundle().user_ids()));
  if (history_.unknown > 0)
    log_warning("{} of {} items of histories are not in the catalogue and are ignored: {}{}", history_.unknown,
                history_.of, history_.examples(), history_.hint(retrieval_.bundle().item_ids()));
  if (values_.unknown > 0)
    log_warning("{} values are unknown to the model and are encoded as one rare value: {}", values_.unknown,
                values_.examples());
  if (empty_ > 0) log_warning("{} of {} answers are empty", empty_, answers_);
}

}  // namespace pagoda::cli
