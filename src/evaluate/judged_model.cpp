#include "evaluate/judged_model.h"

#include "core/error.h"
#include "core/file.h"
#include "core/log.h"

namespace pagoda::evaluate {

std::string run_folder(const std::string& bundle) { return bundle + ".run"; }

std::string judged_path(const std::string& bundle) { return run_folder(bundle) + "/judged.pagoda"; }

std::shared_ptr<const model::Bundle> open_judged(const model::Bundle& served) {
  const auto path = judged_path(served.file().path());
  if (!served.judged() || !file_exists(path)) return nullptr;
  if (model::fingerprint_of_bundle(path) == served.judged()->fingerprint) return model::Bundle::open(path);
  log_warning("{}: is of another training than {}, and is passed over", path, served.file().path());
  return nullptr;
}

void check_test_is_unseen(const model::Bundle& bundle) {
  const auto& info = bundle.info();
  if (!info.all_rows) return;
  const auto& path = bundle.file().path();
  if (bundle.ensemble())
    fail(ErrorKind::usage,
         "{}: its models have learnt from all rows, the test part included, which can judge them no more; make an "
         "ensemble of the judged models (MODEL.run/judged.pagoda) and evaluate that one, or give new rows with --data",
         path);
  if (!bundle.judged())
    fail(
        ErrorKind::usage,
        "{}: was trained on all rows (data.split.kind = \"none\"), so there is nothing to judge it by; to get a figure "
        "train with a split that keeps a test part, or give rows that it has not seen with --data",
        path);
  fail(ErrorKind::usage,
       "{}: has learnt from all rows, the test part included, which can judge it no more; the model that was judged in "
       "its place, {}, is not there: put it back, or give new rows with --data",
       path, judged_path(path));
}

std::shared_ptr<const model::Bundle> need_judged(const std::shared_ptr<const model::Bundle>& bundle) {
  if (!bundle->info().all_rows) return bundle;
  auto judged = open_judged(*bundle);
  if (!judged) check_test_is_unseen(*bundle);
  return judged;
}

}  // namespace pagoda::evaluate
