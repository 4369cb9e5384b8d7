#include "exporter/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "alerts/alerting.h"
#include "collectors/collector.h"
#include "collectors/custom.h"
#include "collectors/run/fast.h"
#include "core/log.h"
#include "core/near.h"
#include "exporter/commands_alerts.h"
#include "exporter/commands_backfill.h"
#include "exporter/commands_data.h"
#include "exporter/commands_database.h"
#include "exporter/commands_init.h"
#include "exporter/commands_permissions.h"
#include "exporter/completion.h"
#include "exporter/manual.h"
#include "exporter/otlp/otlp.h"
#include "exporter/otlp/otlp_logs.h"
#include "exporter/plan.h"
#include "exporter/process.h"
#include "exporter/rendition.h"
#include "exporter/service.h"
#include "exporter/web/admission.h"
#include "exporter/web/dispatch.h"
#include "version.h"

int commands_print(const struct buf *out)
{
    fwrite(buf_cstr(out), 1, out->length, stdout);
    return fflush(stdout) ? EXIT_FAILED : EXIT_FINE;
}

struct config *commands_load(const struct flags *flags)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    struct config *config = service_load(flags, NULL, &report);
    fputs(buf_cstr(&report.text), stderr);
    return config;
}

/* --- check config --------------------------------------------------------------------------- */

static int check_config(const struct flags *flags, const char *const *arguments, size_t count)
{
    struct flags named = *flags;
    if (count)
        named.config_file = arguments[0];
    struct config *config = commands_load(&named);
    if (!config)
        return EXIT_USAGE;
    CLEANUP(buf_finish) struct buf warnings = { 0 };
    CLEANUP(buf_finish) struct buf writers = { 0 };
    const char *name = *config->file ? config->file : "the default configuration";
    config_warn(config, &warnings);
    config_writers(config, &writers);
    printf("%s is valid\n%s\n", name, buf_cstr(&writers));
    if (warnings.length)
        printf("%s: warning: %s", name, buf_cstr(&warnings));
    config_destroy(config);
    return EXIT_FINE;
}

static int check_web_config(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(buf_finish) struct buf words = { 0 };
    (void)flags;
    (void)count;
    struct toolkit *toolkit = admission_read(arguments[0], &report);
    fputs(buf_cstr(&report.text), stderr);
    if (!toolkit)
        return EXIT_USAGE;
    admission_describe(toolkit, &words);
    toolkit_destroy(toolkit);
    printf("%s is valid: %s\n", arguments[0], buf_cstr(&words));
    return EXIT_FINE;
}

/* --- metrics -------------------------------------------------------------------------------- */

static const char *const type_words[] = {
    [METRIC_GAUGE] = "gauge",
    [METRIC_COUNTER] = "counter",
    [METRIC_HISTOGRAM] = "histogram",
    [METRIC_INFO] = "info",
};

/* Help texts stand in table cells. */
static void append_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_char(out, '\\');
        buf_char(out, *text == '\n' ? ' ' : *text);
    }
}

static void append_families(struct buf *out, const char *collector,
                            const struct family *const *families)
{
    for (; *families; families++) {
        const struct family *family = *families;
        buf_printf(out, "| %s | %s | ", family->name, type_words[family->type]);
        for (size_t i = 0; family->labels[i]; i++)
            buf_printf(out, "%s%s", i ? ", " : "", family->labels[i]);
        buf_printf(out, " | %d | %s | ", family->level, collector);
        append_text(out, family->help);
        buf_text(out, " |\n");
    }
}

static int list_metrics(const struct flags *flags, const char *const *arguments, size_t count)
{
    static const struct family *const *const own[] = {
        runner_families, fast_families,      arm_families,      service_families,
        series_families, rendition_families, dispatch_families, admission_families,
        login_families,  process_families,
    };
    CLEANUP(buf_finish) struct buf out = { 0 };
    (void)flags;
    (void)arguments;
    (void)count;
    buf_text(&out, "| name | type | labels | level | collector | help |\n"
                   "| --- | --- | --- | --- | --- | --- |\n");
    struct source_list *sources = source_list_of(collector_kinds);
    for (size_t i = 0; i < sources->count; i++)
        append_families(&out, sources->sources[i].name, sources->sources[i].collector->families);
    source_list_release(sources);
    append_families(&out, "custom", custom_families);
    for (size_t i = 0; i < ARRAY_COUNT(own); i++)
        append_families(&out, "-", own[i]);
    for (size_t i = 0; alerting_families[i]; i++)
        append_families(&out, "-", alerting_families[i]);
    for (size_t i = 0; otlp_families[i]; i++)
        append_families(&out, "-", otlp_families[i]);
    return commands_print(&out);
}

static int list_otlp(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    (void)flags;
    (void)arguments;
    (void)count;
    otlp_logs_document(&out);
    return commands_print(&out);
}

/* --- rights --------------------------------------------------------------------------------- */

/* "`A`, `B`" */
static void append_actions(const char *actions, struct buf *out)
{
    for (size_t length, count = 0; actions && *actions; actions += length, count++) {
        length = strcspn(actions, " ");
        buf_printf(out, "%s`%.*s`", count ? ", " : "", (int)length, actions);
        length += actions[length] == ' ';
    }
}

static int list_rights(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    (void)flags;
    (void)arguments;
    (void)count;
    buf_text(&out, "| collector | reads | actions | role |\n| --- | --- | --- | --- |\n");
    struct source_list *sources = source_list_of(collector_kinds);
    for (size_t i = 0; i < sources->count; i++) {
        const struct collector *collector = sources->sources[i].collector;
        buf_printf(&out, "| `%s` | %s | ", collector->name, collector->rights.reads);
        append_actions(collector->rights.actions, &out);
        buf_printf(&out, " | %s |\n", collector->rights.role);
    }
    source_list_release(sources);
    return commands_print(&out);
}

/* --- plan ----------------------------------------------------------------------------------- */

static int print_plan(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error;
    bool whole = false;
    (void)arguments;
    (void)count;
    struct config *config = commands_load(flags);
    if (!config)
        return EXIT_USAGE;
    signal(SIGPIPE, SIG_IGN);
    log_configure(&config->log);
    if (!plan_make(config, &out, &whole, &error)) {
        fprintf(stderr, "defender_exporter: %s\n", error.message);
        return EXIT_FAILED;
    }
    int status = commands_print(&out);
    return whole ? status : EXIT_FAILED;
}

/* --- config --------------------------------------------------------------------------------- */

static int document_config(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    (void)flags;
    (void)arguments;
    (void)count;
    options_document(config_options(&arena), &out);
    return commands_print(&out);
}

/* --- manuals and completions ---------------------------------------------------------------- */

static int print_manual(const struct flags *flags, const char *const *arguments, size_t count);
static int print_completion(const struct flags *flags, const char *const *arguments, size_t count);

/* --- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct command own_commands[] = {
    { { "run" }, "", "Collect and serve (the default).", 0, 0, NULL, "once notify" },
    { { "check", "config" }, " [FILE]", "Name everything wrong in a configuration.", 0, 1,
      check_config },
    { { "check", "web-config" }, " FILE", "Name everything wrong in a web configuration file.", 1,
      1, check_web_config },
    { { "metrics" }, "", "List every metric as a Markdown table.", 0, 0, list_metrics },
    { { "rights" }, "", "List what each collector reads and the role it needs, as a table.", 0, 0,
      list_rights },
    { { "otlp" }, "", "List what a log record that is pushed has, as a Markdown table.", 0, 0,
      list_otlp },
    { { "plan" }, "",
      "Run each collector once, also those that are off, and list its rows, requests and series.",
      0, 0, print_plan },
    { { "config" }, "", "Print a commented configuration with every key.", 0, 0, document_config },
    { { "man" }, " program|config", "Print a manual page.", 1, 1, print_manual },
    { { "completion" }, " bash|zsh|fish", "Print what a shell completes.", 1, 1,
      print_completion },
    { { NULL } }
};
/* clang-format on */

static const struct command *const tables[] = { own_commands,         commands_init,
                                                commands_permissions, commands_data,
                                                commands_alerts,      commands_backfill,
                                                commands_database };

static int print_manual(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    (void)flags;
    (void)count;
    if (!strcmp(arguments[0], "program"))
        manual_program(tables, ARRAY_COUNT(tables), &out);
    else if (!strcmp(arguments[0], "config"))
        manual_config(&out);
    else {
        fprintf(stderr, "defender_exporter: there is no manual page %s\n", arguments[0]);
        return EXIT_USAGE;
    }
    return commands_print(&out);
}

static int print_completion(const struct flags *flags, const char *const *arguments, size_t count)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    (void)flags;
    (void)count;
    if (completion_write(arguments[0], tables, ARRAY_COUNT(tables), &out))
        return commands_print(&out);
    fprintf(stderr, "defender_exporter: nothing is known of the shell %s\n", arguments[0]);
    return EXIT_USAGE;
}

/* How many words of the command line name this command; 0 = it is another one. */
static size_t named_by(const struct command *command, const struct flags *flags)
{
    size_t count = command->words[1] ? 2 : 1;
    for (size_t i = 0; i < count; i++)
        if (i >= flags->word_count || strcmp(command->words[i], flags->words[i]) != 0)
            return 0;
    return count;
}

bool commands_is_run(const struct flags *flags)
{
    return !flags->word_count || (flags->word_count == 1 && named_by(&own_commands[0], flags));
}

static const struct command *find_command(const struct flags *flags)
{
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
        for (const struct command *one = tables[i]; one->words[0]; one++)
            if (named_by(one, flags))
                return one;
    return NULL;
}

/* Append the words of the commands that are near what is on the command line. */
static void append_near(const struct flags *flags, struct buf *out)
{
    enum { WORDS_MAX = 64 };
    const char *first[WORDS_MAX] = { NULL }, *second[WORDS_MAX] = { NULL };
    size_t firsts = 0, seconds = 0;
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
        for (const struct command *one = tables[i]; one->words[0]; one++) {
            bool begins = !strcmp(one->words[0], flags->words[0]);
            if (begins && one->words[1] && seconds + 1 < WORDS_MAX)
                second[seconds++] = one->words[1];
            if (firsts + 1 < WORDS_MAX && !(firsts && !strcmp(first[firsts - 1], one->words[0])))
                first[firsts++] = one->words[0];
        }
    if (seconds)
        near_append(flags->word_count > 1 ? flags->words[1] : "", second, out);
    else
        near_append(flags->words[0], first, out);
}

static int refuse(const struct flags *flags, const char *what)
{
    CLEANUP(buf_finish) struct buf near = { 0 };
    if (!find_command(flags))
        append_near(flags, &near);
    fprintf(stderr, "%s:", what);
    for (size_t i = 0; i < flags->word_count; i++)
        fprintf(stderr, " %s", flags->words[i]);
    fprintf(stderr, "%s\n", near.length ? buf_cstr(&near) : ", try --help");
    return EXIT_USAGE;
}

int commands_run(const struct flags *flags)
{
    const struct command *command = find_command(flags);
    size_t used = command ? named_by(command, flags) : 0;
    size_t rest = flags->word_count - used;
    if (command && command->run && rest >= command->least && rest <= command->most)
        return command->run(flags, flags->words + used, rest);
    return refuse(flags, command ? "wrong number of arguments" : "unknown command");
}

/* --- help ----------------------------------------------------------------------------------- */

static const char usage[] = "usage: defender_exporter [flags] [command]\n\n"
                            "Microsoft Defender for Cloud as Prometheus metrics.\n";
static const char statuses[] =
    "\nExit status: 0 when it was done, 1 when it could not be, 2 when the command line or the\n"
    "configuration is wrong, 3 when what --once printed is not all there is.\n";

static void append_words(const struct command *command, struct buf *out)
{
    buf_printf(out, "%s%s%s%s", command->words[0], command->words[1] ? " " : "",
               command->words[1] ? command->words[1] : "", command->arguments);
}

/* Those that begin with this word; NULL = all. */
static size_t append_commands(const char *word, struct buf *out)
{
    size_t found = 0;
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
        for (const struct command *one = tables[i]; one->words[0]; one++) {
            if (word && strcmp(one->words[0], word) != 0)
                continue;
            buf_text(out, found++ ? "  " : "\nCommands:\n  ");
            append_words(one, out);
            buf_printf(out, "\n      %s\n", one->help);
        }
    return found;
}

static void append_command(const struct command *command, struct buf *out)
{
    buf_text(out, "usage: defender_exporter [flags] ");
    append_words(command, out);
    buf_printf(out, "\n\n%s\n", command->help);
    if (command->flags) {
        buf_text(out, "\nFlags of its own:\n");
        flags_help_of(command->flags, out);
    }
    buf_text(out, "\nFlags of the configuration: defender_exporter --help\n");
}

int commands_help(const struct flags *flags, struct buf *out)
{
    const struct command *command = find_command(flags);
    if (command) {
        append_command(command, out);
    } else if (flags->word_count) {
        if (!append_commands(flags->words[0], out))
            return refuse(flags, "unknown command");
    } else {
        buf_text(out, usage);
        append_commands(NULL, out);
        buf_text(out, "\nFlags, each with the variable that sets it too:\n");
        flags_help(out);
    }
    buf_text(out, statuses);
    return EXIT_FINE;
}

void commands_version(struct buf *out)
{
    buf_text(out, "defender_exporter, version " VERSION " (branch: " VERSION_BRANCH
                  ", revision: " VERSION_REVISION ")\n"
                  "  build user:       unknown\n"
                  "  build date:       " VERSION_BUILD_DATE "\n"
                  "  compiler:         " VERSION_COMPILER "\n"
                  "  platform:         " VERSION_PLATFORM "\n"
                  "  tags:             none\n");
}
