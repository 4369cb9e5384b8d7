# C made of .proto files by protoc-c: protocol(NAME FOLDER folder FILES file ...), the files named
# from the folder. Sources include what it makes as "file.pb-c.h".
find_program(PROTOC_C protoc-c REQUIRED)

# protoc-c knows no `optional` of proto3; a oneof of one member is the same on the wire.
function(protocol_without_optional from to)
    file(READ ${from} text)
    if(text MATCHES "syntax = \"proto3\"")
        string(REGEX REPLACE "\n *optional ([a-z0-9_]+) ([a-z0-9_]+) = ([0-9]+);"
            "\n  oneof _\\2 { \\1 \\2 = \\3; }" text "${text}")
    endif()
    file(GENERATE OUTPUT ${to} CONTENT "${text}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${from})
endfunction()

function(protocol name)
    cmake_parse_arguments(PARSE_ARGV 1 PROTO "" "FOLDER" "FILES")
    set(in ${CMAKE_BINARY_DIR}/proto/${name})
    set(out ${CMAKE_BINARY_DIR}/generated)
    set(sources)
    foreach(file IN LISTS PROTO_FILES)
        string(REGEX REPLACE "\\.proto$" ".pb-c" made ${out}/${file})
        protocol_without_optional(${CMAKE_SOURCE_DIR}/${PROTO_FOLDER}/${file} ${in}/${file})
        add_custom_command(OUTPUT ${made}.c ${made}.h
            COMMAND ${PROTOC_C} --c_out=${out} -I${in} ${in}/${file}
            DEPENDS ${in}/${file} VERBATIM)
        list(APPEND sources ${made}.c)
    endforeach()
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC house PkgConfig::PROTOBUF_C)
    target_compile_options(${name} PRIVATE -w) # not ours
endfunction()
