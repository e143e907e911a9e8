// Training, evaluation and what goes with them, for Python. It includes nanobind.
#pragma once

#include <nanobind/nanobind.h>

namespace pagoda::python {

void bind_training(nanobind::module_& module);

}  // namespace pagoda::python
