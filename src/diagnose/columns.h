// Computes which items are expected to become columns of a row's logits: exact over shuffled epochs, from the counts
// alone.
//
// An epoch is a random order of the N rows of the log, cut into S = N / B batches of B; the N - S B rows left over are
// not used (dataset/batcher.h). Each row's item is a column for the other rows of its batch.
#pragma once

#include <cstdint>

#include "diagnose/popularity.h"

namespace pagoda::diagnose {

struct BatchShape {
  uint64_t rows;   // N
  uint64_t batch;  // B, 1 ... N
  uint64_t steps() const { return rows / batch; }
};

// The log of the probability that none of `marked` out of `rows` is among `drawn` rows drawn without replacement:
// C(rows - marked, drawn) / C(rows, drawn). 0 if nothing is marked or drawn, -infinity if one must be drawn.
// O(min(marked, drawn)).
double log_absence(uint64_t rows, uint64_t marked, uint64_t drawn);

// The expected number of items that are in no batch of an epoch, including those never clicked.
double items_absent_from_epoch(const Popularity& popularity, const BatchShape& shape);

// The expected number of different items in a batch.
double items_in_batch(const Popularity& popularity, const BatchShape& shape);

// The probability that an item with `count` clicks is a column beside a row of someone who has not clicked it.
double chance_beside_row(uint64_t count, const BatchShape& shape);
// The same with `draws` more columns, each uniform over `items`.
double chance_beside_row(uint64_t count, const BatchShape& shape, uint64_t draws, uint64_t items);

// The expected number of items that are a column beside none of a user's `user_rows` rows in an epoch, if the user
// clicked none of the items. Exact, except that the number of batches that have a row of the user is replaced by its
// expectation.
double items_absent_from_user(const Popularity& popularity, const BatchShape& shape, uint64_t user_rows);

// The effective number of in-batch columns and `draws` uniform ones; lambda_j = B q_j + draws / items is the expected
// count of item j.
//   different   1 / sum p^2, p = lambda / sum lambda: how many equally likely items would collide as often
//   columns     corrected by log lambda, a column weighs 1 / lambda: the sum over the catalogue is then as noisy as one
//               from so many uniform draws, items^2 / sum 1/lambda (Kish's effective sample size, in expectation). This
//               holds while all logits are alike, as when training begins; once the model knows what is popular, its
//               sum lies where in-batch columns are, and they are worth more
//   reached     the number of items with lambda > 0; the other two figures cover these alone
struct EffectiveNegatives {
  double different = 0, columns = 0;
  uint64_t reached = 0;
};
EffectiveNegatives effective_negatives(const Popularity& popularity, const BatchShape& shape, uint64_t draws);

}  // namespace pagoda::diagnose
