// Counts the users, items and values of all requests that a bundle does not know, for one summary.
#pragma once

#include <string>
#include <vector>

#include "retrieval/retrieval.h"

namespace pagoda::cli {

class UnknownNames {
 public:
  explicit UnknownNames(const retrieval::Retrieval& retrieval) : retrieval_(retrieval) {}
  void add(const retrieval::RetrieveRequest& request);
  void add_answers(const index::SearchResult& found);  // counts those without an item
  // Error{input}: of more than the share `max` of the users nothing is known: the model does not know them, and their
  // lines give neither items that it knows nor features. Call it before writing anything.
  void check_share(double max) const;
  // A warning for each: unknown users, items of histories that are not in the catalogue, values never seen, empty
  // answers.
  void say() const;

 private:
  struct Count {
    size_t of = 0, unknown = 0;
    columns::Interner names;  // of the unknown ones, each once; the first thousand
    void add(bool known, const std::string& name);
    std::string examples() const;
    // A hint, after a semicolon, that the known ids have another spelling; "" for none.
    std::string hint(const columns::Interner& known) const;
  };
  std::string unknown_users() const;

  const retrieval::Retrieval& retrieval_;
  Count users_, history_, values_;
  size_t told_otherwise_ = 0;  // unknown users with a history or features of their own
  size_t answers_ = 0, empty_ = 0;
};

}  // namespace pagoda::cli
