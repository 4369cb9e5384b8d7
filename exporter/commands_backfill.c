#include "exporter/commands_backfill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alerts/alerting.h"
#include "alerts/backfill.h"
#include "alerts/store/schema.h"
#include "core/clock.h"

#define DEFAULT_SINCE "90d"
#define DEFAULT_STEP "15m"

enum { DAY_S = 86400, STEP_MIN_S = 15 };

static void config_finish(struct config **config)
{
    config_destroy(*config);
}

static void database_finish(struct database **database)
{
    database_close(*database);
}

static void backfill_finish(struct backfill **backfill)
{
    backfill_destroy(*backfill);
}

/* --- what is asked for ------------------------------------------------------------------------ */
/* "90d" ago, or an instant. */
static bool read_instant(const char *flag, const char *text, int64_t now, int64_t *at,
                         struct error *error)
{
    int64_t ago_ms;
    struct error ignored;
    if (clock_parse_rfc3339(text, at))
        return true;
    if (!clock_parse_duration(text, &ago_ms, &ignored))
        return error_set(error, ERROR_CONFIG,
                         "--%s: %s is neither a duration like 90d nor an "
                         "instant like 2026-11-20T00:00:00Z",
                         flag, text);
    *at = now - ago_ms / 1000;
    return true;
}

/* job=defender -> job="defender" */
static bool read_labels(const char *const *arguments, size_t count, struct buf *out,
                        struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list list = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (!match_parse(arguments[i], &list, &arena, error))
            return false;
        const struct match *match = &list.matches[list.count - 1];
        if (match->operator!= MATCH_EQUAL)
            return error_set(error, ERROR_CONFIG, "%s: a label is name=value", arguments[i]);
        buf_printf(out, "%s%s=\"", i ? "," : "", match->name);
        for (const char *at = match->value; *at; at++)
            buf_printf(out, "%s%c", strchr("\\\"", *at) ? "\\" : "", *at == '\n' ? ' ' : *at);
        buf_char(out, '"');
    }
    return true;
}

static bool read_flags(const struct flags *flags, int64_t now, struct backfill_wanted *wanted,
                       struct error *error)
{
    int64_t step_ms;
    if (!read_instant("since", flags->since ? flags->since : DEFAULT_SINCE, now, &wanted->since,
                      error) ||
        !read_instant("until", flags->until ? flags->until : "0s", now, &wanted->until, error) ||
        !clock_parse_duration(flags->step ? flags->step : DEFAULT_STEP, &step_ms, error))
        return false;
    wanted->step_s = step_ms / 1000;
    if (wanted->step_s < STEP_MIN_S || wanted->step_s > DAY_S)
        return error_set(error, ERROR_CONFIG, "--step: not 15s to 1d");
    return true;
}

/* --- where it goes ---------------------------------------------------------------------------- */
static bool write_piece(void *context, const struct buf *text, struct error *error)
{
    return fwrite(text->data, 1, text->length, context) == text->length ||
           error_set(error, ERROR_IO, "writing: %s", strerror(errno));
}

/* A file of its own for each day: promtool reads a file once for each two hours in it. */
static bool write_file(struct backfill *backfill, const struct backfill_wanted *wanted,
                       const char *folder, int64_t *samples, struct error *error)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    char name[32];
    struct tm utc;
    time_t at = (time_t)wanted->since;
    strftime(name, sizeof name, "%Y%m%dT%H%M%SZ", gmtime_r(&at, &utc));
    buf_printf(&path, "%s/%s.om", folder, name);
    FILE *file = fopen(buf_cstr(&path), "wx");
    if (!file)
        return error_set(error, ERROR_IO, "%s: %s", buf_cstr(&path), strerror(errno));
    bool ok = backfill_write(backfill, wanted, write_piece, file, samples, error);
    if (fclose(file) && ok)
        ok = error_set(error, ERROR_IO, "%s: %s", buf_cstr(&path), strerror(errno));
    return ok;
}

static bool write_days(struct backfill *backfill, const struct backfill_wanted *wanted,
                       const char *folder, int64_t *samples, struct error *error)
{
    struct backfill_wanted day = *wanted;
    for (; day.since < wanted->until; day.since = day.until) {
        day.until = (day.since / DAY_S + 1) * DAY_S;
        if (day.until > wanted->until)
            day.until = wanted->until;
        if (!write_file(backfill, &day, folder, samples, error))
            return false;
    }
    return true;
}

static bool write_out(struct backfill *backfill, const struct backfill_wanted *wanted,
                      const char *folder, int64_t *samples, struct error *error)
{
    if (folder)
        return write_days(backfill, wanted, folder, samples, error);
    return backfill_write(backfill, wanted, write_piece, stdout, samples, error) &&
           (!fflush(stdout) || error_set(error, ERROR_IO, "writing: %s", strerror(errno)));
}

/* --- the command ------------------------------------------------------------------------------ */
static bool run(const struct flags *flags, struct config *config, struct backfill_wanted *wanted,
                int64_t now, int64_t *samples, struct error *error)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    CLEANUP(backfill_finish) struct backfill *backfill = NULL;
    int64_t keep_s = config->settings->ledger.keep_events_s;
    buf_printf(&path, "%s/" ALERTING_DATABASE, config->storage.path);
    const struct database_config file = { .path = buf_cstr(&path),
                                          .migrations = schema_migrations };
    if (access(file.path, R_OK)) /* or an empty one would be made */
        return error_set(error, ERROR_IO, "--storage.path: %s: %s", file.path, strerror(errno));
    CLEANUP(database_finish) struct database *database = database_open(&file, error);
    if (!database || !backfill_begin(database, wanted->since, &wanted->since, error))
        return false;
    if (wanted->since >= wanted->until)
        return true;
    backfill = backfill_create(database, config->sources, keep_s ? now - keep_s : 0, error);
    return backfill && write_out(backfill, wanted, flags->output, samples, error) &&
           backfill_end(database, wanted->until, error);
}

static int write_backfill(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    CLEANUP(buf_finish) struct buf labels = { 0 };
    struct backfill_wanted wanted = { 0 };
    struct error error;
    char from[32], to[32];
    int64_t now = clock_now_s(), samples = 0;
    if (!config)
        return EXIT_USAGE;
    bool ok =
        read_flags(flags, now, &wanted, &error) && read_labels(arguments, count, &labels, &error);
    int status = ok ? EXIT_FAILED : EXIT_USAGE;
    wanted.labels = buf_cstr(&labels);
    if (!ok || !run(flags, config, &wanted, now, &samples, &error)) {
        fprintf(stderr, "defender_exporter: %s\n", error.message);
        return status;
    }
    if (wanted.since >= wanted.until)
        fprintf(stderr, "nothing is left to write before %s\n",
                clock_format_rfc3339(wanted.until, to));
    else
        fprintf(stderr, "%" PRId64 " samples from %s to %s\n", samples,
                clock_format_rfc3339(wanted.since, from), clock_format_rfc3339(wanted.until, to));
    return EXIT_FINE;
}

const struct command commands_backfill[] = {
    { { "backfill" },
      " [LABEL=VALUE...]",
      "Write what is remembered of the past as OpenMetrics, for promtool to make blocks of.",
      0,
      FLAGS_WORDS_MAX,
      write_backfill,
      "since until step output" },
    { { NULL } },
};
