# What `cmake --install` writes, a tree that can be moved as a whole:
#   bin/pagoda   lib/libpagoda.so   include/pagoda   share/{man,doc,bash-completion,zsh,fish}
#   lib/pagoda   Arrow and Parquet of the wheel, which no distribution's package of the same name can replace
#   lib/cmake/pagoda, lib/pkgconfig   for who builds against it
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(private "${CMAKE_INSTALL_LIBDIR}/pagoda")

install(TARGETS pagoda_shared EXPORT pagodaTargets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
set_target_properties(pagoda_shared PROPERTIES INSTALL_RPATH "\$ORIGIN/pagoda")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/pagoda" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")
foreach(library arrow parquet)
  install(FILES "$<TARGET_FILE:PyArrow::${library}>" DESTINATION "${private}")
endforeach()

install(EXPORT pagodaTargets NAMESPACE pagoda:: DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/pagoda")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/pagodaConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/pagodaConfig.cmake" INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/pagoda")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/pagodaConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/pagodaConfig.cmake" "${PROJECT_BINARY_DIR}/pagodaConfigVersion.cmake"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/pagoda")
file(RELATIVE_PATH prefix_from_pc "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" prefix_from_pc "${prefix_from_pc}")
configure_file("${PROJECT_SOURCE_DIR}/cmake/pagoda.pc.in" "${PROJECT_BINARY_DIR}/pagoda.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/pagoda.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/CHANGELOG.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
foreach(notice LICENSE NOTICE)  # of the wheel, as its license asks
  file(GLOB of_arrow "${PyArrow_LIBRARY_DIR}/../pyarrow-*.dist-info/licenses/${notice}.txt")
  install(FILES ${of_arrow} DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME "${notice}.arrow.txt")
endforeach()

if(PAGODA_PROGRAM)
  file(RELATIVE_PATH private_from_bin "/${CMAKE_INSTALL_BINDIR}" "/${private}")
  install(TARGETS pagoda RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  set_target_properties(pagoda PROPERTIES INSTALL_RPATH "\$ORIGIN/${private_from_bin}")

  # The program writes its own pages and completions, from what it knows of its commands.
  set(pages "${PROJECT_BINARY_DIR}/share")
  add_custom_command(OUTPUT "${pages}/written"
    COMMAND "${CMAKE_COMMAND}" -E rm -rf "${pages}"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${pages}"
    COMMAND pagoda pages "${pages}"
    COMMAND "${CMAKE_COMMAND}" -E touch "${pages}/written"
    DEPENDS pagoda VERBATIM COMMENT "Writing manual pages and completions")
  add_custom_target(pagoda_pages ALL DEPENDS "${pages}/written")
  install(DIRECTORY "${pages}/man1" DESTINATION "${CMAKE_INSTALL_MANDIR}")
  install(FILES "${pages}/pagoda.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME pagoda)
  install(FILES "${pages}/_pagoda" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
  install(FILES "${pages}/pagoda.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
endif()
