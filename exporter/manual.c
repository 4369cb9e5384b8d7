#include "exporter/manual.h"

#include <string.h>

#include "exporter/storage.h"
#include "version.h"

/* --- man(7) ----------------------------------------------------------------------------------- */

/* A dash is one to copy, and no line begins with what the language takes for a request. */
static void append_escaped(struct buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        buf_text(out, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            buf_text(out, "\\e");
        else if (*text == '-')
            buf_text(out, "\\-");
        else
            buf_char(out, *text == '\n' ? ' ' : *text);
    }
}

/* title: "DEFENDER_EXPORTER 1"; date of the build: "20261127-08:15:00". */
static void append_head(struct buf *out, const char *title, const char *kind)
{
    const char *date = VERSION_BUILD_DATE;
    buf_printf(out, ".TH %s \"%.4s-%.2s-%.2s\" \"defender_exporter %s\" \"%s\"\n", title, date,
               date + 4, date + 6, VERSION, kind);
}

/* A term with what is said of it. */
static void append_term(struct buf *out, const char *term, const char *said)
{
    buf_text(out, ".TP\n.B ");
    append_escaped(out, term);
    buf_char(out, '\n');
    append_escaped(out, said);
    buf_char(out, '\n');
}

struct term {
    const char *term, *said;
};

static void append_terms(struct buf *out, const char *section, const struct term *terms)
{
    buf_printf(out, ".SH %s\n", section);
    for (; terms->term; terms++)
        append_term(out, terms->term, terms->said);
}

/* --- what no table has ------------------------------------------------------------------------ */

/* clang-format off */
static const struct term files[] = {
    { CONFIG_DEFAULT_FILE, "Configuration, see defender_exporter.yml(5). Without it the defaults "
      "hold." },
    { "/etc/default/prometheus-defender-exporter", "Flags and variables of the service." },
    { STORAGE_SYSTEM, "What is kept between runs of the service and of root; of others it is below "
      "their home." },
    { "/usr/share/prometheus-defender-exporter", "Rules and dashboards." },
    { "/usr/share/doc/prometheus-defender-exporter/examples", "Examples of receivers and rules." },
    { NULL, NULL }
};
static const struct term statuses[] = {
    { "0", "All is well; stopped by a signal." },
    { "1", "Something failed, or a check found something." },
    { "2", "Wrong flags, commands or configuration." },
    { NULL, NULL }
};
static const struct term signals[] = {
    { "SIGHUP", "Read the configuration again. After a mistake the old one stays." },
    { "SIGTERM, SIGINT", "Stop." },
    { NULL, NULL }
};
/* clang-format on */

/* --- the program ------------------------------------------------------------------------------ */

static void append_flag(struct buf *out, const struct flag_line *line)
{
    CLEANUP(buf_finish) struct buf term = { 0 };
    CLEANUP(buf_finish) struct buf said = { 0 };
    buf_printf(&term, "--%s%s", line->negatable ? "[no-]" : "", line->name);
    if (!line->on_off)
        buf_printf(&term, "=%s", line->otherwise ? line->otherwise : "...");
    bool on = line->negatable && line->otherwise && !strcmp(line->otherwise, "true");
    buf_printf(&said, "%s%s", line->help, on ? " On." : "");
    for (size_t i = 0; line->words && line->words[i]; i++)
        buf_printf(&said, "%s%s%s", i ? ", " : " One of: ", line->words[i],
                   line->words[i + 1] ? "" : ".");
    if (line->variable)
        buf_printf(&said, " Variable: %s.", line->variable);
    append_term(out, buf_cstr(&term), buf_cstr(&said));
}

static void append_command(struct buf *out, const struct command *command)
{
    CLEANUP(buf_finish) struct buf term = { 0 };
    buf_printf(&term, "%s%s%s%s", command->words[0], command->words[1] ? " " : "",
               command->words[1] ? command->words[1] : "", command->arguments);
    append_term(out, buf_cstr(&term), command->help);
}

void manual_program(const struct command *const *tables, size_t count, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    size_t flag_count;
    const struct flag_line *lines = flags_list(&arena, &flag_count);
    append_head(out, "DEFENDER_EXPORTER 1", "User Commands");
    buf_text(out, ".SH NAME\n"
                  "defender_exporter \\- Prometheus exporter and alert bridge for Microsoft "
                  "Defender for Cloud\n"
                  ".SH SYNOPSIS\n.B defender_exporter\n[\\fIflags\\fR] [\\fIcommand\\fR]\n"
                  ".SH DESCRIPTION\n"
                  "Reads findings, scores and more of Microsoft Defender for Cloud, serves them to "
                  "Prometheus on port " WEB_CONFIG_PORT
                  " or pushes them to OpenTelemetry, and notifies people of what changed. "
                  "It only reads.\n.SH COMMANDS\n");
    for (size_t i = 0; i < count; i++)
        for (const struct command *one = tables[i]; one->words[0]; one++)
            append_command(out, one);
    buf_text(out, ".SH OPTIONS\nEach with the variable that sets it too. "
                  "Flags go over variables, both go over the file.\n");
    for (size_t i = 0; i < flag_count; i++)
        append_flag(out, &lines[i]);
    append_terms(out, "SIGNALS", signals);
    append_terms(out, "EXIT STATUS", statuses);
    append_terms(out, "FILES", files);
    buf_text(out, ".SH SEE ALSO\n.BR defender_exporter.yml (5),\n.BR prometheus (1)\n");
}

/* --- the configuration ------------------------------------------------------------------------ */

static void append_key(struct buf *out, const struct option *row, const char *path)
{
    CLEANUP(buf_finish) struct buf said = { 0 };
    CLEANUP(buf_finish) struct buf term = { 0 };
    buf_text(&term, path);
    if (!row->section) {
        buf_text(&term, ": ");
        options_document_value(row, &term);
    }
    options_document_help(row, &said);
    append_term(out, buf_cstr(&term), buf_cstr(&said));
}

/* The rows below a path, each by its whole path: "alerts.receivers[].name". */
static void append_keys(struct buf *out, const struct option *rows, const char *above)
{
    for (const struct option *row = rows; row->type != OPTION_END; row++) {
        CLEANUP(buf_finish) struct buf path = { 0 };
        buf_printf(&path, "%s.%s", above, row->name);
        append_key(out, row, buf_cstr(&path));
        if (row->type == OPTION_TYPE_ITEMS)
            buf_text(&path, "[]");
        else if (row->type == OPTION_TYPE_NAMED)
            buf_text(&path, ".<name>");
        if (row->section)
            append_keys(out, row->section, buf_cstr(&path));
    }
}

void manual_config(struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    append_head(out, "DEFENDER_EXPORTER.YML 5", "File Formats");
    buf_text(out, ".SH NAME\ndefender_exporter.yml \\- configuration of defender_exporter\n"
                  ".SH DESCRIPTION\n"
                  "A file in YAML. Every key has a default, shown behind it; an unknown one is an "
                  "error.\nPaths are relative to the folder of the file.\n"
                  ".B defender_exporter check config\nnames every mistake,\n"
                  ".B defender_exporter config\nprints the same with comments, ready to be "
                  "changed.\n.SH KEYS\n");
    for (const struct option *row = config_options(&arena); row->type != OPTION_END; row++) {
        CLEANUP(buf_finish) struct buf help = { 0 };
        options_document_help(row, &help);
        buf_printf(out, ".SS %s\n", row->name);
        append_escaped(out, buf_cstr(&help));
        buf_char(out, '\n');
        append_keys(out, row->section, row->name);
    }
    buf_text(out, ".SH SEE ALSO\n.BR defender_exporter (1)\n");
}
