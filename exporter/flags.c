#include "exporter/flags.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Flags that set no key of the configuration. */
enum special { SPECIAL_NONE, SPECIAL_TEXT, SPECIAL_ONCE, SPECIAL_VERSION, SPECIAL_HELP };

struct flag {
    const char *name;
    const char *path; /* of the key, whose row has type, default and help */
    enum special special;
    bool environment; /* SPECIAL_TEXT: a variable may set it */
    const char *help; /* of special ones */
    size_t text_at;   /* where SPECIAL_TEXT goes in struct flags */
};

/* clang-format off */
static const struct flag flag_table[] = {
    { "help", .special = SPECIAL_HELP, .help = "Show this help. Also -h." },
    { "version", .special = SPECIAL_VERSION, .help = "Show the version." },
    { "once", .special = SPECIAL_ONCE,
      .help = "With run: collect once, print the metrics, exit 0, or 1 when a collector failed." },
    { "config.file", .special = SPECIAL_TEXT, .help = "Configuration file.",
      .text_at = offsetof(struct flags, config_file), .environment = true },
    { "since", .special = SPECIAL_TEXT, .text_at = offsetof(struct flags, since),
      .help = "With replay: how far back, for example 30d." },
    { "duration", .special = SPECIAL_TEXT, .text_at = offsetof(struct flags, duration),
      .help = "With silence add: how long. Default: 2h." },
    { "comment", .special = SPECIAL_TEXT, .text_at = offsetof(struct flags, comment),
      .help = "With silence add: why." },
    { "author", .special = SPECIAL_TEXT, .text_at = offsetof(struct flags, author),
      .help = "With silence add: who. Default: the user." },
    { "receiver", .special = SPECIAL_TEXT, .text_at = offsetof(struct flags, receiver),
      .help = "With outbox list: only messages for this receiver." },
    { "state", .special = SPECIAL_TEXT, .text_at = offsetof(struct flags, state),
      .help = "With outbox list: queued, sent or dead. Default: queued and dead." },
    { "web.listen-address", "web.listen_address" },
    { "web.telemetry-path", "web.telemetry_path" },
    { "web.max-requests", "web.max_requests" },
    { "web.disable-exporter-metrics", "web.disable_exporter_metrics" },
    { "web.external-url", "web.external_url" },
    { "web.route-prefix", "web.route_prefix" },
    { "web.enable-lifecycle", "web.enable_lifecycle" },
    { "storage.path", "storage.path" },
    { "azure.cloud", "azure.cloud" },
    { "azure.method", "azure.method" },
    { "azure.tenant-id", "azure.tenant_id" },
    { "azure.client-id", "azure.client_id" },
    { "azure.client-secret-file", "azure.client_secret_file",
      .help = "File that holds the secret of the application." },
    { "azure.federated-token-file", "azure.federated_token_file" },
    { "azure.authority-host", "azure.authority_host" },
    { "azure.resource-manager", "azure.resource_manager" },
    { "collector.disable-defaults", "collector.disable_defaults" },
    { "collector.max-staleness", "collector.max_staleness" },
#define COLLECTOR_FLAG(name) { "collector." #name, "collectors." #name ".enabled" },
    COLLECTOR_LIST(COLLECTOR_FLAG)
#undef COLLECTOR_FLAG
    { "metrics.allowlist", "metrics.allowlist" },
    { "metrics.denylist", "metrics.denylist" },
    { "metrics.opt-in-list", "metrics.opt_in_list" },
    { "metrics.max-series", "metrics.max_series" },
    { "log.level", "log.level" },
    { "log.format", "log.format" },
};
/* clang-format on */

enum { FLAG_COUNT = ARRAY_COUNT(flag_table) };

/* What was given for each row. */
struct given {
    struct buf text[FLAG_COUNT];
    const char *origin[FLAG_COUNT]; /* NULL = nothing */
    bool by_flag[FLAG_COUNT];
};

static void given_finish(struct given *given)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        buf_finish(&given->text[i]);
}

/* "web.max-requests" -> "DEFENDER_EXPORTER_WEB_MAX_REQUESTS" */
static const char *variable_of(const char *flag, char out[128])
{
    int length = snprintf(out, 128, "DEFENDER_EXPORTER_%s", flag);
    for (int i = 0; i < length; i++)
        out[i] = strchr(".-", out[i]) ? '_' : (char)toupper((unsigned char)out[i]);
    return out;
}

static bool is_switch(const struct flag *flag, const struct option *options)
{
    const struct option *row = flag->path ? config_option(options, flag->path) : NULL;
    return row ? row->type == OPTION_BOOL : !flag->path && flag->special != SPECIAL_TEXT;
}

static bool is_list(const struct flag *flag, const struct option *options)
{
    const struct option *row = flag->path ? config_option(options, flag->path) : NULL;
    return row && row->type == OPTION_TEXT_LIST;
}

/* Index of the flag of that name, or -1. */
static int find_flag(const char *name, size_t length)
{
    for (int i = 0; i < (int)FLAG_COUNT; i++)
        if (strlen(flag_table[i].name) == length && !strncmp(flag_table[i].name, name, length))
            return i;
    return -1;
}

static void read_environment(struct flags *flags, struct given *given)
{
    char variable[128];
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!flag_table[i].path && !flag_table[i].environment)
            continue;
        const char *value = getenv(variable_of(flag_table[i].name, variable));
        if (!value || !*value)
            continue;
        buf_text(&given->text[i], value);
        given->origin[i] = arena_text(&flags->arena, variable);
    }
}

/* A repeated list grows, anything else is replaced; a flag replaces its variable. */
static void give(struct flags *flags, struct given *given, int index, const char *value, bool list)
{
    struct buf *text = &given->text[index];
    if (!list || !given->by_flag[index])
        buf_reset(text);
    buf_text(text, text->length ? "," : "");
    buf_text(text, value);
    char origin[64];
    snprintf(origin, sizeof origin, "--%s", flag_table[index].name);
    given->origin[index] = arena_text(&flags->arena, origin);
    given->by_flag[index] = true;
}

/* One argument, and the next one when it is its value. Returns how many were used, 0 on error. */
static int read_flag(struct flags *flags, const struct option *options, struct given *given,
                     char *const *arguments, struct error *error)
{
    const char *name = arguments[0] + 2, *value = strchr(name, '=');
    size_t length = value ? (size_t)(value - name) : strlen(name);
    bool negated = false;
    int index = find_flag(name, length), used = 1;
    if (index < 0 && length > 3 && !strncmp(name, "no-", 3)) {
        index = find_flag(name + 3, length - 3);
        negated = index >= 0 && is_switch(&flag_table[index], options);
        index = negated ? index : -1;
    }
    if (index < 0)
        return error_set(error, ERROR_CONFIG, "unknown flag %.*s, try --help", (int)(length + 2),
                         arguments[0]);
    const struct flag *flag = &flag_table[index];
    if (is_switch(flag, options)) {
        if (value)
            return error_set(error, ERROR_CONFIG, "flag --%s takes no value", flag->name);
        give(flags, given, index, negated ? "false" : "true", false);
        return 1;
    }
    if (!value && !arguments[1])
        return error_set(error, ERROR_CONFIG, "flag --%s needs a value", flag->name);
    if (!value)
        used = 2;
    give(flags, given, index, value ? value + 1 : arguments[1], is_list(flag, options));
    return used;
}

static bool read_arguments(int argc, char *const *argv, struct flags *flags,
                           const struct option *options, struct given *given, struct error *error)
{
    for (int i = 1; i < argc;) {
        int used = 1;
        if (!strcmp(argv[i], "-h"))
            flags->help = true;
        else if (!strncmp(argv[i], "--", 2) && argv[i][2])
            used = read_flag(flags, options, given, argv + i, error);
        else if (argv[i][0] == '-')
            used = error_set(error, ERROR_CONFIG, "unknown flag %s, try --help", argv[i]);
        else if (flags->word_count == FLAGS_WORDS_MAX)
            used = error_set(error, ERROR_CONFIG, "unexpected argument %s, try --help", argv[i]);
        else
            flags->words[flags->word_count++] = argv[i];
        if (!used)
            return false;
        i += used;
    }
    return true;
}

static void collect(struct flags *flags, const struct given *given)
{
    flags->settings = arena_alloc(&flags->arena, FLAG_COUNT * sizeof *flags->settings);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!given->origin[i])
            continue;
        const char *text = arena_text(&flags->arena, buf_cstr(&given->text[i]));
        switch (flag_table[i].special) {
        case SPECIAL_TEXT:
            *(const char **)((char *)flags + flag_table[i].text_at) = text;
            break;
        case SPECIAL_ONCE:
            flags->once = !strcmp(text, "true");
            break;
        case SPECIAL_VERSION:
            flags->version = !strcmp(text, "true");
            break;
        case SPECIAL_HELP:
            flags->help = !strcmp(text, "true");
            break;
        case SPECIAL_NONE:
            flags->settings[flags->setting_count++] =
                (struct config_setting){ flag_table[i].path, text, given->origin[i] };
            break;
        }
    }
}

bool flags_parse(int argc, char *const *argv, struct flags *flags, struct error *error)
{
    CLEANUP(given_finish) struct given given = { 0 };
    const struct option *options = config_options(&flags->arena);
    read_environment(flags, &given);
    if (!read_arguments(argc, argv, flags, options, &given, error))
        return false;
    collect(flags, &given);
    return true;
}

void flags_finish(struct flags *flags)
{
    arena_finish(&flags->arena);
    *flags = (struct flags){ 0 };
}

void flags_help(struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    const struct option *options = config_options(&arena);
    char variable[128];
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const struct flag *flag = &flag_table[i];
        const struct option *row = flag->path ? config_option(options, flag->path) : NULL;
        bool on_off = is_switch(flag, options);
        const char *otherwise = row ? row->otherwise : NULL;
        if (flag->environment)
            otherwise = CONFIG_DEFAULT_FILE;
        buf_printf(out, "  --%s%s", on_off && flag->path ? "[no-]" : "", flag->name);
        if (!on_off)
            buf_printf(out, "=%s", otherwise ? otherwise : "...");
        if (on_off && flag->path && otherwise && !strcmp(otherwise, "true"))
            buf_text(out, " (on)");
        buf_printf(out, "\n      %s", flag->help ? flag->help : row ? row->help : "");
        if (flag->path || flag->environment)
            buf_printf(out, " [%s]", variable_of(flag->name, variable));
        buf_char(out, '\n');
    }
}
