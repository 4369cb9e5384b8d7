/* Any bytes as the target of a request, and as a form that is posted: what is read, escaped and
 * read again is the same, and no more than fits. */
#include "exporter/web/target.h"
#include "fuzz.h"

static void check_pairs(const struct web_pair *pairs, size_t count, struct buf *out)
{
    FUZZ_CHECK(count <= TARGET_QUERIES_MAX);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(pairs[i].name && pairs[i].value);
        buf_text(out, i ? "&" : "");
        http_escape(out, pairs[i].name);
        buf_char(out, '=');
        http_escape(out, pairs[i].value);
    }
}

static void compare(const struct web_pair *left, const struct web_pair *right, size_t count)
{
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(!strcmp(left[i].name, right[i].name) && !strcmp(left[i].value, right[i].value));
}

static void read_form(const char *text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf escaped = { 0 };
    size_t count, again_count;
    const struct web_pair *pairs = target_form(text, arena, &count);
    check_pairs(pairs, count, &escaped);
    const struct web_pair *again = target_form(buf_cstr(&escaped), arena, &again_count);
    FUZZ_CHECK(count == again_count);
    compare(pairs, again, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf escaped = { 0 };
    struct target target, again;
    const char *text = arena_copy(&arena, (const char *)bytes, count);
    read_form(text, &arena);
    target_read(text, &arena, &target);
    FUZZ_CHECK(target.status == 0 || target.status == 400 || target.status == 431);
    if (target.status) {
        FUZZ_CHECK(!*target.path && !target.query_count);
        return 0;
    }
    FUZZ_CHECK(*target.path == '/' && (!target.authority || *target.authority));
    FUZZ_CHECK(strlen(target.path) <= strlen(text));
    buf_char(&escaped, '/');
    http_escape(&escaped, target.path + 1);
    buf_char(&escaped, '?');
    check_pairs(target.queries, target.query_count, &escaped);
    target_read(buf_cstr(&escaped), &arena, &again);
    FUZZ_CHECK(!again.status && !strcmp(again.path, target.path));
    FUZZ_CHECK(again.query_count == target.query_count);
    compare(target.queries, again.queries, again.query_count);
    return 0;
}
