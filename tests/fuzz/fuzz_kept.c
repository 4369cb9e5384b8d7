/* What collectors keep between runs: "collector" in the first line, then the JSON of its file. What
 * loads is saved so that it loads again, as the same bytes; bytes that are no text become one
 * first, and two things may be the same then. */
#include "collectors/collector.h"
#include "core/json_check.h"
#include "core/utf8.h"
#include "fuzz.h"
#include "tests/unit/sources.h"

/* False when it does not load. */
static bool keep(const struct source *source, const char *text, size_t length, struct buf *out)
{
    struct error error = { 0 };
    struct json *saved = json_parse(text, length, &error);
    struct part *part = part_create(source);
    bool ok = saved && source->collector->load(part, saved, &error);
    FUZZ_CHECK(ok == (error.code == ERROR_NONE));
    part_seal(part);
    if (ok)
        source->collector->save(part, out);
    part_release(part);
    json_free(saved);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    CLEANUP(buf_finish) struct buf third = { 0 };
    size_t at;
    const struct source *source =
        source_list_find(test_sources(), fuzz_line(&bytes, &count, &arena));
    if (!source || !source->collector->load || !keep(source, (const char *)bytes, count, &first))
        return 0;
    FUZZ_CHECK(json_check(buf_cstr(&first), first.length, &at));
    FUZZ_CHECK(keep(source, buf_cstr(&first), first.length, &second));
    FUZZ_CHECK(keep(source, buf_cstr(&second), second.length, &third));
    FUZZ_CHECK(!strcmp(buf_cstr(&second), buf_cstr(&third)));
    if (utf8_is_ascii((const char *)bytes, count) && !memmem(bytes, count, "\\u", 2))
        FUZZ_CHECK(!strcmp(buf_cstr(&first), buf_cstr(&second)));
    return 0;
}
