#include "alerts/ledger/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "core/memory.h"

enum { APART_S = 3600, DAY_S = 86400, FINE_S = 30 * DAY_S, KEEP_S = 400 * DAY_S };

static void name_series(const struct sample *sample, struct buf *out)
{
    buf_reset(out);
    buf_text(out, sample->family->name);
    for (int i = 0; sample->family->labels[i]; i++) {
        buf_printf(out, "%c%s=\"", i ? ',' : '{', sample->family->labels[i]);
        for (const char *at = sample->values[i]; *at; at++) {
            if (*at == '\\' || *at == '"' || *at == '\n')
                buf_char(out, '\\');
            buf_char(out, *at == '\n' ? 'n' : *at);
        }
        buf_char(out, '"');
    }
    if (sample->family->labels[0])
        buf_char(out, '}');
}

/* FNV-1a 64. */
static uint64_t add_to_digest(uint64_t digest, const void *bytes, size_t count)
{
    for (const unsigned char *at = bytes; count; count--)
        digest = (digest ^ *at++) * 0x100000001b3;
    return digest;
}

static uint64_t digest_of(const struct metric_set *set, bool complete)
{
    uint64_t digest = add_to_digest(0xcbf29ce484222325, &complete, sizeof complete);
    for (size_t i = 0; i < set->count; i++) {
        const struct sample *sample = &set->samples[i];
        if (!sample->family->history)
            continue;
        digest = add_to_digest(digest, sample->family->name, strlen(sample->family->name));
        for (int label = 0; sample->family->labels[label]; label++)
            digest =
                add_to_digest(digest, sample->values[label], strlen(sample->values[label]) + 1);
        digest = add_to_digest(digest, &sample->value, sizeof sample->value);
    }
    return digest;
}

/* --- one series ------------------------------------------------------------------------------- */

/* The last row of a series. */
struct last {
    int64_t series, at;
    double value;
    bool told; /* false: NULL */
};
static const struct row_field last_fields[] = {
    ROW_INTEGER(struct last, series, "s.number"),
    ROW_INTEGER(struct last, at, "h.at"),
    ROW_NUMBER(struct last, value, "h.value"),
    ROW_INTEGER(struct last, told, "h.value IS NOT NULL"),
    { 0 },
};
static const struct rows_table last_rows = {
    "history_series s LEFT JOIN history h ON h.series = s.number", 0, last_fields
};
/* In this order: there may be a thousand values of each series. */
static const struct rows_table ends_rows = {
    "history_series s CROSS JOIN history h ON h.series = s.number", 0, last_fields
};

static bool add_series(struct database *database, const char *name, int64_t *series,
                       struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT COALESCE(MAX(number), 0) + 1 FROM history_series");
    if (!database_get_integer(statement, series, error))
        return false;
    statement =
        database_prepare(database, "INSERT INTO history_series (number, name) VALUES ($1, $2)");
    database_bind(statement, *series, name);
    return database_run(statement, error);
}

static bool write_value(struct database *database, int64_t series, int64_t at,
                        struct database_value value, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "INSERT INTO history (series, at, value) VALUES ($1, $2, $3)");
    database_bind(statement, series, at, value);
    return database_run(statement, error);
}

/* Whether a series may have another row now; else say when. */
static bool may_write(struct history *history, const struct last *last, int64_t now)
{
    int64_t at = last->at + APART_S;
    if (!last->at || now >= at)
        return true;
    if (!history->retry_at || at < history->retry_at)
        history->retry_at = at;
    return false;
}

static bool keep_sample(struct history *history, struct database *database, const char *name,
                        double value, int64_t now, int64_t *series, struct error *error)
{
    struct last last = { 0 };
    bool found;
    struct database_statement *statement =
        rows_select(database, &last_rows, " WHERE s.name = $1 ORDER BY h.at DESC LIMIT 1");
    database_bind(statement, name);
    if (!rows_one(statement, &last_rows, NULL, &last, &found, error) ||
        (!found && !add_series(database, name, &last.series, error)))
        return false;
    *series = last.series;
    if ((last.told && last.value == value) || !may_write(history, &last, now))
        return true;
    return write_value(database, last.series, now, database_of_number(value), error);
}

/* --- all of them ------------------------------------------------------------------------------ */

/* The numbers of the series that the set has. */
struct seen {
    bool *series;
    size_t count;
};

static void see(struct seen *seen, int64_t series)
{
    size_t index = (size_t)series;
    if (index >= seen->count) {
        size_t count = 2 * index + 64;
        seen->series = memory_resize(seen->series, count * sizeof *seen->series);
        memset(seen->series + seen->count, 0, (count - seen->count) * sizeof *seen->series);
        seen->count = count;
    }
    seen->series[index] = true;
}

static bool keep_samples(struct history *history, struct database *database,
                         const struct metric_set *set, int64_t now, struct seen *seen,
                         struct error *error)
{
    CLEANUP(buf_finish) struct buf name = { 0 };
    for (size_t i = 0; i < set->count; i++) {
        int64_t series;
        if (!set->samples[i].family->history)
            continue;
        name_series(&set->samples[i], &name);
        if (!keep_sample(history, database, buf_cstr(&name), set->samples[i].value, now, &series,
                         error))
            return false;
        see(seen, series);
    }
    return true;
}

/* The series whose last row tells a value, and that are not in the set: they end. */
static bool end_missing(struct history *history, struct database *database, const struct seen *seen,
                        int64_t now, struct error *error)
{
    struct last *missing = NULL;
    size_t count = 0, capacity = 0;
    struct database_statement *statement =
        rows_select(database, &ends_rows,
                    " WHERE h.at = (SELECT MAX(at) FROM history WHERE series = s.number)");
    bool ok = true;
    for (bool found = true; ok && found;) {
        struct last last = { 0 };
        ok = rows_next(statement, &ends_rows, NULL, &last, &found, error);
        if (!ok || !found || !last.told ||
            ((size_t)last.series < seen->count && seen->series[last.series]))
            continue;
        MEMORY_GROW(missing, count, capacity);
        missing[count++] = last;
    }
    for (size_t i = 0; ok && i < count; i++)
        ok = !may_write(history, &missing[i], now) ||
             write_value(database, missing[i].series, now, database_of_text(NULL), error);
    free(missing);
    return ok;
}

bool history_keep(struct history *history, struct database *database, const struct metric_set *set,
                  bool complete, int64_t now, struct error *error)
{
    uint64_t digest = digest_of(set, complete);
    if (digest == history->digest && (!history->retry_at || now < history->retry_at))
        return true;
    *history = (struct history){ 0 };
    struct seen seen = { 0 };
    bool ok = keep_samples(history, database, set, now, &seen, error) &&
              (!complete || end_missing(history, database, &seen, now, error));
    free(seen.series);
    if (!ok)
        return error_wrap(error, "keeping values over time");
    history->digest = digest;
    return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

bool history_read(struct database *database, const char *series, int64_t since,
                  history_visit *visit, void *context, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &ends_rows,
                    " WHERE s.name = $1 AND h.at >= COALESCE((SELECT MAX(at) FROM history"
                    " WHERE series = s.number AND at <= $2), $2) ORDER BY h.at");
    database_bind(statement, series, since);
    for (bool found = true; found;) {
        struct last last = { 0 };
        if (!rows_next(statement, &ends_rows, NULL, &last, &found, error))
            return error_wrap(error, "reading values over time");
        if (found)
            visit(context, last.at, last.told ? last.value : NAN);
    }
    return true;
}

static const struct row_field value_fields[] = {
    ROW_INTEGER(struct history_value, series, "s.number"),
    ROW_INTEGER(struct history_value, at, "h.at"),
    ROW_TEXT(struct history_value, name, "s.name"),
    ROW_NUMBER(struct history_value, value, "h.value"),
    ROW_INTEGER(struct history_value, told, "h.value IS NOT NULL"),
    { 0 },
};
static const struct rows_table value_rows = {
    "history_series s CROSS JOIN history h ON h.series = s.number", 0, value_fields
};

bool history_each(struct database *database, const char *begins, int64_t since,
                  const struct history_value *after, history_value_visit *visit, void *context,
                  struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct database_statement *statement =
        rows_select(database, &value_rows,
                    " WHERE SUBSTR(s.name, 1, LENGTH($1)) = $1 AND h.at >= $2 AND s.number >= $3"
                    " AND (s.number > $3 OR h.at > $4) ORDER BY s.number, h.at");
    database_bind(statement, begins, since, after->series, after->at);
    for (bool found = true;;) {
        struct history_value value;
        arena_reset(&arena);
        if (!rows_next(statement, &value_rows, &arena, &value, &found, error))
            return error_wrap(error, "reading values over time");
        if (!found)
            return true;
        value.value = value.told ? value.value : NAN;
        if (!visit(context, &value, error)) {
            database_reset(statement);
            return false;
        }
    }
}

/* --- growing old ------------------------------------------------------------------------------ */

/* Rows of a series before an instant that have a later one, also before it: with a condition. */
#define DELETE_WITH_LATER(condition)                                                               \
    "DELETE FROM history WHERE (series, at) IN (SELECT h.series, h.at FROM history h WHERE"        \
    " h.at < $1 AND EXISTS (SELECT 1 FROM history later WHERE later.series = h.series"             \
    " AND later.at > h.at AND later.at < $1" condition ") LIMIT $2)"

static bool delete_some(struct database *database, const char *sql, int64_t before,
                        struct error *error)
{
    struct database_statement *statement = database_prepare(database, sql);
    database_bind(statement, before, SCHEMA_PRUNE_ROWS);
    return database_run(statement, error);
}

/* Once a day is enough, and the pass reads all rows. */
static bool is_thinned(struct database *database, int64_t day, bool *thinned, struct error *error)
{
    char value[32];
    *thinned = false;
    if (!schema_get(database, "history.thinned", value, sizeof value, error))
        return false;
    *thinned = *value && strtoll(value, NULL, 10) >= day;
    return true;
}

bool history_prune(struct database *database, int64_t now, struct error *error)
{
    int64_t day = now / DAY_S, before = database_total_changes(database);
    char text[32];
    bool thinned;
    if (!is_thinned(database, day, &thinned, error))
        return false;
    if (thinned)
        return true;
    if (!delete_some(database, DELETE_WITH_LATER(" AND later.at / 86400 = h.at / 86400"),
                     (now - FINE_S) / DAY_S * DAY_S, error) ||
        !delete_some(database, DELETE_WITH_LATER(""), now - KEEP_S, error) ||
        !delete_some(database,
                     "DELETE FROM history WHERE (series, at) IN (SELECT series, at"
                     " FROM history WHERE at < $1 AND value IS NULL LIMIT $2)",
                     now - KEEP_S, error))
        return error_wrap(error, "pruning values over time");
    if (database_total_changes(database) != before)
        return true; /* there may be more */
    struct database_statement *empty = database_prepare(
        database, "DELETE FROM history_series WHERE NOT EXISTS"
                  " (SELECT 1 FROM history WHERE history.series = history_series.number)");
    snprintf(text, sizeof text, "%lld", (long long)day);
    return database_run(empty, error) && schema_put(database, "history.thinned", text, error);
}
