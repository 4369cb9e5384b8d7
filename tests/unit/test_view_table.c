#include "alerts/view/view_write.h"

#include <math.h>

#include "ledger_world.h"

/* A table of one row with every kind of value. */
static const struct view_column columns[] = {
    { "id", VIEW_TEXT, "" },  { "count", VIEW_INTEGER, "" }, { "points", VIEW_NUMBER, "" },
    { "at", VIEW_TIME, "" },  { "open", VIEW_FLAG, "" },     { "note", VIEW_TEXT, "" },
    { 0 },
};

static const struct view_value full[] = { { .text = "a" },   { .integer = 7 },
                                          { .number = 1.5 }, { .integer = 1700000000 },
                                          { .integer = 1 },  { .text = "x, \"y\"\n| <b>" } };
static const struct view_value empty[] = { { .text = "b" },   { .integer = 0 },
                                           { .number = NAN }, { .integer = 0 },
                                           { .integer = 0 },  { .text = NULL } };

static const char *write(enum view_format format)
{
    static struct buf out;
    buf_reset(&out);
    view_write_begin(columns, format, &out);
    view_write_row(columns, format, full, true, &out);
    view_write_row(columns, format, empty, false, &out);
    view_write_end(format, &out);
    return buf_cstr(&out);
}

TEST(every_format_writes_the_same_rows)
{
    CHECK_TEXT(write(VIEW_JSON),
               "[{\"id\":\"a\",\"count\":7,\"points\":1.5,\"at\":\"2023-11-14T22:13:20Z\","
               "\"open\":true,\"note\":\"x, \\\"y\\\"\\n| <b>\"},"
               "{\"id\":\"b\",\"count\":0,\"points\":null,\"at\":null,\"open\":false,"
               "\"note\":null}]");
    CHECK_TEXT(write(VIEW_NDJSON),
               "{\"id\":\"a\",\"count\":7,\"points\":1.5,\"at\":\"2023-11-14T22:13:20Z\","
               "\"open\":true,\"note\":\"x, \\\"y\\\"\\n| <b>\"}\n"
               "{\"id\":\"b\",\"count\":0,\"points\":null,\"at\":null,\"open\":false,"
               "\"note\":null}\n");
    CHECK_TEXT(write(VIEW_CSV), "id,count,points,at,open,note\r\n"
                                "a,7,1.5,2023-11-14T22:13:20Z,true,\"x, \"\"y\"\"\n| <b>\"\r\n"
                                "b,0,,,false,\r\n");
    CHECK_TEXT(write(VIEW_MARKDOWN), "| id | count | points | at | open | note |\n"
                                     "|---|---:|---:|---|---|---|\n"
                                     "| a | 7 | 1.5 | 2023-11-14T22:13:20Z | true | "
                                     "x, \"y\" \\| \\<b\\> |\n"
                                     "| b | 0 |  |  | false |  |\n");
}

/* What a spreadsheet would run, somebody in the tenant named a resource. */
TEST(a_cell_of_csv_is_no_formula)
{
    static const struct {
        const char *text, *cell;
    } rows[] = {
        { "=1+1", "\"'=1+1\"" },       { "+1", "\"'+1\"" }, { "-vm", "\"'-vm\"" },
        { "@SUM(A1)", "\"'@SUM(A1)\"" }, { "vm-1", "vm-1" },  { "", "" },
        { "\tx", "\"'\tx\"" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct view_value values[] = { { .text = "a" },   { .integer = 0 }, { .number = NAN },
                                       { .integer = 0 },  { .integer = 0 },
                                       { .text = rows[i].text } };
        CLEANUP(buf_finish) struct buf out = { 0 };
        CLEANUP(buf_finish) struct buf wanted = { 0 };
        view_write_row(columns, VIEW_CSV, values, true, &out);
        buf_printf(&wanted, "a,0,,,false,%s\r\n", rows[i].cell);
        CHECK_TEXT(buf_cstr(&out), buf_cstr(&wanted));
    }
}

/* Names of columns are unique in a table, told in the reference, and as many as are filled. */
TEST(tables_are_whole)
{
    for (const struct view_table *const *one = view_tables; *one; one++) {
        size_t count = 0;
        CHECK(view_table_named((*one)->name) == *one);
        for (const struct view_column *column = (*one)->columns; column->name; column++, count++) {
            CHECK(*column->help);
            for (const struct view_column *other = (*one)->columns; other < column; other++)
                CHECK(strcmp(other->name, column->name) != 0);
        }
        CHECK(count <= VIEW_COLUMNS_MAX);
    }
    CHECK(!view_table_named("alerts"));
}

TEST(findings_come_in_the_order_that_is_asked_for)
{
    static const char *const wanted[VIEW_ORDER_COUNT] = { "two one", "one two", "two one" };
    struct world world;
    world_init(&world, NULL);
    struct part *part = world_part(A, BOTH);
    world_open_since(part, "one", "a", "s1", RISK_HIGH, world.now - 900);
    world_open_since(part, "two", "b", "s2", RISK_CRITICAL, world.now - 90);
    world_publish(&world, part);
    world_advance(&world);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct view *view = view_create(world.snapshot, world.ledger, NULL, 0, world.now);
    view_arrange(view);
    const struct view_table *findings = view_table_named("findings");
    CHECK_INT(findings->count(view), 2);
    for (int order = 0; order < VIEW_ORDER_COUNT; order++) {
        const struct view_reading reading = { view, (enum view_order)order, "portal.azure.com",
                                              &arena };
        struct view_value first[VIEW_COLUMNS_MAX] = { 0 }, second[VIEW_COLUMNS_MAX] = { 0 };
        char names[64];
        findings->fill(&reading, 0, first);
        findings->fill(&reading, 1, second);
        snprintf(names, sizeof names, "%s %s", first[4].text, second[4].text);
        CHECK_TEXT(names, wanted[order]);
        CHECK_INT(view_table_behind(findings, &reading, 0, first[0].text), 1);
        CHECK_INT(view_table_behind(findings, &reading, 7, first[0].text), 1); /* it moved */
        CHECK_INT(view_table_behind(findings, &reading, 1, second[0].text), 2);
        CHECK_INT(view_table_behind(findings, &reading, 1, "gone"), 1); /* in its place */
        CHECK_INT(view_table_behind(findings, &reading, 9, "gone"), 2);
    }
    view_release(view);
    world_finish(&world);
}
