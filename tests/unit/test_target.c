#include "exporter/web/target.h"

#include <string.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "test.h"

/* "path|authority|a=1,b=2", or the status. */
static const char *read_target(const char *text, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct target target;
    target_read(text, arena, &target);
    if (target.status)
        return target.status == 431 ? "431" : target.status == 400 ? "400" : "?";
    buf_printf(&out, "%s|%s|", target.path, target.authority ? target.authority : "");
    for (size_t i = 0; i < target.query_count; i++)
        buf_printf(&out, "%s%s=%s", i ? "," : "", target.queries[i].name, target.queries[i].value);
    return arena_text(arena, buf_cstr(&out));
}

TEST(targets_are_read)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        { "/", "/||" },
        { "/metrics?collect[]=a&collect%5b%5D=b", "/metrics||collect[]=a,collect[]=b" },
        { "/a?x=1+2%2b3&y&=z&&w==", "/a||x=1 2+3,y=,=z,w==" },
        { "/a?", "/a||" },
        { "/a?b?c=d", "/a||b?c=d" },
        { "/a%20b+c", "/a b+c||" },
        { "/%zz%4%", "/%zz%4%||" },
        { "/%2500", "/%00||" },
        { "//metrics", "//metrics||" },
        { "/x://y", "/x://y||" },
        { "http://host:1/metrics?a=b", "/metrics|host:1|a=b" },
        { "HTTPS://host", "/|host|" },
        { "http://host?a=b", "/|host|a=b" },
        { "/a#b", "/a#b||" },
        { "http://", "400" },
        { "http:///metrics", "400" },
        { "ftp://host/", "400" },
        { "", "400" },
        { "*", "400" },
        { "host:80", "400" },
        { "metrics", "400" },
        { "?a=b", "400" },
        { "/a%00b", "400" },
        { "/a?b=%00", "400" },
        { "/a?b%00=c", "400" },
        { "/a b", "400" },
        { "/a\tb", "400" },
        { "/a\x7f", "400" },
        { "/a?b=\n", "400" },
    };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(read_target(cases[i].text, &arena), cases[i].wanted);
}

TEST(so_many_parameters_and_no_more)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct target target;
    buf_text(&text, "/?a=0");
    for (int i = 1; i < TARGET_QUERIES_MAX; i++)
        buf_printf(&text, "&a=%d", i);
    target_read(buf_cstr(&text), &arena, &target);
    CHECK_INT(target.status, 0);
    CHECK_INT(target.query_count, TARGET_QUERIES_MAX);
    CHECK_TEXT(target.queries[TARGET_QUERIES_MAX - 1].value, "127");
    buf_text(&text, "&a");
    target_read(buf_cstr(&text), &arena, &target);
    CHECK_INT(target.status, 431);
}

TEST(forms_are_read)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        { "", "" },
        { "a=1&b=x+y%0D%0Az", "a=1,b=x y\r\nz" },
        { "a&&=b&a=%3Cb%3E", "a=,=b,a=<b>" },
        { "a=%00b", "a=" },
        { "a=%zz%4", "a=%zz%4" },
    };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf many = { 0 };
    size_t count;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        const struct web_pair *pairs = target_form(cases[i].text, &arena, &count);
        for (size_t k = 0; k < count; k++)
            buf_printf(&out, "%s%s=%s", k ? "," : "", pairs[k].name, pairs[k].value);
        CHECK_TEXT(buf_cstr(&out), cases[i].wanted);
    }
    for (int i = 0; i < 2 * TARGET_QUERIES_MAX; i++)
        buf_printf(&many, "&a=%d", i);
    target_form(buf_cstr(&many), &arena, &count);
    CHECK_INT(count, TARGET_QUERIES_MAX);
}
