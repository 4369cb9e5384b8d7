#include "alerts/view/view_filter.h"

#include "alerts/view/view_rows.h"
#include "ledger_world.h"

/* A table of three rows that needs no view. */
static const struct view_column columns[] = {
    { "id", VIEW_TEXT, "" },
    { "name", VIEW_TEXT, "", true, "subscription_name" },
    { "count", VIEW_INTEGER, "" },
    { 0 },
};
static const char *const names[] = { "prod", "test", NULL };

static size_t count(const struct view *view)
{
    (void)view;
    return ARRAY_COUNT(names);
}

static void fill(const struct view_reading *reading, size_t row, struct view_value *value)
{
    static const char *const ids[] = { "a", "b", "c" };
    (void)reading;
    view_table_text(&value, ids[row]);
    view_table_text(&value, names[row]);
    view_table_integer(&value, (int64_t)row);
}

static const struct view_table table = { "things", "a thing", columns, count, fill };

/* The ids that matchers let through, or why there are none. */
static const char *filtered(const char *text)
{
    static struct buf out;
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(view_filter_finish) struct view_filter filter = { 0 };
    struct match_list matches = { 0 };
    struct match_budget budget = { 1000 * 1000 };
    struct view_reading reading = { .arena = &arena };
    struct error error;
    buf_reset(&out);
    CHECK(match_parse(text, &matches, &arena, &error));
    bool ok = view_filter_knows(&table, &matches, &error) &&
              view_filter_rows(&table, &reading, &matches, &budget, &filter, &error);
    match_finish(&matches);
    reading.rows = filter.rows;
    reading.row_count = filter.count;
    for (size_t i = 0; ok && i < view_table_count(&table, &reading); i++) {
        struct view_value values[VIEW_COLUMNS_MAX] = { 0 };
        view_table_row(&table, &reading, i, values);
        buf_text(&out, values[0].text);
    }
    buf_text(&out, ok ? "" : error.message);
    return buf_cstr(&out);
}

TEST(columns_of_text_are_matched_and_the_absent_is_empty)
{
    CHECK_TEXT(filtered("id=\"b\""), "b");
    CHECK_TEXT(filtered("subscription_name=~\"prod|test\""), "ab");
    CHECK_TEXT(filtered("subscription_name!=\"prod\""), "bc");
    CHECK_TEXT(filtered("subscription_name=\"\""), "c");
    CHECK_TEXT(filtered("id=~\".*\",subscription_name=\"test\""), "b");
    CHECK_TEXT(filtered("id=\"x\""), "");
}

TEST(what_no_row_can_have_is_refused)
{
    CHECK_TEXT(filtered("name=\"prod\""),
               "things have no \"name\": filter them by id, subscription_name");
    CHECK_TEXT(filtered("count!=\"1\""),
               "things have no \"count\": filter them by id, subscription_name");
}

/* Where a page ended is found among those that are let through. */
TEST(a_cursor_is_one_of_what_is_let_through)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    static const uint32_t rows[] = { 1, 2 };
    const struct view_reading reading = { .arena = &arena, .rows = rows, .row_count = 2 };
    CHECK_INT(view_table_behind(&table, &reading, 0, "b"), 1);
    CHECK_INT(view_table_behind(&table, &reading, 7, "b"), 1);
    CHECK_INT(view_table_behind(&table, &reading, 9, "a"), 2);
}

static size_t adds;

static void add(struct view_rows *all, const struct part *part)
{
    adds++;
    view_rows_add(all, part, part);
}

/* However many rows are read, parts are gone through once. */
TEST(rows_of_parts_are_put_together_once)
{
    struct world world;
    world_init(&world, NULL);
    world_publish(&world, world_part(A, BOTH));
    struct view *view = view_create(world.snapshot, world.ledger, NULL, 0, world.now);
    view_arrange(view);
    for (int i = 0; i < 1000; i++)
        CHECK_INT(view_rows_of(view, "test", add)->count, 1);
    CHECK_INT(adds, 1);
    view_release(view);
    world_finish(&world);
}
