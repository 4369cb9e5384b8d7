#include "exporter/terminal_groups.h"

#include "test.h"

static const struct view_column columns[] = {
    { "id", VIEW_TEXT, "x" },   { "risk_level", VIEW_TEXT, "x" }, { "count", VIEW_INTEGER, "x" },
    { "late", VIEW_FLAG, "x" }, { 0 },
};
static const struct view_table table = { "things", "a thing", columns, NULL, NULL };

static const char rows[] =
    "{\"id\":\"1\",\"risk_level\":\"low\",\"count\":3,\"late\":false}\n"
    "{\"id\":\"2\",\"risk_level\":\"high\",\"count\":3,\"late\":true}\n"
    "{\"id\":\"3\",\"risk_level\":\"low\",\"count\":4,\"late\":false}\n"
    "{\"id\":\"4\",\"risk_level\":null,\"count\":4,\"late\":false}\n";

TEST(rows_are_counted_by_columns)
{
    struct view_column found[VIEW_COLUMNS_MAX] = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf sheet = { 0 };
    struct error error = { 0 };
    CHECK(terminal_groups(&table, "risk_level,late", rows, found, &out, &error));
    CHECK_TEXT(buf_cstr(&out), "{\"risk_level\":\"low\",\"late\":false,\"rows\":2}\n"
                               "{\"risk_level\":\"high\",\"late\":true,\"rows\":1}\n"
                               "{\"risk_level\":null,\"late\":false,\"rows\":1}\n");
    CHECK_TEXT(found[2].name, "rows");
    CHECK(terminal_groups_write(found, buf_cstr(&out), VIEW_CSV, &sheet, &error));
    CHECK_TEXT(buf_cstr(&sheet), "risk_level,late,rows\r\nlow,false,2\r\nhigh,true,1\r\n"
                                 ",false,1\r\n");
}

TEST(a_column_that_is_not_there_is_named_with_what_is_near)
{
    struct view_column found[VIEW_COLUMNS_MAX] = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error = { 0 };
    CHECK(!terminal_groups(&table, "risk_levl", rows, found, &out, &error));
    CHECK_CONTAINS(error.message, "things has no column risk_levl; did you mean risk_level?");
    CHECK(!terminal_groups(&table, "count", "{", found, &out, &error));
}
