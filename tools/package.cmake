# CPack's Debian packages, libcssrun0 (the shared library), libcssrun-dev, cssrun (programs, man pages,
# completions) and, where they are built, cssrun-video (what reads videos) and python3-cssrun. tools/package.sh makes them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME cssrun)
set(CPACK_PACKAGE_VENDOR cssrun)
set(CPACK_PACKAGE_CONTACT "The cssrun authors <cssrun@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development tools)
if(CSSRUN_PYTHON)
  list(APPEND CPACK_COMPONENTS_ALL python)
endif()
if(TARGET cssrun_video)
  list(APPEND CPACK_COMPONENTS_ALL video)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libcssrun${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION
  "Runs networks of spiking neurons on CPUs\n The shared library that applications link.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcssrun-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# Highway and oneTBB only for linking statically.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libcssrun${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libhwy-dev, libtbb-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
  "Runs networks of spiking neurons on CPUs: for developers\n Headers for C and C++, the static library, and files for CMake and pkg-config.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME cssrun)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION
  "Runs networks of spiking neurons on CPUs: programs\n cssconvert makes such a network of a trained ANN, cssrun classifies images\n with it, cssinspect shows what is in it.")
set(CPACK_DEBIAN_VIDEO_PACKAGE_NAME cssrun-video)
set(CPACK_DEBIAN_VIDEO_PACKAGE_SECTION science)
set(CPACK_DEBIAN_VIDEO_PACKAGE_DEPENDS "cssrun (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_VIDEO_DESCRIPTION
  "Runs networks of spiking neurons on CPUs: videos and cameras\n The module with which cssrun --stream reads them.")
set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-cssrun)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
# The module is compiled for one version of Python.
math(EXPR next_minor "${Python_VERSION_MINOR} + 1")
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS
  "python3-numpy, python3 (>= 3.${Python_VERSION_MINOR}), python3 (<< 3.${next_minor})")
set(CPACK_DEBIAN_PYTHON_DESCRIPTION
  "Runs networks of spiking neurons on CPUs: Python module\n Runs them on NumPy arrays, and makes them of trained ANNs.")
foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} upper)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright COMPONENT ${component}
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
endforeach()
include(CPack)
