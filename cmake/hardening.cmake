# What a release is compiled and linked with, so that a fault in it is harder to use. Each flag is
# asked for: an older compiler leaves out what it does not know. tests/integration/hardened.py reads
# from the program what came of it.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckLinkerFlag)

function(harden target)
    foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE)
        string(MAKE_C_IDENTIFIER "COMPILES${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            target_compile_options(${target} INTERFACE ${flag})
        endif()
    endforeach()

    # Level 3 knows sizes that are worked out while the program runs.
    set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3")
    check_c_source_compiles("#include <string.h>
        #if __USE_FORTIFY_LEVEL < 3
        #error this compiler has no level 3
        #endif
        int main(void) { return 0; }" COMPILES_FORTIFY_3)
    unset(CMAKE_REQUIRED_FLAGS)
    if(COMPILES_FORTIFY_3)
        target_compile_options(${target} INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
    else()
        target_compile_options(${target} INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
    endif()

    # shstk: the note that says that all of it keeps to a shadow stack. The note for indirect
    # branches comes by itself where the system's own start files have it.
    target_link_options(${target} INTERFACE -pie)
    foreach(flag -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,-z,shstk
            -Wl,--as-needed)
        string(MAKE_C_IDENTIFIER "LINKS${flag}" known)
        check_linker_flag(C ${flag} ${known})
        if(${known})
            target_link_options(${target} INTERFACE ${flag})
        endif()
    endforeach()
endfunction()
