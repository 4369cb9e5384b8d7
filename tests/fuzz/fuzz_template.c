/* Any text as a template: what compiles must render, within its limit. In quotes it is a body, and
 * must be JSON whatever it says. */
#include <string.h>

#include "core/json_check.h"
#include "fuzz.h"
#include "tests/unit/notification_fixture.h"

enum { LIMIT = 4096 };

static void try_body(const char *text, enum template_escape markup, struct arena *arena,
                     const struct notification *notification)
{
    CLEANUP(buf_finish) struct buf body = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    size_t at;
    buf_printf(&body, "\"%s\"", text);
    const struct template *compiled =
        template_compile_json(buf_cstr(&body), notification_fields, arena, &error);
    if (!compiled || strpbrk(text, "\"\\")) /* quotes and escapes of its own may be wrong */
        return;
    FUZZ_CHECK(!template_render_json(compiled, markup, LIMIT, notification, &out) ||
               (out.length <= LIMIT && json_check(out.data, out.length, &at)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    struct notification notification;
    const char *text = arena_copy(&arena, (const char *)data, size);
    fixture_notification((enum fixture)(size % FIXTURE_COUNT), &arena, &notification);
    for (int markup = 0; template_escape_words[markup]; markup++)
        try_body(text, (enum template_escape)markup, &arena, &notification);
    const struct template *compiled = template_compile(text, notification_fields, &arena, &error);
    if (!compiled)
        return 0;
    template_render(compiled, &notification, &out);
    FUZZ_CHECK(out.length <= 32 * 1024);
    return 0;
}
