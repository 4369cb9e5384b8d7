#pragma once
/* What the fuzz targets have in common. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What libFuzzer calls, of each target one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Ends the program, which libFuzzer sees, when it is false. In every build, other than assert. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
