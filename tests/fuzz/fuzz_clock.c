/* Any text as an instant or a duration: what is read must be written so that it reads back. */
#include <string.h>

#include "core/clock.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[64], out[48];
    struct error error;
    int64_t value = 0, again = 0;
    size = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, size);
    text[size] = '\0';
    if (clock_parse_duration(text, &value, &error)) {
        FUZZ_CHECK(value >= 0 &&
                   clock_parse_duration(clock_format_duration(value, out), &again, &error) &&
                   again == value);
    }
    if (clock_parse_rfc3339(text, &value) && value > -62135510400 && value < 253402300800) {
        FUZZ_CHECK(clock_parse_rfc3339(clock_format_rfc3339(value, out), &again) && again == value);
    }
    return 0;
}
