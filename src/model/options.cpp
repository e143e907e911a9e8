#include "model/options.h"

#include "core/error.h"

namespace pagoda::model {

void describe(OptionVisitor& f, ModelOptions& o) {
  f.field("dim", o.dim, "length of the vectors both towers end in; 128 gains a little and costs twice");
  f.field("normalise", o.normalise, "vectors of unit length (the score is a cosine); rarely better off");
  f.choice("combine", o.combine, {{"sum", Combine::sum}, {"concat", Combine::concat}},
           "sum: ids and the history are added to what the layers make of the features; concat: the layers read all "
           "side by side, which learns more by heart");
  f.choice(
      "precision", o.precision, {{"f32", math::Precision::f32}, {"bf16", math::Precision::bf16}},
      "\"bf16\": the loss multiplies rounded vectors, and is three times as fast with AMX, nearly twice with a fast "
      "AVX-512 BF16 (pagoda doctor says); elsewhere it stays f32, and parameters and sums always do");
  f.choice("table_precision", o.table_precision, {{"f32", math::Precision::f32}, {"bf16", math::Precision::bf16}},
           "\"bf16\": table rows take half the memory, rounded at random so that small steps count; the optimiser's "
           "sums stay f32 (optimizer = \"row_adagrad\" keeps 4 bytes a row)");
  f.field("dropout", o.dropout, "share of hidden units switched off in training, for towers with hidden layers");
}

void validate(const ModelOptions& o) {
  if (o.dim < 1 || o.dim > 1024) fail(ErrorKind::usage, "model.dim = {} is not in 1 .. 1024", o.dim);
  if (!(o.dropout >= 0 && o.dropout < 1)) fail(ErrorKind::usage, "model.dropout = {} is not in [0, 1)", o.dropout);
}

}  // namespace pagoda::model
