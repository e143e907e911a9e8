# Arrow and Parquet for C++ from the `pyarrow` wheel of PAGODA_TOOLS (Debian has no Arrow package).
# Gives PyArrow::arrow, PyArrow::parquet and PyArrow_VERSION.
find_package(Python 3.10 COMPONENTS Interpreter REQUIRED)
set(PAGODA_TOOLS "${Python_EXECUTABLE}" CACHE FILEPATH "the Python whose environment holds requirements.txt")
execute_process(
  COMMAND "${PAGODA_TOOLS}" -c
          "import pyarrow as p; print(p.get_include(), p.get_library_dirs()[0], p.__version__, sep=';', end='')"
  OUTPUT_VARIABLE wheel RESULT_VARIABLE status ERROR_QUIET)
if(status EQUAL 0)
  list(GET wheel 0 PyArrow_INCLUDE_DIR)
  list(GET wheel 1 PyArrow_LIBRARY_DIR)
  list(GET wheel 2 PyArrow_VERSION)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(PyArrow REQUIRED_VARS PyArrow_INCLUDE_DIR PyArrow_LIBRARY_DIR
                                  VERSION_VAR PyArrow_VERSION)
foreach(name arrow parquet)
  if(PyArrow_FOUND AND NOT TARGET PyArrow::${name})
    # The wheel ships libarrow.so.NNNN without the plain libarrow.so a linker looks for.
    file(GLOB library "${PyArrow_LIBRARY_DIR}/lib${name}.so.[0-9]*")
    list(GET library 0 library)
    add_library(PyArrow::${name} SHARED IMPORTED)
    set_target_properties(PyArrow::${name} PROPERTIES IMPORTED_LOCATION "${library}"
                          INTERFACE_INCLUDE_DIRECTORIES "${PyArrow_INCLUDE_DIR}")
    if(NOT name STREQUAL "arrow")
      target_link_libraries(PyArrow::${name} INTERFACE PyArrow::arrow)
    endif()
  endif()
endforeach()
