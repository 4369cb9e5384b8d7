#include "alerts/backfill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alerting.h"
#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "collectors/collector.h"
#include "core/memory.h"

#define UNTIL_KEY "backfill.until"

enum { PIECE_BYTES = 256 * 1024 };

/* Events of one series of a counter, and the series. */
struct tally {
    const char *labels; /* "subscription,critical", as ledger_counter has it */
    double now;         /* the counter's value */
    int64_t *events;    /* instants, in order; event_count of them */
    size_t event_count, event_capacity;
};

/* A counter that is counted back. */
struct counter {
    const char *family;
    enum event_kind kind;
    struct tally *tallies;
    size_t count, capacity;
};

struct backfill {
    struct database *database;
    const struct source_list *sources;
    int64_t counted_since;
    struct counter counters[2];
    struct arena arena;
};

/* --- begin and end ---------------------------------------------------------------------------- */
bool backfill_begin(struct database *database, int64_t since, int64_t *begin, struct error *error)
{
    int64_t first;
    char value[32];
    struct database_statement *statement =
        database_prepare(database, "SELECT MIN(at) FROM ledger_adoption");
    if (!database_get_integer(statement, &first, error) ||
        !schema_get(database, UNTIL_KEY, value, sizeof value, error))
        return error_wrap(error, "looking where to begin");
    int64_t last = *value ? strtoll(value, NULL, 10) : 0;
    *begin = since;
    if (*begin < first)
        *begin = first;
    if (*begin < last)
        *begin = last;
    return true;
}

bool backfill_end(struct database *database, int64_t until, struct error *error)
{
    char value[32];
    snprintf(value, sizeof value, "%" PRId64, until);
    if (!database_begin(database, error))
        return false;
    if (schema_put(database, UNTIL_KEY, value, error))
        return database_commit(database, error);
    database_rollback(database);
    return false;
}

/* --- counters --------------------------------------------------------------------------------- */
struct kept {
    const char *labels;
    double value;
};
static const struct row_field kept_fields[] = {
    ROW_TEXT(struct kept, labels, "labels"),
    ROW_NUMBER(struct kept, value, "value"),
    { 0 },
};
static const struct rows_table kept_rows = { "ledger_counter", 0, kept_fields };

static bool read_counter(struct backfill *backfill, struct counter *counter, struct error *error)
{
    struct database_statement *statement =
        rows_select(backfill->database, &kept_rows, " WHERE family = $1 ORDER BY labels");
    database_bind(statement, counter->family);
    for (bool found;;) {
        struct kept kept;
        if (!rows_next(statement, &kept_rows, &backfill->arena, &kept, &found, error))
            return error_wrap(error, "reading the ledger's counters");
        if (!found)
            return true;
        MEMORY_GROW(counter->tallies, counter->count, counter->capacity);
        counter->tallies[counter->count++] =
            (struct tally){ .labels = kept.labels, .now = kept.value };
    }
}

static bool is_counted(const struct event *event)
{
    return event->kind != EVENT_RESOLVED || event->reason != REASON_NO_LONGER_ASSESSED;
}

static int compare_labels(const void *key, const void *tally)
{
    return strcmp(key, ((const struct tally *)tally)->labels);
}

static bool add_event(void *context, const struct event *event, struct error *error)
{
    struct backfill *backfill = context;
    (void)error;
    for (size_t i = 0; i < ARRAY_COUNT(backfill->counters) && event->record; i++) {
        struct counter *counter = &backfill->counters[i];
        const struct finding *finding = &event->record->finding;
        char labels[256];
        if (event->kind != counter->kind || !is_counted(event) || !counter->count)
            continue;
        snprintf(labels, sizeof labels, "%s,%s", finding->subscription_id,
                 finding_risk_words[finding->risk]);
        struct tally *tally = bsearch(labels, counter->tallies, counter->count,
                                      sizeof *counter->tallies, compare_labels);
        if (!tally)
            continue;
        MEMORY_GROW(tally->events, tally->event_count, tally->event_capacity);
        tally->events[tally->event_count++] = event->at;
    }
    return true;
}

static int compare_instants(const void *left, const void *right)
{
    int64_t l = *(const int64_t *)left, r = *(const int64_t *)right;
    return (l > r) - (l < r);
}

/* Counters and events as of one instant: no evaluation comes in between. */
static bool read_ledger(struct backfill *backfill, struct error *error)
{
    if (!database_begin(backfill->database, error))
        return false;
    bool ok = true;
    for (size_t i = 0; i < ARRAY_COUNT(backfill->counters) && ok; i++)
        ok = read_counter(backfill, &backfill->counters[i], error);
    ok = ok && ledger_history(backfill->database, backfill->sources, backfill->counted_since, NULL,
                              add_event, backfill, error);
    database_rollback(backfill->database);
    for (size_t i = 0; i < ARRAY_COUNT(backfill->counters) && ok; i++)
        for (size_t j = 0; j < backfill->counters[i].count; j++) {
            struct tally *tally = &backfill->counters[i].tallies[j];
            if (tally->event_count)
                qsort(tally->events, tally->event_count, sizeof *tally->events, compare_instants);
        }
    return ok;
}

struct backfill *backfill_create(struct database *database, const struct source_list *sources,
                                 int64_t counted_since, struct error *error)
{
    struct backfill *backfill = MEMORY_NEW(struct backfill);
    backfill->database = database;
    backfill->sources = sources;
    backfill->counted_since = counted_since;
    backfill->counters[0] =
        (struct counter){ .family = "defender_findings_opened_total", .kind = EVENT_OPENED };
    backfill->counters[1] =
        (struct counter){ .family = "defender_findings_resolved_total", .kind = EVENT_RESOLVED };
    if (read_ledger(backfill, error))
        return backfill;
    backfill_destroy(backfill);
    return NULL;
}

void backfill_destroy(struct backfill *backfill)
{
    for (size_t i = 0; backfill && i < ARRAY_COUNT(backfill->counters); i++) {
        struct counter *counter = &backfill->counters[i];
        for (size_t j = 0; j < counter->count; j++)
            free(counter->tallies[j].events);
        free(counter->tallies);
    }
    if (backfill)
        arena_finish(&backfill->arena);
    free(backfill);
}

/* --- writing ---------------------------------------------------------------------------------- */
/* A range while it is written. */
struct writing {
    const struct backfill *backfill;
    const struct backfill_wanted *wanted;
    backfill_sink *sink;
    void *context;
    int64_t samples;
    struct buf text;
    struct buf series; /* name and labels of the one under way */
};

static void writing_finish(struct writing *writing)
{
    buf_finish(&writing->text);
    buf_finish(&writing->series);
}

static bool hand_on(struct writing *writing, size_t least, struct error *error)
{
    if (writing->text.length < least || !writing->text.length)
        return true;
    bool ok = writing->sink(writing->context, &writing->text, error);
    buf_reset(&writing->text);
    return ok;
}

/* OpenMetrics names the family of a counter without its end. */
static void put_head(struct writing *writing, const struct family *family)
{
    static const char end[] = "_total";
    size_t length = strlen(family->name);
    if (family->type == METRIC_COUNTER)
        length -= sizeof end - 1;
    buf_printf(&writing->text, "# HELP %.*s ", (int)length, family->name);
    for (const char *at = family->help; *at; at++)
        buf_printf(&writing->text, "%s%c", strchr("\\\"", *at) ? "\\" : "", *at);
    buf_printf(&writing->text, "\n# TYPE %.*s %s\n", (int)length, family->name,
               family->type == METRIC_COUNTER ? "counter" : "gauge");
}

/* The series of this name, `name{a="b"}`, with the labels wanted besides. */
static void name_series(struct writing *writing, const char *name)
{
    size_t length = strlen(name);
    bool has_labels = length && name[length - 1] == '}';
    buf_reset(&writing->series);
    buf_append(&writing->series, name, length - has_labels);
    if (*writing->wanted->labels)
        buf_printf(&writing->series, "%c%s}", has_labels ? ',' : '{', writing->wanted->labels);
    else if (has_labels)
        buf_char(&writing->series, '}');
}

/* The first multiple of the step that is not before an instant. */
static int64_t next_step(const struct writing *writing, int64_t at)
{
    int64_t step = writing->wanted->step_s;
    return (at + step - 1) / step * step;
}

static void put_sample(struct writing *writing, int64_t at, double value)
{
    buf_append(&writing->text, writing->series.data, writing->series.length);
    buf_char(&writing->text, ' ');
    buf_number(&writing->text, value);
    buf_char(&writing->text, ' ');
    buf_integer(&writing->text, at);
    buf_char(&writing->text, '\n');
    writing->samples++;
}

/* --- values over time ------------------------------------------------------------------------- */
struct value {
    int64_t at;
    double value;
    bool told;
};
static const struct row_field value_fields[] = {
    ROW_INTEGER(struct value, at, "at"),
    ROW_NUMBER(struct value, value, "value"),
    ROW_INTEGER(struct value, told, "value IS NOT NULL"),
    { 0 },
};
static const struct rows_table value_rows = { "history", 0, value_fields };

static bool write_values(struct writing *writing, int64_t series, struct error *error)
{
    const struct backfill_wanted *wanted = writing->wanted;
    struct value last = { 0 };
    int64_t at = next_step(writing, wanted->since);
    struct database_statement *statement = rows_select(
        writing->backfill->database, &value_rows,
        " WHERE series = $1 AND at >= COALESCE("
        "(SELECT MAX(at) FROM history WHERE series = $1 AND at <= $2), 0) AND at < $3 ORDER BY at");
    database_bind(statement, series, at, wanted->until);
    for (bool found = true; found;) {
        struct value value = { .at = wanted->until };
        if (!rows_next(statement, &value_rows, NULL, &value, &found, error))
            return error_wrap(error, "reading values over time");
        for (; at < value.at && at < wanted->until; at += wanted->step_s)
            if (last.told)
                put_sample(writing, at, last.value);
        last = value;
    }
    return hand_on(writing, PIECE_BYTES, error);
}

struct series {
    int64_t number;
    const char *name;
};
static const struct row_field series_fields[] = {
    ROW_INTEGER(struct series, number, "number"),
    ROW_TEXT(struct series, name, "name"),
    { 0 },
};
static const struct rows_table series_rows = { "history_series", 0, series_fields };

static const struct family *find_in(const struct family *const *families, const char *name,
                                    size_t length)
{
    for (; *families; families++)
        if (strlen((*families)->name) == length && !memcmp((*families)->name, name, length))
            return *families;
    return NULL;
}

/* The family of a series; NULL when nobody knows it any more. */
static const struct family *family_of(const struct source_list *sources, const char *name)
{
    size_t length = strcspn(name, "{");
    const struct family *family = NULL;
    for (size_t i = 0; i < sources->count && !family; i++)
        family = find_in(sources->sources[i].collector->families, name, length);
    for (size_t i = 0; alerting_families[i] && !family; i++)
        family = find_in(alerting_families[i], name, length);
    return family;
}

static bool write_history(struct writing *writing, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct family *under_way = NULL;
    struct series *list = NULL;
    size_t count = 0, capacity = 0;
    struct database_statement *statement =
        rows_select(writing->backfill->database, &series_rows, " ORDER BY name");
    bool ok = true;
    for (bool found = true; ok && found;) {
        struct series series;
        ok = rows_next(statement, &series_rows, &arena, &series, &found, error);
        if (ok && found) {
            MEMORY_GROW(list, count, capacity);
            list[count++] = series;
        }
    }
    for (size_t i = 0; ok && i < count; i++) {
        const struct family *family = family_of(writing->backfill->sources, list[i].name);
        if (!family)
            continue;
        if (family != under_way)
            put_head(writing, family);
        under_way = family;
        name_series(writing, list[i].name);
        ok = write_values(writing, list[i].number, error);
    }
    free(list);
    return ok;
}

/* --- counters, back in time ------------------------------------------------------------------- */
static void write_tally(struct writing *writing, const struct tally *tally)
{
    const struct backfill_wanted *wanted = writing->wanted;
    int64_t counted = writing->backfill->counted_since;
    int64_t at = next_step(writing, wanted->since < counted ? counted : wanted->since);
    double value = tally->now - (double)tally->event_count;
    size_t next = 0;
    for (; at < wanted->until; at += wanted->step_s) {
        while (next < tally->event_count && tally->events[next] <= at)
            next++;
        put_sample(writing, at, value + (double)next < 0 ? 0 : value + (double)next);
    }
}

static bool write_counter(struct writing *writing, const struct counter *counter,
                          struct error *error)
{
    const struct family *family = family_of(writing->backfill->sources, counter->family);
    put_head(writing, family);
    for (size_t i = 0; i < counter->count; i++) {
        CLEANUP(buf_finish) struct buf name = { 0 };
        const char *labels = counter->tallies[i].labels, *comma = strchr(labels, ',');
        if (!comma)
            continue;
        buf_printf(&name, "%s{%s=\"%.*s\",%s=\"%s\"}", counter->family, family->labels[0],
                   (int)(comma - labels), labels, family->labels[1], comma + 1);
        name_series(writing, buf_cstr(&name));
        write_tally(writing, &counter->tallies[i]);
        if (!hand_on(writing, PIECE_BYTES, error))
            return false;
    }
    return true;
}

bool backfill_write(struct backfill *backfill, const struct backfill_wanted *wanted,
                    backfill_sink *sink, void *context, int64_t *samples, struct error *error)
{
    CLEANUP(writing_finish)
    struct writing writing = {
        .backfill = backfill, .wanted = wanted, .sink = sink, .context = context
    };
    bool ok = write_history(&writing, error);
    for (size_t i = 0; i < ARRAY_COUNT(backfill->counters) && ok; i++)
        ok = write_counter(&writing, &backfill->counters[i], error);
    buf_text(&writing.text, "# EOF\n");
    *samples += writing.samples;
    return ok && hand_on(&writing, 0, error);
}
