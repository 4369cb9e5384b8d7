#include "exporter/terminal_table.h"

#include "test.h"

static const struct view_column columns[] = {
    { "id", VIEW_TEXT, "x" },
    { "risk_level", VIEW_TEXT, "x", true },
    { "title", VIEW_TEXT, "x", true },
    { "count", VIEW_INTEGER, "x", true },
    { "points", VIEW_NUMBER, "x", true },
    { "at", VIEW_TIME, "x", true },
    { "late", VIEW_FLAG, "x", true },
    { 0 },
};
static const struct view_table table = { "things", "a thing", columns, NULL, NULL };

static const char lines[] =
    "{\"id\":\"1\",\"risk_level\":\"critical\",\"title\":\"Storage accounts should be closed\","
    "\"count\":12,\"points\":1.8349,\"at\":\"2026-11-12T04:10:59Z\",\"late\":true}\n"
    "{\"id\":\"2\",\"risk_level\":\"low\",\"title\":\"K\u00fcche\\u001b[31m\",\"count\":3,"
    "\"points\":null,\"at\":null,\"late\":false}\n";

static const char *show(size_t width, bool colour)
{
    static struct buf out;
    struct error error = { 0 };
    const struct terminal_table wanted = { &table, width, colour };
    buf_reset(&out);
    CHECK(terminal_table_write(&wanted, lines, &out, &error));
    CHECK_TEXT(error.message, "");
    return buf_cstr(&out);
}

TEST(columns_are_as_wide_as_they_need)
{
    CHECK_TEXT(
        show(0, false),
        "risk_level  title                              count  points  at                late\n"
        "critical    Storage accounts should be closed     12    1.83  2026-11-12 04:10  yes\n"
        "low         K\u00fcche [31m                             3\n");
}

TEST(the_widest_is_cut_where_the_terminal_is_narrow)
{
    CHECK_TEXT(show(70, false),
               "risk_level  title                count  points  at                late\n"
               "critical    Storage accounts s\u2026     12    1.83  2026-11-12 04:10  yes\n"
               "low         K\u00fcche [31m               3\n");
}

TEST(risk_has_a_colour_where_that_is_wanted)
{
    CHECK_CONTAINS(show(0, true), "\033[1;31mcritical\033[0m");
    CHECK_CONTAINS(show(0, true), "\033[34mlow\033[0m");
    CHECK(!strstr(show(0, true), "\033[31m")); /* what a resource is called gives no order */
}

TEST(what_is_no_row_is_an_error)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error = { 0 };
    const struct terminal_table wanted = { &table, 0, false };
    CHECK(!terminal_table_write(&wanted, "<html>\n", &out, &error));
    CHECK_INT(error.code, ERROR_PARSE);
}
