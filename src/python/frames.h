// Tables between Python and the rooms, by the Arrow PyCapsule interface. It includes nanobind.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <vector>

#include "formats/memory_tables.h"

namespace arrow {
class Table;
}

namespace pagoda::python {

// An Arrow table that Python holds as pagoda._core.ArrowTable: every program that knows the interface takes it.
class ArrowTable {
 public:
  explicit ArrowTable(std::shared_ptr<arrow::Table> table) : table_(std::move(table)) {}

  // All batches of an object with __arrow_c_stream__. Nothing is copied: they go on lying where the object made them.
  static ArrowTable of(const nanobind::object& object, const std::string& name);
  // Of columns, each an array of NumPy, with a type of Arrow's where NumPy has none ("timestamp[us]", ""), and a mask
  // of nulls or None; or a list of Python's values. Numbers without a mask are not copied.
  static ArrowTable of_columns(const std::vector<std::string>& names, const nanobind::list& columns,
                               const std::string& name);

  std::vector<std::string> columns() const;
  int64_t rows() const;
  nanobind::object stream() const;  // a capsule, as __arrow_c_stream__ gives it
  void export_to(ArrowArrayStream* out) const;

 private:
  std::shared_ptr<arrow::Table> table_;
};

// A dict of name to ArrowTable, as memory tables. Borrows nothing: the tables live as long as any reader of them.
formats::MemoryTables memory_tables(const nanobind::dict& tables);

void bind_frames(nanobind::module_& module);

}  // namespace pagoda::python
