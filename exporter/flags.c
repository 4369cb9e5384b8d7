#include "exporter/flags.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/near.h"

/* Flags that set no key of the configuration. */
enum special {
    SPECIAL_NONE,
    SPECIAL_TEXT,
    SPECIAL_SWITCH,
    SPECIAL_SECTION,   /* stands for one flag a key of the section, but those above it */
    SPECIAL_COLLECTORS /* stands for one flag a collector */
};

struct flag {
    const char *name;
    const char *path; /* of the key, whose row has type, default and help */
    enum special special;
    bool environment; /* SPECIAL_TEXT: a variable may set it */
    const char *help; /* of special ones */
    size_t at;        /* where a text or a switch goes in struct flags */
};

#define TEXT_AT(member) .special = SPECIAL_TEXT, .at = offsetof(struct flags, member)
#define SWITCH_AT(member) .special = SPECIAL_SWITCH, .at = offsetof(struct flags, member)

/* clang-format off */
static const struct flag flag_table[] = {
    { "help", SWITCH_AT(help), .help = "Show this help. Also -h." },
    { "version", SWITCH_AT(version), .help = "Show the version." },
    { "once", SWITCH_AT(once),
      .help = "With run: collect once, print the metrics, exit 0, or 1 when a collector failed. "
              "With findings and the like: collect once, in memory, instead of asking a running "
              "exporter." },
    { "notify", SWITCH_AT(notify),
      .help = "With run --once: also remember what was found and notify of it, as the service "
              "does, which must not run beside it." },
    { "debug", SWITCH_AT(debug),
      .help = "Allow core dumps and debuggers, which see every secret." },
    { "config.file", TEXT_AT(config_file), .environment = true, .help = "Configuration file." },
    { "since", TEXT_AT(since),
      .help = "With replay, report and backfill: how far back, for example 30d." },
    { "until", TEXT_AT(until),
      .help = "With backfill: where to end, how far back or an instant. Default: now." },
    { "step", TEXT_AT(step),
      .help = "With backfill: from one sample to the next. Default: 15m." },
    { "output", TEXT_AT(output),
      .help = "With backfill: a folder, for a file of each day." },
    { "duration", TEXT_AT(duration),
      .help = "With silence add: how long. Default: 2h." },
    { "comment", TEXT_AT(comment),
      .help = "With silence add: why." },
    { "author", TEXT_AT(author),
      .help = "With silence and outbox: who acts. Default: the user." },
    { "receiver", TEXT_AT(receiver),
      .help = "With outbox list: only messages for this receiver." },
    { "state", TEXT_AT(state),
      .help = "With outbox list: queued, sent or dead. Default: queued and dead." },
    { "url", TEXT_AT(url),
      .help = "With findings and the like: where the exporter is, also unix:/path. Default: as "
              "configured." },
    { "user", TEXT_AT(user),
      .help = "With findings and the like: who logs in there." },
    { "password-file", TEXT_AT(password_file),
      .help = "With findings and the like: file that holds the password." },
    { "ca-file", TEXT_AT(ca_file),
      .help = "With findings and the like: whose certificates are trusted. Default: those of the "
              "system." },
    { "cert-file", TEXT_AT(cert_file),
      .help = "With findings and the like: certificate to show." },
    { "key-file", TEXT_AT(key_file),
      .help = "With findings and the like: its key. Default: in the same file." },
    { "group-by", TEXT_AT(group_by),
      .help = "With findings and the like: count rows by these columns, with commas between." },
    { "format", TEXT_AT(format),
      .help = "With findings and the like, and check permissions: table, json, ndjson, csv or "
              "markdown; with report: text, markdown or html." },
    { "filter", TEXT_AT(filter),
      .help = "With findings and the like: matchers as in rules." },
    { "order", TEXT_AT(order),
      .help = "With findings: by risk, age or due date." },
    { "limit", TEXT_AT(limit),
      .help = "With findings and the like: so many rows." },
    { "by", TEXT_AT(by),
      .help = "With report: subscription (default), management_group or owner." },
    { "name", TEXT_AT(name),
      .help = "With report: one of `alerts.reports`, as it would be sent now." },
    { "role", SWITCH_AT(role),
      .help = "With check permissions: print a role of what the collectors that are on need, for "
              "az role definition create, and ask nobody." },
    { "force", SWITCH_AT(force), .help = "With init: write over a configuration that is there." },
    { "scope", TEXT_AT(scope),
      .help = "With check permissions --role: where it may be assigned. Default: the subscriptions "
              "that are included by id, else the whole tenant." },
    { "web.config.file", "web.config_file" },
    { "web", .special = SPECIAL_SECTION },
    { "storage", .special = SPECIAL_SECTION },
    { "azure", .special = SPECIAL_SECTION },
    { "collector.disable-defaults", "collector.disable_defaults" },
    { "collector", .special = SPECIAL_SECTION },
    { "collectors", .special = SPECIAL_COLLECTORS },
    { "metrics", .special = SPECIAL_SECTION },
    { "log", .special = SPECIAL_SECTION },
    { "otlp", .special = SPECIAL_SECTION },
};
/* clang-format on */

/* A flag, and what was given for it. */
struct given {
    struct flag flag;
    struct buf text;
    const char *origin; /* NULL = nothing */
    bool by_flag;
};

/* The rows of the table, sections and collectors spelled out. */
struct given_list {
    struct given *items;
    size_t count, capacity;
};

static void add_flag(struct given_list *list, struct flag flag)
{
    MEMORY_GROW(list->items, list->count, list->capacity);
    list->items[list->count++] = (struct given){ .flag = flag };
}

/* The flag of that name, or NULL. */
static struct given *find_flag(const struct given_list *list, const char *name, size_t length)
{
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->items[i].flag.name) == length &&
            !strncmp(list->items[i].flag.name, name, length))
            return &list->items[i];
    return NULL;
}

/* Whether a flag of another name sets that key. */
static bool is_set(const struct given_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].flag.path && !strcmp(list->items[i].flag.path, path))
            return true;
    return false;
}

/* "Secret of the application. Default: ..." -> "File that holds the secret of the application." */
static const char *file_help(const char *help, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    buf_printf(&text, "File that holds the %c%.*s.", tolower((unsigned char)*help),
               (int)strcspn(help + 1, "."), help + 1);
    return arena_text(arena, buf_cstr(&text));
}

static void list_section(struct given_list *list, const struct option *section, struct arena *arena)
{
    for (const struct option *key = section->section; key->type != OPTION_END; key++) {
        if (key->type >= OPTION_TYPE_TEXT_MAP)
            continue; /* no single text */
        bool secret = key->type == OPTION_TYPE_SECRET;
        CLEANUP(buf_finish) struct buf path = { 0 };
        buf_printf(&path, "%s.%s%s", section->name, key->name, secret ? "_file" : "");
        struct flag flag = { .path = arena_text(arena, buf_cstr(&path)),
                             .help = secret ? file_help(key->help, arena) : NULL };
        for (size_t i = 0; i < path.length; i++)
            path.data[i] = path.data[i] == '_' ? '-' : path.data[i];
        flag.name = arena_text(arena, buf_cstr(&path));
        if (!is_set(list, flag.path))
            add_flag(list, flag);
    }
}

static void list_collectors(struct given_list *list, const struct option *section,
                            struct arena *arena)
{
    for (const struct option *one = section->section; one->type != OPTION_END; one++) {
        CLEANUP(buf_finish) struct buf name = { 0 }, path = { 0 };
        if (one->type != OPTION_TYPE_SECTION)
            continue; /* queries of one's own are switched in the file */
        buf_printf(&name, "collector.%s", one->name);
        buf_printf(&path, "collectors.%s.enabled", one->name);
        add_flag(list, (struct flag){ .name = arena_text(arena, buf_cstr(&name)),
                                      .path = arena_text(arena, buf_cstr(&path)) });
    }
}

/* list: zeroed; names and paths are in the arena. */
static void given_init(struct given_list *list, const struct option *options, struct arena *arena)
{
    for (size_t i = 0; i < ARRAY_COUNT(flag_table); i++) {
        const struct flag *flag = &flag_table[i];
        if (flag->special == SPECIAL_SECTION)
            list_section(list, config_option(options, flag->name), arena);
        else if (flag->special == SPECIAL_COLLECTORS)
            list_collectors(list, config_option(options, flag->name), arena);
        else
            add_flag(list, *flag);
    }
}

static void given_finish(struct given_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buf_finish(&list->items[i].text);
    free(list->items);
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
    return row ? row->type == OPTION_TYPE_BOOL : !flag->path && flag->special != SPECIAL_TEXT;
}

static bool is_list(const struct flag *flag, const struct option *options)
{
    const struct option *row = flag->path ? config_option(options, flag->path) : NULL;
    return row && row->type == OPTION_TYPE_TEXT_LIST;
}

static void read_environment(struct flags *flags, struct given_list *list)
{
    char variable[128];
    for (size_t i = 0; i < list->count; i++) {
        struct given *given = &list->items[i];
        if (!given->flag.path && !given->flag.environment)
            continue;
        const char *value = getenv(variable_of(given->flag.name, variable));
        if (!value || !*value)
            continue;
        buf_text(&given->text, value);
        given->origin = arena_text(&flags->arena, variable);
    }
}

/* A repeated list grows, anything else is replaced; a flag replaces its variable. */
static void give(struct flags *flags, struct given *given, const char *value, bool list)
{
    struct buf *text = &given->text;
    if (!list || !given->by_flag)
        buf_reset(text);
    buf_text(text, text->length ? "," : "");
    buf_text(text, value);
    char origin[64];
    snprintf(origin, sizeof origin, "--%s", given->flag.name);
    given->origin = arena_text(&flags->arena, origin);
    given->by_flag = true;
}

/* Say which flags are near; returns 0. */
static int refuse_flag(const struct given_list *list, const struct option *options,
                       const char *argument, size_t length, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf near = { 0 };
    CLEANUP(buf_finish) struct buf word = { 0 };
    const char **words = arena_zalloc(&arena, (2 * list->count + 1) * sizeof *words);
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        for (int negated = 0; negated <= is_switch(&list->items[i].flag, options); negated++) {
            buf_reset(&word);
            buf_printf(&word, "--%s%s", negated ? "no-" : "", list->items[i].flag.name);
            words[count++] = arena_text(&arena, buf_cstr(&word));
        }
    buf_reset(&word);
    buf_append(&word, argument, length);
    near_append(buf_cstr(&word), words, &near);
    return error_set(error, ERROR_CONFIG, "unknown flag %s%s%s", buf_cstr(&word), buf_cstr(&near),
                     near.length ? "" : ", try --help");
}

/* One argument, and the next one when it is its value. Returns how many were used, 0 on error. */
static int read_flag(struct flags *flags, const struct option *options, struct given_list *list,
                     char *const *arguments, struct error *error)
{
    const char *name = arguments[0] + 2, *value = strchr(name, '=');
    size_t length = value ? (size_t)(value - name) : strlen(name);
    bool negated = false;
    struct given *given = find_flag(list, name, length);
    if (!given && length > 3 && !strncmp(name, "no-", 3)) {
        given = find_flag(list, name + 3, length - 3);
        negated = given && is_switch(&given->flag, options);
        given = negated ? given : NULL;
    }
    if (!given)
        return refuse_flag(list, options, arguments[0], length + 2, error);
    const struct flag *flag = &given->flag;
    if (is_switch(flag, options)) {
        if (value)
            return error_set(error, ERROR_CONFIG, "flag --%s takes no value", flag->name);
        give(flags, given, negated ? "false" : "true", false);
        return 1;
    }
    if (!value && !arguments[1])
        return error_set(error, ERROR_CONFIG, "flag --%s needs a value", flag->name);
    give(flags, given, value ? value + 1 : arguments[1], is_list(flag, options));
    return value ? 1 : 2;
}

static bool read_arguments(int argc, char *const *argv, struct flags *flags,
                           const struct option *options, struct given_list *list,
                           struct error *error)
{
    for (int i = 1; i < argc;) {
        int used = 1;
        if (!strcmp(argv[i], "-h"))
            flags->help = true;
        else if (!strncmp(argv[i], "--", 2) && argv[i][2])
            used = read_flag(flags, options, list, argv + i, error);
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

/* What OpenTelemetry calls it goes over the file, and under all that is called as we do. */
static void collect_opentelemetry(struct flags *flags)
{
    for (const struct otlp_variable *one = otlp_variables; one->name; one++) {
        const char *value = getenv(one->name);
        CLEANUP(buf_finish) struct buf text = { 0 };
        if (!value || !*value)
            continue;
        buf_printf(&text, "%s%s", value, one->milliseconds ? "ms" : "");
        flags->settings[flags->setting_count++] =
            (struct config_setting){ one->path, arena_text(&flags->arena, buf_cstr(&text)),
                                     one->name };
    }
}

static void collect(struct flags *flags, const struct given_list *list)
{
    size_t most = list->count + otlp_variable_count;
    flags->settings = arena_alloc(&flags->arena, most * sizeof *flags->settings);
    collect_opentelemetry(flags);
    for (size_t i = 0; i < list->count; i++) {
        const struct given *given = &list->items[i];
        if (!given->origin)
            continue;
        const char *text = arena_text(&flags->arena, buf_cstr(&given->text));
        switch (given->flag.special) {
        case SPECIAL_TEXT:
            *(const char **)((char *)flags + given->flag.at) = text;
            break;
        case SPECIAL_SWITCH:
            *(bool *)((char *)flags + given->flag.at) = !strcmp(text, "true");
            break;
        case SPECIAL_SECTION: /* none in the list */
        case SPECIAL_COLLECTORS:
        case SPECIAL_NONE:
            flags->settings[flags->setting_count++] =
                (struct config_setting){ given->flag.path, text, given->origin };
            break;
        }
    }
}

bool flags_parse(int argc, char *const *argv, struct flags *flags, struct error *error)
{
    CLEANUP(given_finish) struct given_list given = { 0 };
    const struct option *options = config_options(&flags->arena);
    given_init(&given, options, &flags->arena);
    read_environment(flags, &given);
    if (!read_arguments(argc, argv, flags, options, &given, error))
        return false;
    collect(flags, &given);
    return !flags->notify || flags->once ||
           error_set(error, ERROR_CONFIG, "flag --notify belongs to run --once");
}

void flags_finish(struct flags *flags)
{
    arena_finish(&flags->arena);
    *flags = (struct flags){ 0 };
}

/* options: NULL = of a flag that sets no key. */
static struct flag_line line_of(const struct flag *flag, const struct option *options,
                                struct arena *arena)
{
    char variable[128];
    const struct option *row = flag->path ? config_option(options, flag->path) : NULL;
    bool settable = flag->path || flag->environment, on_off = is_switch(flag, options);
    bool secret = flag->path && !row; /* the row is of the secret, not of its file */
    struct flag_line line = {
        .name = flag->name,
        .help = flag->help,
        .otherwise = flag->environment ? CONFIG_DEFAULT_FILE : NULL,
        .variable = settable ? arena_text(arena, variable_of(flag->name, variable)) : NULL,
        .on_off = on_off,
        .negatable = on_off && flag->path,
        .file = secret || flag->environment || (row && row->type == OPTION_TYPE_PATH),
    };
    if (!row)
        return line;
    line.help = flag->help ? flag->help : row->help;
    line.otherwise = row->otherwise;
    line.words = row->words;
    return line;
}

const struct flag_line *flags_list(struct arena *arena, size_t *count)
{
    const struct option *options = config_options(arena);
    CLEANUP(given_finish) struct given_list list = { 0 };
    given_init(&list, options, arena);
    struct flag_line *lines = arena_zalloc(arena, list.count * sizeof *lines);
    *count = list.count;
    for (size_t i = 0; i < list.count; i++)
        lines[i] = line_of(&list.items[i].flag, options, arena);
    return lines;
}

/* of_command: in the help of a command, whose name is not said again. */
static void append_line(struct buf *out, const struct flag_line *line, bool of_command)
{
    const char *whose =
        of_command && !strncmp(line->help, "With ", 5) ? strstr(line->help, ": ") : NULL;
    buf_printf(out, "  --%s%s", line->negatable ? "[no-]" : "", line->name);
    if (!line->on_off)
        buf_printf(out, "=%s", line->otherwise ? line->otherwise : "...");
    if (line->negatable && line->otherwise && !strcmp(line->otherwise, "true"))
        buf_text(out, " (on)");
    buf_text(out, "\n      ");
    if (whose)
        buf_printf(out, "%c%s", toupper((unsigned char)whose[2]), whose + 3);
    else
        buf_text(out, line->help);
    if (line->variable)
        buf_printf(out, " [%s]", line->variable);
    buf_char(out, '\n');
}

void flags_help(struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    size_t count;
    const struct flag_line *lines = flags_list(&arena, &count);
    for (size_t i = 0; i < count; i++)
        append_line(out, &lines[i], false);
}

void flags_help_of(const char *names, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    for (size_t length; *names; names += length + (names[length] == ' ')) {
        length = strcspn(names, " ");
        for (size_t i = 0; i < ARRAY_COUNT(flag_table); i++) {
            const struct flag *flag = &flag_table[i];
            if (strlen(flag->name) != length || strncmp(flag->name, names, length) != 0)
                continue;
            const struct flag_line line = line_of(flag, NULL, &arena);
            append_line(out, &line, true);
        }
    }
}
