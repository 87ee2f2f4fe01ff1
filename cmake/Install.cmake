# What `cmake --install` puts where: libcauseway.so and .a, include/causeway, causeway.pc, the CMake package
# causeway, and the programs. Whoever links the static library needs the outside libraries too; their pkg-config
# names are in Requires.private and in the CMake package.
include(CMakePackageConfigHelpers)

get_property(packages GLOBAL PROPERTY CW_PACKAGES)
list(REMOVE_DUPLICATES packages)
list(JOIN packages ", " CW_REQUIRES_PRIVATE)
get_property(system GLOBAL PROPERTY CW_SYSTEM)
list(APPEND system pthread m)
list(REMOVE_DUPLICATES system)
list(TRANSFORM system PREPEND "-l")
list(JOIN system " " CW_LIBS_PRIVATE)

list(JOIN packages " " CW_REQUIRES_LIST)
set(CW_LIBS_PRIVATE_LIST "${system}")
set(CW_SHARED_NAME libcauseway${CMAKE_SHARED_LIBRARY_SUFFIX})
set(CW_SHARED_SONAME libcauseway${CMAKE_SHARED_LIBRARY_SUFFIX}.0)

install(TARGETS causeway LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS causeway_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/causeway DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
get_property(programs GLOBAL PROPERTY CW_PROGRAMS)
if(programs)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

configure_file(cmake/causeway.pc.in causeway.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/causeway.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/causeway)
configure_package_config_file(cmake/causewayConfig.cmake.in causewayConfig.cmake
  INSTALL_DESTINATION ${config_folder} PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(causewayConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/causewayConfig.cmake ${PROJECT_BINARY_DIR}/causewayConfigVersion.cmake
  DESTINATION ${config_folder})
