#include "exporter/formats/encoding.h"

#include <string.h>

#include "core/compiler.h"
#include "test.h"

#define SAME(type)                                                                                 \
    {                                                                                              \
        type, type, type, type, type                                                               \
    }
#define ESCAPED(type)                                                                              \
    {                                                                                              \
        type, type " utf-8", type " underscores", type " dots", type " values"                     \
    }

/* A longer table than the program's, so that choices differ. */
static const struct encoding rows[] = {
    { .media = "application/vnd.google.protobuf",
      .parameters = { { "proto", "io.prometheus.client.MetricFamily" },
                      { "encoding", "delimited" } },
      .content_types = ESCAPED("proto") },
    { .media = "application/openmetrics-text",
      .parameters = { { "version", "0.0.1" } },
      .content_types = SAME("om 0.0.1") },
    { .media = "application/openmetrics-text",
      .parameters = { { "version", "1.0.0" } },
      .content_types = ESCAPED("om 1.0.0") },
    { .media = "text/plain",
      .parameters = { { "version", "1.0.0" } },
      .content_types = ESCAPED("text 1.0.0") },
    { .media = "text/plain",
      .parameters = { { "version", "0.0.4" } },
      .content_types = SAME("text 0.0.4") },
};

struct accept_case {
    const char *accept, *want;
};

static void check_choices(const struct accept_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK_TEXT(encoding_choose(rows, ARRAY_COUNT(rows), cases[i].accept).content_type,
                   cases[i].want);
}

#define PROTOBUF                                                                                   \
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

/* As the programs send them. */
TEST(clients_get_what_they_prefer)
{
    static const struct accept_case cases[] = {
        /* Prometheus before 3, and what took its scraping over: agents and collectors */
        { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
          "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          "om 1.0.0" },
        { "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          "om 0.0.1" },
        { PROTOBUF ",application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text"
                   ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
          "proto" },
        { PROTOBUF ";q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,"
                   "application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;"
                   "q=0.2,*/*;q=0.1",
          "proto" },
        { "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "text 0.0.4" },
        /* Prometheus 3 */
        { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
          "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
          "om 1.0.0 utf-8" },
        { PROTOBUF ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                   "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
                   "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
          "proto" },
        { "text/plain;version=1.0.0;escaping=underscores;q=0.3,text/plain;version=0.0.4;q=0.2,"
          "*/*;q=0.1",
          "text 1.0.0 underscores" },
        /* its documentation, with a slash for the last element */
        { "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
          "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,"
          "text/plain;version=0.0.4;q=0.3,/;q=0.2",
          "om 1.0.0 utf-8" },
        /* VictoriaMetrics, its agent */
        { "text/plain;version=0.0.4;q=1,*/*;q=0.1", "text 0.0.4" },
        { "text/plain;version=0.0.4; q=1, */*;q=0.1", "text 0.0.4" },
        /* Telegraf; Datadog's agent; curl, wget, Python; a browser; none */
        { "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
          "encoding=delimited;q=0.7,text/plain;version=0.0.4;q=0.3",
          "proto" },
        { "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1",
          "om 1.0.0" },
        { "*/*", "text 0.0.4" },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
          "text 0.0.4" },
        { "", "text 0.0.4" },
    };
    check_choices(cases, ARRAY_COUNT(cases));
}

TEST(accept_chooses_the_row)
{
    static const struct accept_case cases[] = {
        { "/", "text 0.0.4" },
        { "*", "text 0.0.4" },
        { "text/*", "text 0.0.4" },
        { "text/*;version=1.0.0", "text 1.0.0" },
        { "application/*", "om 1.0.0" },
        { "text/plain", "text 0.0.4" },
        { "TEXT/Plain; Version=1.0.0", "text 1.0.0" },
        { "text/plain;version=\"1.0.0\"", "text 1.0.0" },
        { "text/html, application/xhtml+xml;q=0.9, image/webp", "text 0.0.4" },
        { "application/openmetrics-text", "om 1.0.0" },
        { "application/openmetrics-text;version=2.0.0", "text 0.0.4" },
        { "application/openmetrics-text;version=2.0.0, application/openmetrics-text;q=0.1",
          "om 1.0.0" },
        { "application/vnd.google.protobuf", "proto" },
        { "application/vnd.google.protobuf;encoding=text, text/plain;q=0.1", "text 0.0.4" },
        { "application/vnd.google.protobuf;proto=other.Family, text/plain;q=0.1", "text 0.0.4" },
        { "text/plain;q=0.1, " PROTOBUF ";q=0.2", "proto" },
        { PROTOBUF ";q=0.2, text/plain;q=0.2", "proto" },
        { "text/plain;q=0.2, " PROTOBUF ";q=0.2", "text 0.0.4" },
        { "*/*, application/openmetrics-text", "text 0.0.4" },
        { "application/openmetrics-text, */*", "om 1.0.0" },
    };
    check_choices(cases, ARRAY_COUNT(cases));
}

/* The most exact range says how much a row is wanted, wherever it stands. */
TEST(q_is_that_of_the_most_exact_range)
{
    static const struct accept_case cases[] = {
        { "text/plain;version=0.0.4;q=0, */*", "text 1.0.0" },
        { "*/*, text/plain;version=0.0.4;q=0", "text 1.0.0" },
        { "text/plain;q=0, */*", "om 1.0.0" },
        { "text/*;q=0, application/openmetrics-text;q=0, */*;q=0.5", "proto" },
        { "text/plain;q=0.3, text/plain;version=1.0.0;q=0.5, */*;q=0.2", "text 1.0.0" },
        { "text/plain;q=0.5, text/plain;version=1.0.0;q=0.3, */*;q=0.2", "text 0.0.4" },
        { "text/plain;q=0.1, text/plain;q=0.9, application/openmetrics-text;q=0.5", "text 0.0.4" },
        { PROTOBUF ";q=0", "text 0.0.4" },
        { PROTOBUF ";q=0.000, text/plain;version=1.0.0;q=0.001", "text 1.0.0" },
        { "*/*;q=0", "text 0.0.4" }, /* nothing else is left */
        { "text/plain;version=0.0.4;q=0", "text 0.0.4" },
    };
    check_choices(cases, ARRAY_COUNT(cases));
}

TEST(escaping_is_answered)
{
    static const struct accept_case cases[] = {
        { "application/openmetrics-text;version=1.0.0", "om 1.0.0" },
        { "application/openmetrics-text;escaping=allow-utf-8", "om 1.0.0 utf-8" },
        { "application/openmetrics-text;version=1.0.0;escaping=\"Underscores\"",
          "om 1.0.0 underscores" },
        { "application/openmetrics-text;version=1.0.0; escaping=dots", "om 1.0.0 dots" },
        { "text/plain;version=1.0.0;escaping=values", "text 1.0.0 values" },
        { "text/plain;version=1.0.0;escaping=klingon", "text 1.0.0 underscores" },
        { "text/plain;version=1.0.0;escaping=", "text 1.0.0" },
        { "text/plain;version=1.0.0;q=0.5;escaping=dots", "text 1.0.0 dots" },
        { "text/plain;escaping=dots", "text 0.0.4" },
        { "application/openmetrics-text;version=0.0.1;escaping=dots", "om 0.0.1" },
        { PROTOBUF ";escaping=allow-utf-8", "proto utf-8" },
        /* of the range that was chosen and no other */
        { "application/openmetrics-text;escaping=values;q=0.1, text/plain;version=1.0.0",
          "text 1.0.0" },
    };
    check_choices(cases, ARRAY_COUNT(cases));
}

TEST(bad_headers_get_something)
{
    static const struct accept_case cases[] = {
        { PROTOBUF ";q=banana", "proto" },
        { PROTOBUF ";q=00.5, text/plain;version=1.0.0;q=0.9", "proto" }, /* no number */
        { PROTOBUF ";q=0.5.5, text/plain;version=1.0.0;q=0.9", "proto" },
        { PROTOBUF ";q=-1, text/plain;version=1.0.0;q=0.9", "proto" },
        { PROTOBUF ";q=7, text/plain;version=1.0.0;q=0.9", "proto" },
        { PROTOBUF ";q=, text/plain;version=1.0.0;q=0.9", "proto" },
        { PROTOBUF " ; a=\"x,y;q=0\" ; q = 1.0 , text/plain", "proto" },
        { ",,;;==, ;q=,\"", "text 0.0.4" },
        { "\"unclosed, " PROTOBUF, "text 0.0.4" },
        { PROTOBUF ";a=\"\\", "proto" },
        { "text", "text 0.0.4" },
        { "/*", "text 0.0.4" },
        { "text/plainer, textplain/*, tex/*", "text 0.0.4" },
        { "\xff\xfe/\x01, application/openmetrics-text", "om 1.0.0" },
    };
    check_choices(cases, ARRAY_COUNT(cases));
}

TEST(endless_accept_gets_the_last_row)
{
    static char accept[20000];
    memset(accept, ' ', sizeof accept - 1);
    memcpy(accept, PROTOBUF ",", strlen(PROTOBUF) + 1);
    CHECK_TEXT(encoding_choose(rows, ARRAY_COUNT(rows), accept).content_type, "text 0.0.4");
    accept[8192] = 0; /* that is just as long as one may be */
    CHECK_TEXT(encoding_choose(rows, ARRAY_COUNT(rows), accept).content_type, "proto");
}

/* What is sent, byte for byte. */
TEST(content_types_of_the_program)
{
    static const struct accept_case cases[] = {
        { "image/png", "text/plain; version=0.0.4; charset=utf-8" },
        { "text/plain;escaping=dots", "text/plain; version=0.0.4; charset=utf-8" },
        { "text/plain;version=1.0.0",
          "text/plain; version=1.0.0; charset=utf-8; escaping=underscores" },
        { "text/plain;version=1.0.0;escaping=allow-utf-8",
          "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8" },
        { "application/openmetrics-text",
          "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores" },
        { "application/openmetrics-text;escaping=values",
          "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values" },
        { "application/openmetrics-text;escaping=dots;version=1.0.0",
          "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=dots" },
        { "application/openmetrics-text;version=0.0.1;escaping=values",
          "application/openmetrics-text; version=0.0.1; charset=utf-8" },
        { PROTOBUF, "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
                    "encoding=delimited" },
        { PROTOBUF ";escaping=allow-utf-8",
          "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
          "encoding=delimited; escaping=allow-utf-8" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        CHECK_TEXT(encoding_choose(encodings, encoding_count, cases[i].accept).content_type,
                   cases[i].want);
}

TEST(rows_of_the_program_are_whole)
{
    CHECK(encoding_count <= ENCODINGS_MAX);
    for (size_t i = 0; i < encoding_count; i++) {
        CHECK(encodings[i].name && encodings[i].media && encodings[i].family);
        for (size_t j = 0; j < ENCODING_ESCAPINGS; j++)
            CHECK(!strncmp(encodings[i].content_types[j], encodings[i].media,
                           strlen(encodings[i].media)));
    }
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
