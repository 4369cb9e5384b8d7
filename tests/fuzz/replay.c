/* Tries the files it is given on a fuzz target, in a build without a fuzzer. */
#include "fuzz.h"

int main(int count, char **arguments)
{
    LLVMFuzzerInitialize(&count, &arguments);
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(arguments[i], "rb");
        FUZZ_CHECK(file);
        static uint8_t bytes[1 << 20];
        size_t length = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        LLVMFuzzerTestOneInput(bytes, length);
    }
    return 0;
}
