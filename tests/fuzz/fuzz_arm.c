/* Any bytes as an error answer of Azure: always one line that names the status, never a crash. The
 * same bytes as a link: what may carry a token has an origin. */
#include <string.h>

#include "collectors/azure/arm.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct error error = { 0 };
    char origin[300];
    int status = 300 + (count ? bytes[0] % 4 * 100 + bytes[0] % 37 : 0);
    char *text = calloc(1, count + 1);
    FUZZ_CHECK(text);
    memcpy(text, bytes, count);
    bool ok = arm_error(status, text, count, &error);
    FUZZ_CHECK(!ok && error.code != ERROR_NONE && error.http_status == status);
    FUZZ_CHECK(atoi(error.message) == status && !strpbrk(error.message, "\r\n"));
    FUZZ_CHECK(!http_url_is_safe(text) || http_origin(text, origin));
    free(text);
    return 0;
}
