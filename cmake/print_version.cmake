# cmake -P: the version and the instant of what would be built, for scripts/release.
get_filename_component(CMAKE_SOURCE_DIR ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
file(STRINGS ${CMAKE_SOURCE_DIR}/CMakeLists.txt project REGEX "^project.*VERSION")
string(REGEX REPLACE ".*VERSION ([0-9.]+).*" "\\1" PROJECT_VERSION "${project}")
include(${CMAKE_SOURCE_DIR}/cmake/version.cmake)
message("${VERSION} $ENV{SOURCE_DATE_EPOCH}")
