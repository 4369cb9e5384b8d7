#include "alerts/ledger/ledger_feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "alerts/ledger/ledger_rows.h"
#include "alerts/store/schema.h"

enum { KEY_BYTES = 64, NUMBER_BYTES = 32 };

static char *key_of(const struct ledger_feed *feed, char out[KEY_BYTES])
{
    snprintf(out, KEY_BYTES, "feed.%s", feed->name);
    return out;
}

bool ledger_feed_open(struct ledger_feed *feed, struct database *database, struct error *error)
{
    char key[KEY_BYTES], text[NUMBER_BYTES];
    int64_t end;
    if (!schema_get(database, key_of(feed, key), text, sizeof text, error))
        return false;
    if (*text) {
        feed->cursor = strtoll(text, NULL, 10);
        return true;
    }
    return ledger_rows_last(database, &end, error) && ledger_feed_move(feed, database, end, error);
}

bool ledger_feed_skip(struct ledger_feed *feed, struct database *database, int64_t *lost,
                      struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT COALESCE(MIN(sequence), 0) FROM ledger_event WHERE sequence > $1");
    int64_t next;
    database_bind(statement, feed->cursor);
    if (!database_get_integer(statement, &next, error))
        return error_wrap(error, "reading the history");
    int64_t before = next - 1;
    if (!next && !ledger_rows_last(database, &before, error))
        return false;
    *lost = before > feed->cursor ? before - feed->cursor : 0;
    return !*lost || ledger_feed_move(feed, database, before, error);
}

bool ledger_feed_read(const struct ledger_feed *feed, struct database *database,
                      const struct source_list *sources, int64_t limit, ledger_visit *visit,
                      void *context, int64_t *last, struct error *error)
{
    return ledger_follow(database, sources, feed->cursor, limit, visit, context, last, error);
}

bool ledger_feed_move(struct ledger_feed *feed, struct database *database, int64_t last,
                      struct error *error)
{
    char key[KEY_BYTES], text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%lld", (long long)last);
    if (!database_begin(database, error))
        return false;
    if (!schema_put(database, key_of(feed, key), text, error)) {
        database_rollback(database);
        return false;
    }
    if (!database_commit(database, error))
        return false;
    feed->cursor = last;
    return true;
}

bool ledger_feed_waiting(const struct ledger_feed *feed, struct database *database,
                         int64_t *waiting, struct error *error)
{
    int64_t end;
    if (!ledger_rows_last(database, &end, error))
        return false;
    *waiting = end > feed->cursor ? end - feed->cursor : 0;
    return true;
}
