// pagoda._core, on which the Python package pagoda stands (python/pagoda).
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <pagoda/index.h>
#include <pagoda/version.h>

#include <exception>
#include <optional>
#include <string>

#include "core/error.h"
#include "python/frames.h"
#include "python/loaded.h"
#include "python/training.h"
#include "python/watched.h"

namespace nb = nanobind;

namespace pagoda::python {

namespace {

const char* class_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return "UsageError";
    case ErrorKind::input: return "InputError";
    case ErrorKind::interrupted: return "Interrupted";
    case ErrorKind::failed: break;
  }
  return "FailedError";
}

// As a class of pagoda._errors, with the command line's words.
void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& e) {
    const auto type = nb::module_::import_("pagoda._errors").attr(class_of(e.kind()));
    const std::string what = e.what();
    const auto text = nb::steal(PyUnicode_DecodeUTF8(what.data(), static_cast<Py_ssize_t>(what.size()), "replace"));
    const auto error = type(text, e.field());
    PyErr_SetObject(type.ptr(), error.ptr());
  }
}

// Builds an index over vectors and writes it as a bundle.
void build_index(const QueryArray& vectors, const std::string& output, const std::vector<std::string>& ids,
                 const nb::dict& attributes, bool partitioned, bool cosine, bool half_precision, double recall,
                 size_t k, uint64_t seed, int threads, const std::optional<QueryArray>& sample_queries,
                 const nb::object& on_event) {
  IndexOptions options{.kind = partitioned ? IndexKind::partitioned : IndexKind::exact,
                       .cosine = cosine,
                       .half_precision = half_precision,
                       .ids = ids};
  for (const auto& [name, values] : attributes) {
    auto& column = options.attributes.emplace_back();
    column.name = nb::cast<std::string>(name);
    if (std::vector<int64_t> integers; nb::try_cast(values, integers))
      column.values = std::move(integers);
    else if (std::vector<double> reals; nb::try_cast(values, reals))
      column.values = std::move(reals);
    else
      column.values = nb::cast<std::vector<std::string>>(values);
  }
  options.recall = recall;
  options.k = k;
  options.seed = seed;
  options.threads = threads;
  if (sample_queries)
    options.sample_queries = {sample_queries->data(), sample_queries->shape(0), sample_queries->shape(1)};
  run_watched(
      [&](const std::atomic<bool>&) {
        Index::build({vectors.data(), vectors.shape(0), vectors.shape(1)}, options).save(output);
      },
      on_event);
}

}  // namespace

}  // namespace pagoda::python

NB_MODULE(_core, module) {
  using namespace pagoda::python;
  module.doc() = "The engine of Pagoda. Use the package pagoda; this module may change with any version.";
  nb::set_leak_warnings(false);  // objects of ours that live until Python ends are no leak
  nb::register_exception_translator(translate);
  take_messages();
  bind_frames(module);
  bind_loaded(module);
  bind_training(module);
  module.def("build_index", &build_index);
  module.def("drain", &drain, nb::arg("on_event"));
  module.def("anything_queued", &anything_queued);
  module.attr("__version__") = std::string(pagoda::version());
}
