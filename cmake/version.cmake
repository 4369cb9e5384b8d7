# VERSION, REVISION, BRANCH and BUILD_DATE of what is built: of git, or of the archive git made (see
# .gitattributes). The date is that of the commit, or SOURCE_DATE_EPOCH: the same sources give the
# same bytes whenever and wherever they are built.
set(VERSION ${PROJECT_VERSION})
set(BRANCH unknown)
file(STRINGS ${CMAKE_SOURCE_DIR}/cmake/archive.txt archived LIMIT_COUNT 1)
if(archived MATCHES "^[$]")
    foreach(words "rev-parse --short=12 HEAD" "log -1 --format=%ct"
            "describe --tags --match=v[0-9]*" "rev-parse --abbrev-ref HEAD")
        separate_arguments(arguments UNIX_COMMAND "${words}")
        execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} ${arguments} OUTPUT_VARIABLE said
            OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
        if(NOT said)
            set(said -)
        endif()
        list(APPEND found ${said})
    endforeach()
    list(GET found 3 branch)
    if(NOT branch STREQUAL "-")
        set(BRANCH ${branch})
    endif()
else()
    separate_arguments(found UNIX_COMMAND "${archived} - - -")
endif()
list(GET found 0 REVISION)
list(GET found 1 epoch)
list(GET found 2 described)
if(REVISION STREQUAL "-")
    set(REVISION unknown)
else()
    string(SUBSTRING ${REVISION} 0 12 REVISION)
endif()

# "v0.2.0" is a release, "v0.2.0-12-gabcdef" twelve commits later.
if(described MATCHES "^v([0-9][^-]*)-([0-9]+)-(g[0-9a-f]+)$")
    set(VERSION ${CMAKE_MATCH_1}+${CMAKE_MATCH_2}.${CMAKE_MATCH_3})
elseif(described MATCHES "^v([0-9].*)$")
    set(VERSION ${CMAKE_MATCH_1})
endif()

if(NOT DEFINED ENV{SOURCE_DATE_EPOCH} AND epoch MATCHES "^[0-9]+$")
    set(ENV{SOURCE_DATE_EPOCH} ${epoch})
endif()
string(TIMESTAMP BUILD_DATE "%Y%m%d-%H:%M:%S" UTC)
