# libpagoda: the room `library` with all that it stands on, showing what include/pagoda declares and nothing else.
set(library_map "${PROJECT_SOURCE_DIR}/cmake/libpagoda.map")
add_library(pagoda_shared SHARED $<TARGET_OBJECTS:pagoda_library>)
add_library(pagoda::pagoda ALIAS pagoda_shared)
# Before 1.0 a minor version may change what programs were compiled against.
set_target_properties(pagoda_shared PROPERTIES
  OUTPUT_NAME pagoda EXPORT_NAME pagoda LINKER_LANGUAGE CXX LINK_DEPENDS "${library_map}"
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_link_libraries(pagoda_shared PRIVATE pagoda_library)
target_link_options(pagoda_shared PRIVATE "-Wl,--version-script=${library_map}")
if(NOT PAGODA_SANITIZER)  # whose functions the program brings
  target_link_options(pagoda_shared PRIVATE -Wl,--no-undefined)
endif()
target_include_directories(pagoda_shared INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>" $<INSTALL_INTERFACE:include>)
target_compile_features(pagoda_shared INTERFACE cxx_std_20)
