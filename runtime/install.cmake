# What applications are built with: libraries, headers, and how CMake and pkg-config find them. All of
# it may be moved together.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/cssrun)
foreach(kind shared static)
  install(TARGETS cssrun_${kind} EXPORT cssrun_${kind}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
  install(EXPORT cssrun_${kind} NAMESPACE cssrun:: DESTINATION ${package_dir}
    FILE cssrun-${kind}.cmake COMPONENT development)
endforeach()
install(DIRECTORY include/cssrun DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

configure_package_config_file(cssrun-config.cmake.in cssrun-config.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/cssrun-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cssrun-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/cssrun-config-version.cmake
  DESTINATION ${package_dir} COMPONENT development)

# From the .pc file's folder to the prefix, however deep the library folder is.
file(RELATIVE_PATH prefix_from_pc
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
configure_file(cssrun.pc.in cssrun.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/cssrun.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
