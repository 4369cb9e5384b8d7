#include "exporter/commands_data.h"

#include <stdio.h>
#include <string.h>

#include "alerts/view/view_write.h"
#include "exporter/local.h"
#include "exporter/remote.h"
#include "exporter/terminal.h"
#include "exporter/terminal_groups.h"

enum { HEALTH_TIMEOUT_MS = 5000 };

/* --- what is shown ---------------------------------------------------------------------------- */

static int fail(const struct error *error)
{
    fprintf(stderr, "defender_exporter: %s\n", error->message);
    return error->code == ERROR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int print_rows(const struct view_table *table, const char *format, const struct buf *lines)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    return terminal_rows(table, format, buf_cstr(lines), &out, &error) ? commands_print(&out)
                                                                       : fail(&error);
}

static int print_groups(const struct view_table *table, const char *by, const char *format,
                        const struct buf *rows)
{
    struct view_column columns[VIEW_COLUMNS_MAX] = { 0 };
    CLEANUP(buf_finish) struct buf lines = { 0 };
    struct error error;
    const struct view_table groups = { .name = table->name, .columns = columns };
    if (!terminal_knows(format, &error) ||
        !terminal_groups(table, by, buf_cstr(rows), columns, &lines, &error))
        return fail(&error);
    return print_rows(&groups, format, &lines);
}

/* Each line of what is lacking, on standard error. */
static void say_lacking(const char *lines)
{
    for (size_t length; *lines; lines += length + (lines[length] == '\n')) {
        length = strcspn(lines, "\n");
        fprintf(stderr, "defender_exporter: %.*s\n", (int)length, lines);
    }
}

/* Of a collection of its own. */
static int show_local(const struct flags *flags, const struct view_table *table, const char *format)
{
    CLEANUP(local_finish) struct local_rows rows = { 0 };
    struct error error;
    if (flags->url) {
        error_set(&error, ERROR_CONFIG, "--once asks Azure itself, --url a running exporter");
        return fail(&error);
    }
    if (!terminal_knows(format, &error) || !local_ask(flags, table, &rows, &error))
        return fail(&error);
    int status = flags->group_by ? print_groups(table, flags->group_by, format, &rows.lines)
                                 : print_rows(table, format, &rows.lines);
    say_lacking(buf_cstr(&rows.lacking));
    return status == EXIT_FINE && rows.lacking.length ? EXIT_PARTLY : status;
}

static int show(const struct flags *flags, const char *name)
{
    const char *format = flags->format ? flags->format : "table";
    bool by_lines = !strcmp(format, "table") || !strcmp(format, "json") || flags->group_by;
    CLEANUP(remote_finish) struct remote remote = { 0 };
    CLEANUP(buf_finish) struct buf answer = { 0 };
    struct error error;
    if (flags->once)
        return show_local(flags, view_table_named(name), format);
    if (!remote_init(&remote, flags, &error))
        return fail(&error);
    buf_printf(&remote.url, "/api/v1/%s", name);
    remote_parameter(&remote, "format", by_lines ? "ndjson" : format);
    remote_parameter(&remote, "filter", flags->filter);
    remote_parameter(&remote, "order", flags->order);
    remote_parameter(&remote, "limit", flags->limit);
    if (!remote_ask(&remote, &answer, &error))
        return fail(&error);
    if (flags->group_by)
        return print_groups(view_table_named(name), flags->group_by, format, &answer);
    return by_lines ? print_rows(view_table_named(name), format, &answer) : commands_print(&answer);
}

/* --- health ----------------------------------------------------------------------------------- */

/* For containers, whose images have nothing else that asks. One that wants a login answers, too. */
static int check_health(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(remote_finish) struct remote remote;
    struct http_response response = { 0 };
    struct error error;
    (void)arguments;
    (void)count;
    if (!remote_init(&remote, flags, &error))
        return fail(&error);
    buf_text(&remote.url, "/-/healthy");
    bool ok = remote_get(&remote, HEALTH_TIMEOUT_MS, true, &response, &error);
    if (ok && response.status != 200 && response.status != 401)
        ok = error_set(&error, ERROR_REQUEST, "the exporter answers %d", response.status);
    http_response_finish(&response);
    if (!ok)
        return fail(&error);
    printf("it answers\n");
    return EXIT_FINE;
}

/* --- the report ------------------------------------------------------------------------------- */

static int print_report(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(remote_finish) struct remote remote;
    CLEANUP(buf_finish) struct buf answer = { 0 };
    struct error error;
    (void)arguments;
    (void)count;
    if (!remote_init(&remote, flags, &error))
        return fail(&error);
    buf_text(&remote.url, "/api/v1/report");
    remote_parameter(&remote, "name", flags->name);
    remote_parameter(&remote, "since", flags->since);
    remote_parameter(&remote, "by", flags->by);
    remote_parameter(&remote, "format", flags->format);
    return remote_ask(&remote, &answer, &error) ? commands_print(&answer) : fail(&error);
}

/* --- the table -------------------------------------------------------------------------------- */

#define SHOW(name)                                                                                 \
    static int show_##name(const struct flags *flags, const char *const *arguments, size_t count)  \
    {                                                                                              \
        (void)arguments;                                                                           \
        (void)count;                                                                               \
        return show(flags, #name);                                                                 \
    }
SHOW(findings)
SHOW(recommendations)
SHOW(controls)
SHOW(resources)
SHOW(baselines)
SHOW(baseline_rules)
SHOW(compliance)
SHOW(fix_first)
SHOW(attack_paths)
SHOW(security_alerts)
SHOW(exemptions)
SHOW(subscriptions)
SHOW(collectors)

#define WHERE "url user password-file ca-file cert-file key-file"
#define ITS_FLAGS "once format filter group-by limit " WHERE

/* clang-format off */
const struct command commands_data[] = {
    { { "recommendations" }, "",
      "Show recommendations with open findings, worst first, as a running exporter knows them.", 0,
      0, show_recommendations, ITS_FLAGS },
    { { "findings" }, "", "Show open findings, as a running exporter knows them.", 0, 0,
      show_findings, ITS_FLAGS " order" },
    { { "controls" }, "", "Show controls of the secure score, as a running exporter knows them.",
      0, 0, show_controls, ITS_FLAGS },
    { { "resources" }, "", "Show resources with open findings, as a running exporter knows them.",
      0, 0, show_resources, ITS_FLAGS },
    { { "baselines", "rules" }, "", "Show rules of OS baselines that fail, and on how many "
      "machines.", 0, 0, show_baseline_rules, ITS_FLAGS },
    { { "baselines" }, "",
      "Show rules of OS baselines that fail on machines, with what is expected and found.", 0, 0,
      show_baselines, ITS_FLAGS },
    { { "compliance" }, "", "Show standards and failing controls, as a running exporter knows "
      "them.", 0, 0, show_compliance, ITS_FLAGS },
    { { "fix-first" }, "", "Show what gains most points of the secure score, as a running exporter "
      "knows it.", 0, 0, show_fix_first, ITS_FLAGS },
    { { "attack-paths" }, "", "Show attack paths, as a running exporter knows them.", 0, 0,
      show_attack_paths, ITS_FLAGS },
    { { "security-alerts" }, "", "Show security alerts that are open, as a running exporter knows "
      "them.", 0, 0, show_security_alerts, ITS_FLAGS },
    { { "exemptions" }, "", "Show policy exemptions and when they end, as a running exporter knows "
      "them.", 0, 0, show_exemptions, ITS_FLAGS },
    { { "subscriptions" }, "", "Show subscriptions and whether a running exporter can read them.",
      0, 0, show_subscriptions, ITS_FLAGS },
    { { "collectors" }, "", "Show collectors of a running exporter and how their last run went.",
      0, 0, show_collectors, ITS_FLAGS },
    { { "status" }, "", "The same as collectors.", 0, 0, show_collectors, ITS_FLAGS },
    { { "check", "health" }, "", "Ask a running exporter whether it answers.", 0, 0, check_health,
      WHERE },
    { { "report" }, "",
      "Say what happened since (7d), as a running exporter knows it: new, fixed, overdue, score.",
      0, 0, print_report, "since by name format " WHERE },
    { { NULL } }
};
/* clang-format on */
