#include <algorithm>
#include <filesystem>

#include "cli/commands.h"
#include "cli/results.h"
#include "cli/unknown_names.h"
#include "cli/user_lines.h"
#include "core/log.h"
#include "data/id_overlap.h"
#include "data/vector_file.h"
#include "evaluate/bundle_evaluation.h"
#include "retrieval/retrieval.h"

namespace pagoda::cli {

void run_encode(const EncodeArgs& args) {
  const retrieval::Retrieval retrieval(model::Bundle::open(args.model));
  const auto& bundle = retrieval.bundle();
  ThreadPool pool(0);
  std::vector<std::string> ids;
  const bool parquet = files::format_named_by(args.output) == files::Format::parquet;
  const auto& info = bundle.info();
  if (args.what == "users") {
    std::vector<retrieval::RetrieveRequest> requests;
    if (args.input.empty()) {
      for (uint32_t u = 0; u < bundle.user_ids().size(); ++u)
        requests.emplace_back().user = std::string(bundle.user_ids()[u]);
    } else {
      UnknownNames unknown(retrieval);
      const UserLines lines(args.input, retrieval);
      for (size_t line = 0; line < lines.size(); ++line) {
        requests.push_back(lines.request(line));
        unknown.add(requests.back());
      }
      unknown.say();
      if (requests.empty()) log_warning("{}: has no user, so no vector is written", lines.name());
      const auto nameless = std::ranges::count_if(requests, [](const auto& r) { return !r.user; });
      if (nameless > 0)
        log_warning("{} of {} lines of {} name no user: the ids of their vectors are empty", nameless, requests.size(),
                    args.input);
    }
    for (const auto& r : requests) ids.push_back(r.user.value_or(""));
    data::write_vectors(args.output, retrieval.user_vectors(pool, requests), ids, "user",
                        parquet && info.integer_users && all_integers("user", ids));
  } else if (args.what == "items") {
    if (args.input.empty()) {
      for (uint32_t i = 0; i < bundle.item_ids().size(); ++i) ids.emplace_back(bundle.item_ids()[i]);
      math::Matrix<float> room;
      data::write_vectors(args.output, math::as_floats(bundle.item_vectors(), room), ids, "item",
                          parquet && info.integer_items && all_integers("item", ids));
    } else {
      const auto data = evaluate::bundle_options(bundle, {}).data;
      // A table in another format has another form, but the same null values.
      columns::TableForm form{.null_values = data.items_form.null_values};
      if (std::filesystem::path(args.input).extension() == std::filesystem::path(data.items).extension())
        form = data.items_form;
      const auto table = data::load_attributes({.paths = {args.input},
                                                .format = files::Format::automatic,
                                                .id = data.items_id.empty() ? data.item : data.items_id,
                                                .vectors = data.item_vector_columns,
                                                .form = form,
                                                .bad_rows = data.bad_rows});
      for (const auto& member : bundle.members())
        for (const auto* feature : member.model.item_encoder.vector_features())
          if (!table.find_vectors(feature->name()))
            fail(ErrorKind::usage,
                 "{}: has no column '{}', whose vectors the model reads; add it as a column of lists of {} numbers",
                 args.input, feature->name(), feature->dim());
      for (uint32_t i = 0; i < table.ids.size(); ++i) ids.emplace_back(table.ids[i]);
      data::report_overlap(data::count_overlap({&table.ids}, {&bundle.item_ids()}),
                           {args.model, "items of " + args.input, "each is encoded by its attributes alone"}, true);
      data::write_vectors(args.output, retrieval.item_vectors(pool, table.ids, &table), ids, "item",
                          parquet && info.integer_items && all_integers("item", ids));
    }
  } else {
    fail(ErrorKind::usage, "'{}' cannot be encoded; say users or items", args.what);
  }
  log_info("{}: {} vectors of {} components", args.output, ids.size(), bundle.info().dim);
}

}  // namespace pagoda::cli
