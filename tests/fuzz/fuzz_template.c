/* Any text as a template: what compiles must render, within its limit. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/notification_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    struct notification notification;
    const char *text = arena_copy(&arena, (const char *)data, size);
    const struct template *compiled = template_compile(text, notification_fields, &arena, &error);
    if (!compiled)
        return 0;
    fixture_page((enum fixture)(size % FIXTURE_COUNT), &arena, &notification);
    template_render(compiled, &notification, &out);
    if (out.length > 32 * 1024)
        abort();
    return 0;
}
