/* Alerts become matchers: of its identity each label once, quoted for the matcher, then the shell.
 */
#include "alerts/rules/notification_silence.h"

#include <string.h>

enum { COMMANDS_MAX = 4, COMMAND_BYTES = 1500, ALERTS_MAX = 64, SKIPPED = COMMANDS_MAX + 1 };

#define OPTIONS " --duration=4h --comment='...'"

/* --- quoting ---------------------------------------------------------------------------------- */

/* Within '...' of a shell. */
static void put_shell(struct buf *out, const char *text)
{
    buf_text(out, "'");
    for (; *text; text++)
        if (*text == '\'')
            buf_text(out, "'\\''");
        else
            buf_char(out, *text);
    buf_text(out, "'");
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* As a regular expression that means the text itself. Control characters are no text to paste. */
static void put_pattern(struct buf *out, const char *text)
{
    for (; *text; text++)
        if (is_control(*text)) {
            buf_printf(out, "\\x%02x", (unsigned)*text);
        } else {
            buf_text(out, strchr("\\.+*?()|[]{}^$", *text) ? "\\" : "");
            buf_char(out, *text);
        }
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (is_control(*text))
            return true;
    return false;
}

/* One argument: name, sign, "value". */
static void put_matcher(struct buf *out, const char *name, const char *sign, const char *value)
{
    CLEANUP(buf_finish) struct buf matcher = { 0 };
    buf_printf(&matcher, "%s%s\"", name, sign);
    for (; *value; value++) {
        buf_text(&matcher, *value == '"' || *value == '\\' ? "\\" : "");
        buf_char(&matcher, *value);
    }
    buf_char(&matcher, '"');
    buf_char(out, ' ');
    put_shell(out, buf_cstr(&matcher));
}

/* A label that is absent is said so without an empty value, which reads like a mistake. */
static void put_value(struct buf *out, const char *name, const char *value)
{
    CLEANUP(buf_finish) struct buf pattern = { 0 };
    put_pattern(&pattern, value);
    if (!*value)
        put_matcher(out, name, "!~", "(?s:.+)");
    else if (has_control(value))
        put_matcher(out, name, "=~", buf_cstr(&pattern));
    else
        put_matcher(out, name, "=", value);
}

/* --- what tells alerts apart ------------------------------------------------------------------ */

/* Labels of one alert, besides alertname. */
struct identity {
    const char *names[ALERT_LABELS_MAX];
    size_t count;
};

static void add_name(struct identity *identity, const char *name)
{
    if (identity->count < ALERT_LABELS_MAX && strcmp(name, "alertname") != 0)
        identity->names[identity->count++] = name;
}

static void add_names(struct identity *identity, const char *const *names)
{
    for (; *names; names++)
        add_name(identity, *names);
}

static void identify(const struct rule_set *rules, const struct alert *alert,
                     struct identity *identity)
{
    const struct rule *rule = rules ? rule_find(rules, alert->rule) : NULL;
    identity->count = 0;
    if (alert->has_finding) {
        add_names(identity, alert_finding_identity);
    } else if (!rule) {
        for (size_t i = 0; i < alert->label_count; i++)
            add_name(identity, alert->labels[i].name);
    } else if (rule->kind == RULE_EVENT) {
        add_names(identity, alert_event_identity);
    } else {
        for (size_t i = 0; rule->family->labels[i]; i++)
            if (rule->by & (1U << i))
                add_name(identity, rule->family->labels[i]);
    }
}

/* Whether two alerts have the same rule, and the same of the first `count` labels. */
static bool is_same(const struct alert *left, const struct alert *right,
                    const struct identity *identity, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(alert_label_value(left, identity->names[i]),
                   alert_label_value(right, identity->names[i])) != 0)
            return false;
    return !strcmp(alert_label_value(left, "alertname"), alert_label_value(right, "alertname")) &&
           left->has_finding == right->has_finding;
}

/* --- commands --------------------------------------------------------------------------------- */

struct silencing {
    const char *program;
    const struct silence_never *never;
    const struct alert *alerts;
    size_t count, commands;
    size_t done[ALERTS_MAX]; /* by which command, from 1; SKIPPED = by none */
};

/* --- what is never silenced ------------------------------------------------------------------- */

static bool is_never(const struct silence_never *never, const struct alert *alert)
{
    for (size_t i = 0; never && i < never->count; i++)
        if (match_ask(&never->lists[i], alert->labels, alert->label_count, NULL) != MATCH_NO)
            return true;
    return false;
}

/* Whether the command's own alerts are not what a matcher asks for. */
static bool excludes(const struct silencing *silencing, const struct match *match)
{
    for (size_t i = 0; i < silencing->count; i++)
        if (silencing->done[i] == silencing->commands &&
            match_value(match, alert_label_value(&silencing->alerts[i], match->name), NULL) !=
                MATCH_NO)
            return false;
    return true;
}

/* The matcher turned round. */
static void put_opposite(struct buf *out, const struct match *match)
{
    static const char *const signs[] = {
        [MATCH_EQUAL] = "!=",
        [MATCH_NOT_EQUAL] = "=",
        [MATCH_REGEX] = "!~",
        [MATCH_NOT_REGEX] = "=~",
    };
    put_matcher(out, match->name, signs[match->operator], match->value);
}

static bool is_identity(const struct identity *identity, const char *name)
{
    bool found = !strcmp(name, "alertname");
    for (size_t i = 0; i < identity->count; i++)
        found |= !strcmp(name, identity->names[i]);
    return found;
}

/* Exclude what the alerts of this command could become; false when no one matcher does. */
static bool put_exclusions(const struct silencing *silencing, const struct identity *identity,
                           struct buf *out)
{
    for (size_t i = 0; silencing->never && i < silencing->never->count; i++) {
        const struct match_list *list = &silencing->never->lists[i];
        const struct match *found = NULL;
        bool already = false;
        for (size_t j = 0; j < list->count && !already; j++)
            if (excludes(silencing, &list->matches[j])) {
                already = is_identity(identity, list->matches[j].name);
                found = found ? found : &list->matches[j];
            }
        if (!found)
            return false;
        if (!already)
            put_opposite(out, found);
    }
    return true;
}

/* --- one command after the other -------------------------------------------------------------- */

/* The last label, with the values of all that are the same up to it. */
static void put_last(struct silencing *silencing, const struct identity *identity, size_t first,
                     struct buf *out)
{
    CLEANUP(buf_finish) struct buf pattern = { 0 };
    const char *name = identity->names[identity->count - 1];
    const char *value = alert_label_value(&silencing->alerts[first], name);
    size_t values = 0;
    for (size_t i = first; i < silencing->count && *value; i++) {
        const struct alert *alert = &silencing->alerts[i];
        const char *other = alert_label_value(alert, name);
        if (silencing->done[i] || !*other ||
            !is_same(&silencing->alerts[first], alert, identity, identity->count - 1))
            continue;
        buf_text(&pattern, values++ ? "|" : "");
        put_pattern(&pattern, other);
        silencing->done[i] = silencing->commands;
    }
    if (values > 1)
        put_matcher(out, name, "=~", buf_cstr(&pattern));
    else
        put_value(out, name, value);
}

static bool put_command(struct silencing *silencing, const struct rule_set *rules, size_t first,
                        struct buf *out)
{
    const struct alert *alert = &silencing->alerts[first];
    const char *rule = alert_label_value(alert, "alertname");
    struct identity identity;
    identify(rules, alert, &identity);
    if (!*rule || (alert->has_finding && !*alert_label_value(alert, "finding_id")))
        return false; /* its labels are lost */
    buf_printf(out, "%s%s" OPTIONS, out->length ? " && " : "", silencing->program);
    put_value(out, "alertname", rule);
    for (size_t i = 0; i + 1 < identity.count; i++)
        put_value(out, identity.names[i], alert_label_value(alert, identity.names[i]));
    if (identity.count)
        put_last(silencing, &identity, first, out);
    silencing->done[first] = silencing->commands;
    return put_exclusions(silencing, &identity, out);
}

void notification_silence(const char *program, const struct rule_set *rules,
                          const struct silence_never *never, const struct alert *alerts,
                          size_t count, struct buf *out)
{
    CLEANUP(buf_finish) struct buf all = { 0 };
    struct silencing silencing = {
        .program = program, .never = never, .alerts = alerts, .count = count
    };
    if (count > ALERTS_MAX)
        return;
    for (size_t i = 0; i < count; i++)
        if (alerts[i].state == ALERT_RESOLVED || is_never(never, &alerts[i]))
            silencing.done[i] = SKIPPED;
    for (size_t i = 0; i < count; i++)
        if (!silencing.done[i] &&
            (silencing.commands++ == COMMANDS_MAX || !put_command(&silencing, rules, i, &all)))
            return;
    buf_text(out, all.length <= COMMAND_BYTES ? buf_cstr(&all) : "");
}

/* Exclude what of the group is never silenced, unless its labels do. */
static void put_group_exclusions(const struct silence_never *never,
                                 const struct match_label *labels, size_t count, struct buf *out)
{
    for (size_t i = 0; never && i < never->count; i++) {
        const struct match_list *list = &never->lists[i];
        bool already = false;
        for (size_t j = 0; j < list->count; j++)
            for (size_t k = 0; k < count; k++)
                already |= !strcmp(list->matches[j].name, labels[k].name) &&
                           match_value(&list->matches[j], labels[k].value, NULL) == MATCH_NO;
        if (!already)
            put_opposite(out, &list->matches[0]);
    }
}

void notification_silence_group(const char *program, const struct silence_never *never,
                                const struct match_label *labels, size_t count, struct buf *out)
{
    CLEANUP(buf_finish) struct buf command = { 0 };
    bool named = false;
    buf_printf(&command, "%s" OPTIONS, program);
    for (size_t i = 0; i < count; i++) {
        named = named || !strcmp(labels[i].name, "alertname");
        if (!*labels[i].value)
            return;
        put_value(&command, labels[i].name, labels[i].value);
    }
    put_group_exclusions(never, labels, count, &command);
    buf_text(out, named && command.length <= COMMAND_BYTES ? buf_cstr(&command) : "");
}

/* --- matchers --------------------------------------------------------------------------------- */

static void put_line(struct buf *out, const struct match *match)
{
    buf_text(out, out->length ? "\n" : "");
    match_print(match, out);
}

/* What makes this alert none of those that are never silenced; NULL = nothing does. */
static const struct match *exclusion(const struct match_list *never, const struct alert *alert)
{
    for (size_t i = 0; i < never->count; i++)
        if (match_value(&never->matches[i], alert_label_value(alert, never->matches[i].name),
                        NULL) == MATCH_NO)
            return &never->matches[i];
    return NULL;
}

bool notification_silence_matchers(const struct rule_set *rules, const struct silence_never *never,
                                   const struct alert *alert, struct buf *out)
{
    static const enum match_operator opposite[] = {
        [MATCH_EQUAL] = MATCH_NOT_EQUAL,
        [MATCH_NOT_EQUAL] = MATCH_EQUAL,
        [MATCH_REGEX] = MATCH_NOT_REGEX,
        [MATCH_NOT_REGEX] = MATCH_REGEX,
    };
    struct identity identity;
    if (is_never(never, alert))
        return false;
    identify(rules, alert, &identity);
    put_line(out,
             &(struct match){ "alertname", alert_label_value(alert, "alertname"), MATCH_EQUAL });
    for (size_t i = 0; i < identity.count; i++) {
        const char *value = alert_label_value(alert, identity.names[i]);
        put_line(out, &(struct match){ identity.names[i], *value ? value : "(?s:.+)",
                                       *value ? MATCH_EQUAL : MATCH_NOT_REGEX });
    }
    for (size_t i = 0; never && i < never->count; i++) {
        const struct match *match = exclusion(&never->lists[i], alert);
        if (match && !is_identity(&identity, match->name))
            put_line(out, &(struct match){ match->name, match->value, opposite[match->operator] });
    }
    return true;
}

/* --- programs --------------------------------------------------------------------------------- */

void notification_silence_own(const char *config_file, struct buf *out)
{
    buf_text(out, "defender_exporter silence add");
    if (*config_file) {
        buf_text(out, " --config.file=");
        put_shell(out, config_file);
    }
}

void notification_silence_amtool(const char *external_url, struct buf *out)
{
    buf_text(out, "amtool silence add --alertmanager.url=");
    put_shell(out, external_url);
}
