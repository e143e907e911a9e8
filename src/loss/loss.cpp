#include "loss/loss.h"

#include <cmath>

#include "core/error.h"
#include "math/simd_level.h"

namespace pagoda::loss {

void describe(OptionVisitor& visitor, LossOptions& options) {
  visitor.choice(
      "kind", options.kind,
      {{"sampled_softmax", LossKind::sampled_softmax},
       {"bce", LossKind::bce},
       {"triplet", LossKind::triplet},
       {"cosine_contrastive", LossKind::cosine_contrastive}},
      "over the columns that sampling.negatives draws; \"bce\": binary cross-entropy of each pair; \"triplet\": hinge "
      "with margin; \"cosine_contrastive\": positives to a cosine of 1, negatives below a margin (SimpleX); the last "
      "two "
      "ignore temperature, correction and logq_weight");
  visitor.number_or(
      "temperature", options.temperature, "learned",
      "divides the cosine, 0.05-0.2: lower separates the nearest items more, higher tolerates noisy clicks");
  visitor.choice(
      "correction", options.correction,
      {{"none", Correction::none},
       {"standard", Correction::standard},
       {"negatives", Correction::negatives},
       {"leave_one_out", Correction::leave_one_out}},
      "of the sampling bias (log q); \"none\" over-punishes popular items; which of the others wins differs by data");
  visitor.field("logq_weight", options.logq_weight,
                "beta: 1 keeps popularity in the score, 0 removes it; raise it when popular items come too rarely");
  visitor.number_or("temperature_ratio", options.temperature_ratio, "auto",
                    "t2/t1, how hard negatives push in sampled_softmax: 1 is the plain one; 1.2 is much better on some "
                    "data and worse on other; \"auto\": both are trained, and the validation part chooses");
  visitor.field("margin", options.margin,
                "of triplet: how much nearer the positive must be; raise it when most negatives are past it early "
                "(0.1-0.2 of a cosine is usual); of cosine_contrastive: the cosine that negatives may have (0.4-0.9)");
  visitor.field("negative_weight", options.negative_weight,
                "of cosine_contrastive: how much the mean of the negatives weighs beside a positive");
  visitor.field(
      "top_k", options.top_k,
      "SL@K: positives that are near the user's K-th best item, or above it, count most; 20 where lists of 20 "
      "are judged; 0: off. Costs a search of the catalogue for every user now and then");
  visitor.field("top_k_temperature", options.top_k_temperature,
                "of SL@K: how far from that item's cosine a positive's weight falls off; large: all weigh alike");
  visitor.field("top_k_start", options.top_k_start,
                "of SL@K: share of training before it begins; too early, and what is not yet learnt is let go");
  visitor.field("top_k_refresh", options.top_k_refresh, "of SL@K: epochs between two searches");
}

void validate(const LossOptions& options) {
  const auto positive = [](double x) { return x > 0 && std::isfinite(x); };
  if (options.temperature && !positive(*options.temperature))
    fail(ErrorKind::usage, "loss.temperature is {}, expected a number above 0; 0.05 to 0.2 is usual",
         *options.temperature);
  if (!(options.logq_weight >= 0) || !std::isfinite(options.logq_weight))
    fail(ErrorKind::usage, "loss.logq_weight is {}, expected 0 or more; 1 keeps popularity in the score",
         options.logq_weight);
  if (!positive(options.ratio()))
    fail(ErrorKind::usage, "loss.temperature_ratio is {}, expected a number above 0; 1 turns it off", options.ratio());
  if (!positive(options.margin))
    fail(ErrorKind::usage, "loss.margin is {}, expected a number above 0; 0.1 to 0.2 is usual", options.margin);
  if (!positive(options.negative_weight))
    fail(ErrorKind::usage, "loss.negative_weight is {}, expected a number above 0; 10 to 1000 is usual",
         options.negative_weight);
  if (options.kind == LossKind::cosine_contrastive && options.margin >= 1)
    fail(ErrorKind::usage,
         "loss.margin is {}, and no negative is above that cosine: nothing would be pushed away; "
         "0.4 to 0.9 is usual with kind = \"cosine_contrastive\"",
         options.margin);
  if (!reads_temperature(options.kind) && !options.temperature)
    fail(ErrorKind::usage,
         "loss.kind = \"{}\" has no temperature to learn; set loss.temperature to a number (it is not read)",
         options.kind == LossKind::triplet ? "triplet" : "cosine_contrastive");
  if (options.kind == LossKind::bce && options.correction == Correction::leave_one_out)
    fail(ErrorKind::usage,
         "loss.correction = \"leave_one_out\" is a form of sampled_softmax, not of bce; set \"standard\", "
         "\"negatives\" or "
         "\"none\"");
  if (options.kind == LossKind::sampled_softmax && options.correction == Correction::leave_one_out &&
      (options.logq_weight != 1 || options.ratio() != 1))
    fail(ErrorKind::usage,
         "loss.correction = \"leave_one_out\" has no logq_weight or temperature_ratio (they are {} and {}); "
         "set both to 1, or correction = \"standard\"",
         options.logq_weight, options.ratio());
  if (!(options.top_k_start >= 0 && options.top_k_start <= 1))
    fail(ErrorKind::usage, "loss.top_k_start is {}, expected a share, 0 to 1", options.top_k_start);
  if (options.top_k_refresh < 1)
    fail(ErrorKind::usage, "loss.top_k_refresh is {}, expected at least 1", options.top_k_refresh);
  if (options.top_k < 0) fail(ErrorKind::usage, "loss.top_k is {}, expected 0 or more; 0 turns it off", options.top_k);
  if (!positive(options.top_k_temperature))
    fail(ErrorKind::usage, "loss.top_k_temperature is {}, expected a number above 0; 0.1 to 0.3 is usual",
         options.top_k_temperature);
}

template <class T>
std::unique_ptr<Loss<T>> make_loss(const LossOptions& options, math::Precision precision) {
  validate(options);
  if (!math::use_bf16_loss()) precision = math::Precision::f32;
  switch (options.kind) {
    case LossKind::sampled_softmax: return make_sampled_softmax<T>(options, precision);
    case LossKind::bce: return make_binary_cross_entropy<T>(options);
    case LossKind::triplet: return make_triplet<T>(options);
    case LossKind::cosine_contrastive: return make_cosine_contrastive<T>(options);
  }
  check(false, "every kind of loss is made");
  return nullptr;
}

template std::unique_ptr<Loss<float>> make_loss(const LossOptions&, math::Precision);
template std::unique_ptr<Loss<double>> make_loss(const LossOptions&, math::Precision);

}  // namespace pagoda::loss
