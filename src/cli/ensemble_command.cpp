#include <pagoda/version.h>

#include <charconv>

#include "cli/commands.h"
#include "core/log.h"
#include "evaluate/bundle_evaluation.h"
#include "evaluate/ensemble_weights.h"
#include "files/byte_sink.h"
#include "model/ensemble.h"

namespace pagoda::cli {

namespace {

// Parses `n` numbers between commas; write_ensemble checks that they are valid weights.
std::vector<double> parse_weights(const std::string& text, size_t n) {
  std::vector<double> weights;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    double weight = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + comma, weight);
    if (error != std::errc() || end != text.data() + comma)
      fail(ErrorKind::usage, "--weights {}: write a number a bundle, such as 0.7,0.3", text);
    weights.push_back(weight);
    at = comma + 1;
  }
  if (weights.size() != n) fail(ErrorKind::usage, "--weights {}: {} weights for {} bundles", text, weights.size(), n);
  return weights;
}

// Warns if one model was trained on the test part of another, which would make the ensemble's figures too good.
void warn_of_other_data(const std::vector<model::EnsemblePart>& parts) {
  const auto data_of = [](const model::Bundle& bundle) {
    dataset::Options only;
    only.data = evaluate::bundle_options(bundle, {}).data;
    return dataset::to_toml(only, false);
  };
  const auto first = data_of(*parts[0].bundle);
  for (const auto& part : parts)
    if (data_of(*part.bundle) != first)
      log_warning(
          "{} has another [data] in its config than {}: it may have been trained on what the other is tested on",
          part.bundle->file().path(), parts[0].bundle->file().path());
}

}  // namespace

void run_ensemble(const EnsembleArgs& args) {
  files::check_not_compressed(args.output, "a bundle");
  const size_t n = args.models.size();
  if (!args.weights.empty() && !args.choose.empty())
    fail(ErrorKind::usage, "--weights gives the weights and --choose finds them: give one of the two");
  auto weights =
      args.weights.empty() ? std::vector<double>(n, 1.0 / static_cast<double>(n)) : parse_weights(args.weights, n);
  std::vector<model::EnsemblePart> parts;
  for (size_t i = 0; i < n; ++i) parts.push_back({model::Bundle::open(args.models[i]), weights[i]});
  model::check_ensemble(parts);
  warn_of_other_data(parts);
  if (!args.choose.empty()) {
    ThreadPool pool(0);
    const auto chosen = evaluate::choose_weights(pool, parts, args.choose);
    for (size_t i = 0; i < n; ++i) parts[i].weight = chosen.weights[i];
    log_info("{} = {:.4f} on validation; the best bundle alone {:.4f}", args.choose, chosen.value, chosen.best_alone);
  }
  model::write_ensemble(args.output, parts, std::string(version()));
  size_t dim = 0;
  for (const auto& part : parts) {
    log_info("  {:.4f}  {}", part.weight, part.bundle->file().path());
    dim += part.bundle->item_vectors().cols();
  }
  log_info("{}: {} items, vectors of {}", args.output, parts[0].bundle->item_ids().size(), dim);
}

}  // namespace pagoda::cli
