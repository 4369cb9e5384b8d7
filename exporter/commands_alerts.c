#include "exporter/commands_alerts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alerting.h"
#include "alerts/drill.h"
#include "alerts/replay.h"
#include "alerts/ruletest.h"
#include "alerts/store/schema.h"
#include "core/clock.h"

#define DEFAULT_SINCE "30d"
#define DEFAULT_DURATION "2h"

/* --- what several need ---------------------------------------------------------------------- */

static int fail(const struct error *error)
{
    fprintf(stderr, "defender_exporter: %s\n", error->message);
    return EXIT_FAILED;
}

static void config_finish(struct config **config)
{
    config_destroy(*config);
}

static void handle_finish(struct database **database)
{
    database_close(*database);
}

/* What commands over messages and silences work with. */
struct desk {
    struct config *config;
    struct database *database;
};

static void desk_finish(struct desk *desk)
{
    handle_finish(&desk->database);
    config_finish(&desk->config);
}

static void append_path(const struct config *config, struct buf *path)
{
    buf_printf(path, "%s/" ALERTING_DATABASE, config->storage.path);
}

/* The service's database; NULL after printing why not. */
static struct database *open_database(const struct config *config, bool read_only)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    struct error error;
    append_path(config, &path);
    const struct database_config wanted = {
        .path = buf_cstr(&path),
        .migrations = schema_migrations,
        .read_only = read_only,
    };
    struct database *database = database_open(&wanted, &error);
    if (database)
        return database;
    error_wrap(&error, "--storage.path");
    fail(&error);
    return NULL;
}

/* Who acts by a command. */
static struct audit_by author_of(const struct flags *flags)
{
    const char *user = getenv("USER");
    return (struct audit_by){ flags->author ? flags->author
                              : user        ? user
                                            : "unknown",
                              AUDIT_COMMAND_LINE };
}

/* Returns the exit status, after printing what is wrong. */
static int desk_open(struct desk *desk, const struct flags *flags, bool read_only)
{
    desk->config = commands_load(flags);
    if (!desk->config)
        return EXIT_USAGE;
    desk->database = open_database(desk->config, read_only);
    return desk->database ? EXIT_FINE : EXIT_FAILED;
}

/* A flag's duration in seconds, 0 after printing that it is none. */
static int64_t seconds_of(const char *text, const char *otherwise)
{
    int64_t duration_ms = 0;
    struct error error;
    if (clock_parse_duration(text ? text : otherwise, &duration_ms, &error) && duration_ms >= 1000)
        return duration_ms / 1000;
    fprintf(stderr, "defender_exporter: %s is no duration like 30d or 2h\n", text);
    return 0;
}

/* --- rules and receivers -------------------------------------------------------------------- */

static int check_rules(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    size_t rules;
    if (!config)
        return EXIT_USAGE;
    struct rule_set *set = config->settings->rules;
    if (count) {
        const struct option_texts files = { (const char **)(uintptr_t)arguments, count, NULL };
        const struct tag_labels_wanted wanted = { &config->alerts.tags,
                                                  config->alerts.governance_owner };
        set = rule_load(&files, "", config->rule_families, &wanted, &report);
    } else {
        rule_acquire(set);
    }
    fputs(buf_cstr(&report.text), stderr);
    if (!set)
        return EXIT_USAGE;
    const struct rule *all = rule_all(set, &rules);
    for (size_t i = 0; i < rules; i++)
        printf("%s%s%s:%d\n", all[i].name, " ", all[i].file, all[i].line);
    printf("%zu rules are valid\n", rules);
    rule_release(set);
    return EXIT_FINE;
}

static int document_rules(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    (void)flags;
    (void)arguments;
    (void)count;
    rule_document(&out);
    return commands_print(&out);
}

static int test_receiver(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    (void)count;
    if (!config)
        return EXIT_USAGE;
    bool ok = drill_send(config->settings, arguments[0], clock_now_s(), &out, &error);
    commands_print(&out);
    return ok ? EXIT_FINE : fail(&error);
}

static int test_rules(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    size_t failed = 0, all_failed = 0;
    bool ok = true;
    if (!config)
        return EXIT_USAGE;
    for (size_t i = 0; ok && i < count; i++) {
        struct settings *settings = config->settings->receiver_count ? config->settings : NULL;
        ok = ruletest_run(arguments[i], settings, config->rule_families, &out, &failed, &report);
        all_failed += failed;
    }
    commands_print(&out);
    fputs(buf_cstr(&report.text), stderr);
    return ok && !all_failed ? EXIT_FINE : EXIT_FAILED;
}

static int replay(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    CLEANUP(buf_finish) struct buf path = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    int64_t now = clock_now_s(), since_s = seconds_of(flags->since, DEFAULT_SINCE);
    (void)arguments;
    (void)count;
    if (!config || !since_s)
        return EXIT_USAGE;
    append_path(config, &path);
    if (!replay_print(buf_cstr(&path), config->sources, config->settings, now - since_s, now, &out,
                      &error))
        return fail(&error);
    return commands_print(&out);
}

/* --- outbox --------------------------------------------------------------------------------- */

static bool print_message(void *context, const struct outbox_message *message, struct error *error)
{
    char at[32];
    (void)context;
    (void)error;
    printf("%s  %-6s  %s  %-12s %-20s %s  attempts %d%s%s%s%s\n", message->id,
           outbox_state_words[message->state], clock_format_rfc3339(message->created_at, at),
           message->receiver, message->event, message->status, message->attempts,
           *message->last_reason ? "  " : "", message->last_reason,
           *message->last_error ? ": " : "", message->last_error);
    return true;
}

static int outbox_list(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    int state = 0;
    struct error error;
    (void)arguments;
    (void)count;
    while (flags->state && state < OUTBOX_STATE_COUNT &&
           strcmp(outbox_state_words[state], flags->state) != 0)
        state++;
    if (!config || state == OUTBOX_STATE_COUNT) {
        fputs(config ? "--state must be queued, sent or dead\n" : "", stderr);
        return EXIT_USAGE;
    }
    CLEANUP(handle_finish) struct database *database = open_database(config, true);
    if (!database)
        return EXIT_FAILED;
    return outbox_each(database, flags->receiver,
                       flags->state ? (enum outbox_state)state : OUTBOX_STATE_COUNT, print_message,
                       NULL, &error)
               ? EXIT_FINE
               : fail(&error);
}

static int outbox_show(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(desk_finish) struct desk desk = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct outbox_message message;
    struct error error;
    bool found = false;
    (void)count;
    int status = desk_open(&desk, flags, true);
    if (status != EXIT_FINE)
        return status;
    if (!outbox_find(desk.database, arguments[0], &arena, &message, &found, &error))
        return fail(&error);
    if (!found) {
        error_set(&error, ERROR_NOT_FOUND, "no message %s", arguments[0]);
        return fail(&error);
    }
    print_message(NULL, &message, &error);
    puts(message.notification);
    return EXIT_FINE;
}

/* How long a message of this receiver may wait from now. */
static bool expiry_of(struct database *database, const struct config *config, const char *id,
                      int64_t *expires_s, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct outbox_message message;
    bool found = false;
    if (!outbox_find(database, id, &arena, &message, &found, error))
        return false;
    const struct receivers_config *receiver =
        found ? settings_receiver(config->settings, message.receiver) : NULL;
    if (found && !receiver)
        return error_set(error, ERROR_NOT_FOUND, "receiver %s is gone", message.receiver);
    *expires_s = receiver ? settings_expires_s(receiver) : 0;
    return true;
}

/* Each message named, with one of the two. */
static int change_messages(const struct flags *flags, const char *const *ids, size_t count,
                           bool retry)
{
    CLEANUP(desk_finish) struct desk desk = { 0 };
    struct error error;
    int64_t now = clock_now_s(), expires_s = 0;
    const struct audit_by by = author_of(flags);
    int status = desk_open(&desk, flags, false);
    if (status != EXIT_FINE)
        return status;
    for (size_t i = 0; i < count; i++) {
        bool ok = retry ? expiry_of(desk.database, desk.config, ids[i], &expires_s, &error) &&
                              outbox_retry(desk.database, ids[i], expires_s, &by, now, &error)
                        : outbox_drop(desk.database, ids[i], &by, now, &error);
        if (!ok)
            return fail(&error);
        printf("%s %s\n", ids[i], retry ? "queued again" : "dropped");
    }
    return EXIT_FINE;
}

static int outbox_retry_these(const struct flags *flags, const char *const *ids, size_t count)
{
    return change_messages(flags, ids, count, true);
}

static int outbox_drop_these(const struct flags *flags, const char *const *ids, size_t count)
{
    return change_messages(flags, ids, count, false);
}

/* --- routes --------------------------------------------------------------------------------- */

/* The labels of an alert, such as team=cloud; each must be one that alerts can have. */
static bool read_labels(const struct config *config, const char *const *arguments, size_t count,
                        struct match_list *matchers, struct arena *arena, struct alert *alert,
                        struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!match_parse(arguments[i], matchers, arena, error))
            return false;
        const struct match *match = &matchers->matches[matchers->count - 1];
        if (match->operator!= MATCH_EQUAL)
            return error_set(error, ERROR_CONFIG, "%s: a label is name=value", arguments[i]);
        if (alert->label_count == ALERT_LABELS_MAX)
            return error_set(error, ERROR_CONFIG, "an alert has at most %d labels",
                             ALERT_LABELS_MAX);
        alert_label(alert, match->name, match->value);
    }
    return match_all_known(matchers, rule_labels(config->settings->rules), error);
}

/* Print the receivers of an alert with these labels, a line each, as the route tree has them. */
static int test_route(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(match_finish) struct match_list matchers = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    const struct route_leaf *leaves[ROUTE_LEAVES_MAX];
    struct alert alert = { 0 };
    struct error error;
    if (!config)
        return EXIT_USAGE;
    if (!read_labels(config, arguments, count, &matchers, &arena, &alert, &error))
        return fail(&error);
    if (!config->settings->route) {
        error_set(&error, ERROR_CONFIG, "there is no receiver: nobody is notified");
        return fail(&error);
    }
    size_t found = route_find(config->settings->route, &alert, leaves, ARRAY_COUNT(leaves));
    for (size_t i = 0; i < found; i++)
        buf_printf(&out, "%s\n", leaves[i]->receiver);
    return commands_print(&out);
}

/* --- silences ------------------------------------------------------------------------------- */

static void finish_matchers(struct silence *silence)
{
    match_finish(&silence->matchers);
}

static int silence_add(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(config_finish) struct config *config = commands_load(flags);
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(finish_matchers) struct silence silence = { 0 };
    struct error error;
    int64_t now = clock_now_s(), duration_s = seconds_of(flags->duration, DEFAULT_DURATION);
    const struct audit_by by = author_of(flags);
    if (!config || !duration_s)
        return EXIT_USAGE;
    for (size_t i = 0; i < count; i++)
        if (!match_parse(arguments[i], &silence.matchers, &arena, &error))
            return fail(&error);
    if (!match_all_known(&silence.matchers, rule_labels(config->settings->rules), &error))
        return fail(&error);
    silence.starts_at = now;
    silence.ends_at = now + duration_s;
    silence.created_by = by.author;
    silence.comment = flags->comment ? flags->comment : "";
    if (!silence_limits_allow(config->settings->silence_limits, &silence, now, &error))
        return fail(&error);
    CLEANUP(handle_finish) struct database *database = open_database(config, false);
    if (!database)
        return EXIT_FAILED;
    if (!silence_put(database, &silence, &by, now, &error))
        return fail(&error);
    puts(silence.id);
    return EXIT_FINE;
}

static int silence_list(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(desk_finish) struct desk desk = { 0 };
    CLEANUP(silence_list_finish) struct silence_list list = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    int64_t now = clock_now_s();
    (void)arguments;
    (void)count;
    int status = desk_open(&desk, flags, true);
    if (status != EXIT_FINE)
        return status;
    if (!silence_load(desk.database, NULL, now, &list, &error))
        return fail(&error);
    for (size_t i = 0; i < list.count; i++) {
        const struct silence *one = &list.silences[i];
        char ends[32];
        buf_printf(&out, "%s  %-7s  until %s  by %s  {", one->id,
                   silence_state_words[silence_state(one, now)],
                   clock_format_rfc3339(one->ends_at, ends), one->created_by);
        for (size_t k = 0; k < one->matchers.count; k++) {
            buf_text(&out, k ? "," : "");
            match_print(&one->matchers.matches[k], &out);
        }
        buf_printf(&out, "}  %s\n", one->comment);
    }
    return commands_print(&out);
}

static int silence_end(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(desk_finish) struct desk desk = { 0 };
    struct error error;
    const struct audit_by by = author_of(flags);
    int status = desk_open(&desk, flags, false);
    if (status != EXIT_FINE)
        return status;
    for (size_t i = 0; i < count; i++)
        if (!silence_expire(desk.database, arguments[i], &by, clock_now_s(), &error))
            return fail(&error);
    return EXIT_FINE;
}

/* --- the table ------------------------------------------------------------------------------ */

enum { MANY = FLAGS_WORDS_MAX };

/* clang-format off */
const struct command commands_alerts[] = {
    { { "rules" }, "", "Print the reference of alert rules as Markdown.", 0, 0, document_rules },
    { { "check", "rules" }, " [FILE...]", "Name everything wrong in alert rules.", 0, MANY,
      check_rules },
    { { "test", "receiver" }, " NAME",
      "Send a test notification and its resolve to a receiver.", 1, 1, test_receiver },
    { { "test", "rules" }, " FILE...", "Run unit tests of alert rules.", 1, MANY, test_rules },
    { { "test", "route" }, " LABEL=VALUE...",
      "Print the receivers of an alert with these labels.", 0, MANY, test_route },
    { { "replay" }, "", "Say what would have been sent, from what is remembered.", 0, 0, replay,
      "since" },
    { { "outbox", "list" }, "", "List messages that are not accepted.", 0, 0, outbox_list,
      "receiver state" },
    { { "outbox", "show" }, " ID", "Show a message and its notification.", 1, 1, outbox_show },
    { { "outbox", "retry" }, " ID...", "Queue dead messages again.", 1, MANY, outbox_retry_these,
      "author" },
    { { "outbox", "drop" }, " ID...", "Give queued messages up, delete dead ones.", 1, MANY,
      outbox_drop_these, "author" },
    { { "silence", "add" }, " MATCHER...", "Silence alerts, for example risk_level=low.", 1, MANY,
      silence_add, "duration comment author" },
    { { "silence", "list" }, "", "List silences.", 0, 0, silence_list },
    { { "silence", "expire" }, " ID...", "End silences now.", 1, MANY, silence_end,
      "author" },
    { { NULL } }
};
/* clang-format on */
