# pagoda._core, what the Python package in python/pagoda stands on, for the Python of Python_EXECUTABLE. Beside it lie the
# package's own files, so that "${PROJECT_BINARY_DIR}/python" on PYTHONPATH is the whole package.
find_package(Python 3.10 COMPONENTS Interpreter Development.Module OPTIONAL_COMPONENTS Development.SABIModule REQUIRED)
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir OUTPUT_VARIABLE nanobind_ROOT
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)

file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/python/*.cpp")
# The stable ABI begins with CPython 3.12: one module for all versions from there on.
nanobind_add_module(pagoda_python STABLE_ABI NB_STATIC NOMINSIZE NB_DOMAIN pagoda ${sources})
set(python_folder "${PROJECT_BINARY_DIR}/python/pagoda")
set_target_properties(pagoda_python PROPERTIES OUTPUT_NAME _core LIBRARY_OUTPUT_DIRECTORY "${python_folder}")
target_compile_options(pagoda_python PRIVATE ${PAGODA_FLAGS})
target_link_libraries(pagoda_python PRIVATE pagoda_cli pagoda_library)

# The wheel (pyproject.toml) holds the module and the program; auditwheel lays the libraries of both beside them.
install(TARGETS pagoda_python LIBRARY DESTINATION pagoda COMPONENT python EXCLUDE_FROM_ALL)
if(PAGODA_PROGRAM)
  install(TARGETS pagoda RUNTIME DESTINATION pagoda/_program COMPONENT python EXCLUDE_FROM_ALL)
endif()

file(GLOB_RECURSE package CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}/python/pagoda"
     "${PROJECT_SOURCE_DIR}/python/pagoda/*.py" "${PROJECT_SOURCE_DIR}/python/pagoda/*.pyi"
     "${PROJECT_SOURCE_DIR}/python/pagoda/py.typed")
foreach(file ${package})
  add_custom_command(OUTPUT "${python_folder}/${file}"
    COMMAND "${CMAKE_COMMAND}" -E copy "${PROJECT_SOURCE_DIR}/python/pagoda/${file}" "${python_folder}/${file}"
    DEPENDS "${PROJECT_SOURCE_DIR}/python/pagoda/${file}" VERBATIM)
  list(APPEND copied "${python_folder}/${file}")
endforeach()
add_custom_target(pagoda_python_files ALL DEPENDS ${copied})
