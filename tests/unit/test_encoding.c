#include "exporter/encoding.h"

#include "core/compiler.h"
#include "test.h"

/* A longer table than the program's, so that choices differ. */
static const struct encoding rows[] = {
    { "application/x-proto", "", "proto" },
    { "application/openmetrics-text", "0.0.1", "om 0.0.1" },
    { "application/openmetrics-text", "1.0.0", "om 1.0.0" },
    { "text/plain", "1.0.0", "text 1.0.0" },
    { "text/plain", "0.0.4", "text 0.0.4" },
};

TEST(accept_chooses_the_row)
{
    static const struct {
        const char *accept, *want;
    } cases[] = {
        { "", "text 0.0.4" },
        { "*/*", "text 0.0.4" },
        { "/", "text 0.0.4" },
        { "text/*", "text 0.0.4" },
        { "text/plain", "text 0.0.4" },
        { "TEXT/Plain; Version=1.0.0", "text 1.0.0" },
        { "text/plain;version=\"1.0.0\"", "text 1.0.0" },
        { "text/html, application/xhtml+xml;q=0.9, image/webp", "text 0.0.4" },
        { "application/openmetrics-text", "om 1.0.0" },
        { "application/openmetrics-text;version=9.9", "text 0.0.4" },
        { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
          "text/plain;version=0.0.4;q=0.3,/;q=0.2",
          "om 1.0.0" },
        { "text/plain;q=0.1, application/x-proto;q=0.2", "proto" },
        { "text/plain;q=0.2, application/x-proto;q=0.2", "text 0.0.4" },
        { "application/x-proto;q=0", "text 0.0.4" },
        { "application/x-proto;q=0.000, text/plain;version=1.0.0;q=0.001", "text 1.0.0" },
        { "application/x-proto;q=banana", "proto" },
        { "application/x-proto;q=00.5, text/plain;version=1.0.0;q=0.9", "proto" }, /* no number */
        { "application/x-proto;q=0.5.5, text/plain;version=1.0.0;q=0.9", "proto" },
        { "application/x-proto ; a=\"x,y;q=0\" ; q = 1.0 , text/plain", "proto" },
        { ",,;;==, ;q=,\"", "text 0.0.4" },
        { "\"unclosed, application/x-proto", "text 0.0.4" },
        { "application/x-proto;a=\"\\", "proto" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct encoding *row = encoding_choose(rows, ARRAY_COUNT(rows), cases[i].accept);
        CHECK_TEXT(row->content_type, cases[i].want);
    }
}

TEST(endless_accept_gets_the_last_row)
{
    static char accept[20000];
    memset(accept, ' ', sizeof accept - 1);
    memcpy(accept, "application/x-proto,", 20);
    CHECK_TEXT(encoding_choose(rows, ARRAY_COUNT(rows), accept)->content_type, "text 0.0.4");
}

TEST(the_table_ends_with_text_as_everybody_reads_it)
{
    const struct encoding *row = encoding_choose(encodings, encoding_count, "image/png");
    CHECK_TEXT(row->content_type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST(gzip_follows_q_values)
{
    static const struct {
        const char *accept;
        bool want;
    } cases[] = {
        { "", false },        { "gzip", true },      { "deflate, GZIP;q=0.5", true },
        { "x-gzip", true },   { "gzip;q=0", false }, { "gzip; q=0.0, *", false },
        { "*", true },        { "*;q=0", false },    { "identity, br", false },
        { "gzipped", false },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_INT(encoding_gzip(cases[i].accept), cases[i].want);
}
