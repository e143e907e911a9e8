# `cpack` in the build folder makes pagoda_VERSION_ARCHITECTURE.deb of what Install.cmake installs; ./run package calls it.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pagoda)
set(CPACK_PACKAGE_CONTACT "Pagoda <pagoda@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "The recall stage of a recommender: trains two towers, indexes, answers")
set(CPACK_PACKAGE_DESCRIPTION "A log of who clicked what goes in; out of the whole catalogue each user gets candidates.
The program pagoda trains, evaluates and serves; libpagoda is the same for C++ programs.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
# Depends is what dpkg-shlibdeps finds; Arrow and Parquet lie in the package itself, in lib/pagoda.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${PyArrow_LIBRARY_DIR}")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/triggers")
include(CPack)
