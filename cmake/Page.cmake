# The page of `pagoda serve --ui`: web/ through npm and Vite, then into the library of the server, byte by byte.
# npm and node are those of .venv (requirements.txt), beside the Python of PAGODA_TOOLS.

cmake_path(GET PAGODA_TOOLS PARENT_PATH page_tools)
find_program(NPM npm HINTS "${page_tools}" NO_DEFAULT_PATH REQUIRED)
set(npm ${CMAKE_COMMAND} -E env "PATH=${page_tools}:$ENV{PATH}" "${NPM}")

set(page_root "${PROJECT_SOURCE_DIR}/web")
set(page_folder "${PROJECT_BINARY_DIR}/page")
set(page_files "${page_folder}/index.html" "${page_folder}/page.js" "${page_folder}/page.css")
set(page_packages "${page_root}/node_modules/.package-lock.json")  # npm writes it last
file(GLOB page_sources CONFIGURE_DEPENDS "${page_root}/src/*.ts" "${page_root}/src/*.css")

add_custom_command(
  OUTPUT "${page_packages}"
  COMMAND ${npm} ci --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch "${page_packages}"
  DEPENDS "${page_root}/package.json" "${page_root}/package-lock.json" "${page_root}/.npmrc"
  WORKING_DIRECTORY "${page_root}"
  COMMENT "Installing the packages of web/"
  VERBATIM)
add_custom_command(
  OUTPUT ${page_files}
  COMMAND ${npm} run --silent build -- --outDir "${page_folder}"
  COMMAND ${CMAKE_COMMAND} -E touch ${page_files}
  DEPENDS "${page_packages}" ${page_sources} "${page_root}/index.html" "${page_root}/vite.config.ts" "${page_root}/tsconfig.json"
  WORKING_DIRECTORY "${page_root}"
  COMMENT "Building the page"
  VERBATIM)
add_custom_target(page DEPENDS ${page_files})
add_dependencies(pagoda_server page)
set_source_files_properties("${PROJECT_SOURCE_DIR}/src/server/ui/page_files.cpp" PROPERTIES
  COMPILE_DEFINITIONS "PAGODA_PAGE_DIR=\"${page_folder}\"" OBJECT_DEPENDS "${page_files}")
