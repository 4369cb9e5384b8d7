/* Any text as the JSON that is kept of an alert: it is read or mended, never lost, and what is
 * written again reads the same. */
#include "alerts/rules/active_row.h"
#include "alerts/store/schema.h"
#include "core/json_check.h"
#include "fuzz.h"

static const char fingerprint[] = "00000000000000aa";

static void do_sql(struct database *database, const char *sql)
{
    struct error error;
    FUZZ_CHECK(database_run(database_prepare(database, sql), &error));
}

static void load(struct database *database, struct arena *arena, struct active_row *row,
                 struct buf *out)
{
    struct json_writer writer = { .out = out };
    struct error error;
    bool found;
    size_t at;
    FUZZ_CHECK(active_row_load(database, fingerprint, arena, row, &found, &error) && found);
    const struct alert *alert = &row->alert;
    FUZZ_CHECK(alert->state <= ALERT_RESOLVED && !strcmp(alert->fingerprint, fingerprint));
    FUZZ_CHECK(alert->label_count <= ALERT_LABELS_MAX);
    for (size_t i = 0; i < alert->label_count; i++)
        FUZZ_CHECK(alert->labels[i].name && alert->labels[i].value);
    alert_write(alert, &writer, NULL);
    FUZZ_CHECK(json_check(buf_cstr(out), out->length, &at));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static struct database *database;
    const struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    struct active_row row;
    struct error error;
    if (!database)
        database = database_open(&config, &error);
    FUZZ_CHECK(database);
    struct database_statement *statement = database_prepare(
        database, "INSERT INTO active_alert VALUES ('00000000000000aa', 'Opened', 'firing', NULL,"
                  " 1, 'finding.opened', 1, 's1', $1, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0)");
    database_bind(statement, arena_copy(&arena, (const char *)bytes, count));
    FUZZ_CHECK(database_run(statement, &error));
    load(database, &arena, &row, &first);
    FUZZ_CHECK(active_row_save(database, &row, 0, &error));
    load(database, &arena, &row, &second);
    FUZZ_CHECK(!strcmp(buf_cstr(&first), buf_cstr(&second)));
    do_sql(database, "DELETE FROM active_alert");
    return 0;
}
