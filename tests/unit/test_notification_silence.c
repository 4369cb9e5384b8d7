/* Silence commands, read back as a shell and a silence would: they cover the alert, whatever its
 * labels hold, and none that differs in a label of its identity. */
#include "alerts/rules/notification_silence.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/test.h"

enum { ROUNDS = 2000, COMMANDS_MAX = 8, VALUE_BYTES = 40 };

/* --- reading a command back ------------------------------------------------------------------- */

/* The matchers of every command of a line. */
struct pasted {
    struct arena arena;
    struct match_list lists[COMMANDS_MAX];
    size_t count;
    bool empty_value; /* one of them is */
};

/* The next word as a POSIX shell reads it: '...' is itself, a backslash outside quotes the next. */
static bool next_word(const char **at, struct buf *word)
{
    bool quoted = false;
    buf_reset(word);
    buf_text(word, "");
    *at += strspn(*at, " ");
    if (!**at)
        return false;
    for (; **at && (quoted || **at != ' '); ++*at) {
        if (**at == '\'')
            quoted = !quoted;
        else if (**at == '\\' && !quoted)
            buf_char(word, *++*at);
        else
            buf_char(word, **at);
    }
    CHECK(!quoted);
    return true;
}

static void paste(const char *line, struct pasted *pasted)
{
    CLEANUP(buf_finish) struct buf word = { 0 };
    struct error error = { 0 };
    *pasted = (struct pasted){ .count = *line != 0 };
    while (next_word(&line, &word)) {
        const char *text = buf_cstr(&word);
        struct match_list *list = &pasted->lists[pasted->count - 1];
        if (!strcmp(text, "&&"))
            pasted->count++;
        else if (strncmp(text, "--", 2) != 0 && strchr(text, '='))
            CHECK(match_parse(text, list, &pasted->arena, &error));
        else if (strchr(text, '~'))
            CHECK(match_parse(text, list, &pasted->arena, &error));
    }
    CHECK_TEXT(error.message, "");
    for (size_t i = 0; i < pasted->count; i++)
        for (size_t j = 0; j < pasted->lists[i].count; j++)
            pasted->empty_value |= !*pasted->lists[i].matches[j].value;
}

static bool covers(const struct pasted *pasted, const struct alert *alert)
{
    for (size_t i = 0; i < pasted->count; i++)
        if (pasted->lists[i].count &&
            match_surely(&pasted->lists[i], alert->labels, alert->label_count))
            return true;
    return false;
}

static void finish_pasted(struct pasted *pasted)
{
    for (size_t i = 0; i < pasted->count; i++)
        match_finish(&pasted->lists[i]);
    arena_finish(&pasted->arena);
}

static void silence(const struct rule_set *rules, const struct alert *alerts, size_t count,
                    struct buf *line, struct pasted *pasted)
{
    CLEANUP(buf_finish) struct buf program = { 0 };
    notification_silence_own("", &program);
    buf_reset(line);
    notification_silence(buf_cstr(&program), rules, NULL, alerts, count, line);
    paste(buf_cstr(line), pasted);
}

/* The same alert as matchers of a form. */
static void type(const struct rule_set *rules, const struct alert *alert, struct buf *lines,
                 struct pasted *typed)
{
    struct error error = { 0 };
    *typed = (struct pasted){ .count = 1 };
    buf_reset(lines);
    CHECK(notification_silence_matchers(rules, NULL, alert, lines));
    char *text = arena_text(&typed->arena, buf_cstr(lines)), *rest;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        CHECK(match_parse(line, &typed->lists[0], &typed->arena, &error));
    CHECK_TEXT(error.message, "");
}

/* --- rules and alerts ------------------------------------------------------------------------- */

static const struct family_3 findings = { .name = "defender_findings",
                                          .help = "x.",
                                          LABELS("subscription_id", "risk_level", "cloud") };
static const struct family *const families[] = { &findings.family, NULL };

static const char rules_text[] =
    "groups:\n- name: g\n  rules:\n"
    "  - { alert: Opened, event: finding.opened }\n"
    "  - { alert: Dropped, event: [score.dropped, data.stale] }\n"
    "  - { alert: Many, metric: defender_findings, above: 5, by: [subscription_id, cloud] }\n"
    "  - { alert: All, metric: defender_findings, above: 5, by: [] }\n";

static struct rule_set *read_rules(void)
{
    struct option_report report = { 0 };
    struct rule_set *rules =
        rule_load_text("rules.yml", rules_text, sizeof rules_text - 1, families, &report);
    CHECK_TEXT(buf_cstr(&report.text), "");
    options_report_finish(&report);
    return rules;
}

static struct alert alert_of(const char *rule, bool has_finding)
{
    struct alert alert = { .rule = rule, .state = ALERT_FIRING, .has_finding = has_finding };
    alert_label(&alert, "alertname", rule);
    return alert;
}

static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* A value with everything that means something to a shell, a matcher or a regular expression. */
static void draw_value(uint32_t *seed, char value[VALUE_BYTES])
{
    static const char *const pieces[] = { "'",        "\"",   "\\",   "\n", "\t", " ", "$(id)",
                                          "`",        "|",    ".",    "*",  "+",  "(", ")",
                                          "[",        "]",    "{",    "}",  "^",  "$", "!",
                                          "\xc3\xa9", "&&",   ";",    "a",  "B",  "=", "~",
                                          ",",        "\x7f", "\x01", "-",  "\\n" };
    size_t count = 1 + draw(seed, 8);
    *value = 0;
    for (size_t i = 0; i < count; i++)
        strcat(value, pieces[draw(seed, ARRAY_COUNT(pieces))]);
}

struct subject {
    const char *rule;
    bool has_finding;
    const char *identity[4], *attributes[4];
};
static const struct subject subjects[] = {
    { "Opened", true, { "finding_id" }, { "risk_level", "severity", "resource_name", "team" } },
    { "Dropped", false, { "source", "subscription_id", "subject" }, { "team", "risk_level" } },
    { "Many", false, { "subscription_id", "cloud" }, { "team", "severity" } },
    { "All", false, { NULL }, { "team", "severity" } },
};

/* An alert of this subject changed in one label of its identity: another value, none, or one where
 * there was none. */
static void check_others(const struct pasted *pasted, const struct subject *subject,
                         const struct alert *alert, uint32_t *seed)
{
    for (size_t i = 0; i < 4 && subject->identity[i]; i++) {
        struct alert other = *alert;
        char value[VALUE_BYTES];
        const char *name = subject->identity[i];
        draw_value(seed, value);
        if (!strcmp(value, alert_label_value(alert, name)))
            continue;
        alert_label(&other, name, value);
        CHECK(!covers(pasted, &other));
        if (!*alert_label_value(alert, name))
            continue;
        alert_label(&other, name, "");
        CHECK(!covers(pasted, &other));
    }
    struct alert other = *alert;
    alert_label(&other, "alertname", "Another");
    CHECK(!covers(pasted, &other));
    for (size_t i = 0; i < 4 && subject->attributes[i]; i++) {
        other = *alert;
        alert_label(&other, subject->attributes[i], draw(seed, 2) ? "changed" : "");
        CHECK(covers(pasted, &other));
    }
}

TEST(a_command_covers_its_alert_and_no_other)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct rule_set *rules = read_rules();
    uint32_t seed = 1;
    for (int round = 0; round < ROUNDS; round++) {
        const struct subject *subject = &subjects[draw(&seed, ARRAY_COUNT(subjects))];
        struct alert alert = alert_of(subject->rule, subject->has_finding);
        char values[8][VALUE_BYTES];
        CLEANUP(finish_pasted) struct pasted pasted;
        for (size_t i = 0; i < 4 && subject->identity[i]; i++) {
            draw_value(&seed, values[i]);
            bool needed = subject->has_finding;
            alert_label(&alert, subject->identity[i], needed || draw(&seed, 4) ? values[i] : "");
        }
        for (size_t i = 0; i < 4 && subject->attributes[i]; i++) {
            draw_value(&seed, values[4 + i]);
            alert_label(&alert, subject->attributes[i], values[4 + i]);
        }
        silence(rules, &alert, 1, &line, &pasted);
        CHECK_INT(pasted.count, 1);
        CHECK(!pasted.empty_value);
        CHECK_CONTAINS(buf_cstr(&line), " 'alertname=\"");
        CHECK(covers(&pasted, &alert));
        for (size_t i = 0; i < line.length; i++) /* nothing in it does anything when pasted */
            CHECK((unsigned char)line.data[i] >= ' ' && line.data[i] != 0x7f);
        check_others(&pasted, subject, &alert, &seed);
        CLEANUP(finish_pasted) struct pasted typed;
        type(rules, &alert, &line, &typed);
        CHECK(covers(&typed, &alert));
        check_others(&typed, subject, &alert, &seed);
    }
    rule_release(rules);
}

TEST(a_command_is_what_a_person_would_type)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    CLEANUP(finish_pasted) struct pasted pasted;
    struct rule_set *rules = read_rules();
    struct alert alert = alert_of("Opened", true);
    alert_label(&alert, "finding_id", "01af");
    alert_label(&alert, "risk_level", "critical");
    silence(rules, &alert, 1, &line, &pasted);
    CHECK_TEXT(buf_cstr(&line), "defender_exporter silence add --duration=4h --comment='...'"
                                " 'alertname=\"Opened\"' 'finding_id=\"01af\"'");
    rule_release(rules);
}

TEST(several_alerts_are_covered_and_nothing_between_them)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    CLEANUP(finish_pasted) struct pasted pasted;
    struct rule_set *rules = read_rules();
    static const char *const ids[] = { "01", "02", "03", "04" };
    struct alert alerts[7];
    for (size_t i = 0; i < 4; i++) {
        alerts[i] = alert_of("Opened", true);
        alert_label(&alerts[i], "finding_id", ids[i]);
    }
    alerts[3].state = ALERT_RESOLVED;
    for (size_t i = 4; i < 7; i++) {
        alerts[i] = alert_of("Many", false);
        alert_label(&alerts[i], "subscription_id", i == 6 ? "s2" : "s1");
        alert_label(&alerts[i], "cloud", i == 4 ? "aws" : "a.e");
    }
    silence(rules, alerts, 7, &line, &pasted);
    CHECK_INT(pasted.count, 3); /* the findings; s1 with both clouds; s2 */
    for (size_t i = 0; i < 7; i++)
        CHECK_INT(covers(&pasted, &alerts[i]), i != 3); /* what is resolved needs no silence */
    struct alert other = alerts[6];
    alert_label(&other, "cloud", "aws");
    CHECK(!covers(&pasted, &other));
    alert_label(&other, "cloud", "axe");
    CHECK(!covers(&pasted, &other));
    other = alerts[0];
    alert_label(&other, "alertname", "Many");
    CHECK(!covers(&pasted, &other));
    rule_release(rules);
}

TEST(no_command_rather_than_a_wrong_one)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    char value[MATCH_VALUE_BYTES_MAX + 2];
    struct rule_set *rules = read_rules();
    struct alert alerts[6];
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = 0;
    alerts[0] = alert_of("Opened", true); /* its labels could not be read */
    notification_silence("x", rules, NULL, alerts, 1, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    alert_label(&alerts[0], "finding_id", value);
    notification_silence("x", rules, NULL, alerts, 1, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    alerts[0] = alert_of("Opened", true);
    alert_label(&alerts[0], "finding_id", "01");
    alerts[0].state = ALERT_RESOLVED;
    notification_silence("x", rules, NULL, alerts, 1, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    static const char *const ids[] = { "1", "2", "3", "4", "5" };
    for (size_t i = 0; i < 5; i++) {
        alerts[i] = alert_of("Many", false);
        alert_label(&alerts[i], "subscription_id", ids[i]);
    }
    notification_silence("x", rules, NULL, alerts, 5, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    notification_silence("x", rules, NULL, alerts, 4, &line);
    CHECK_CONTAINS(buf_cstr(&line), "'subscription_id=\"4\"' 'cloud!~\"(?s:.+)\"'");
    rule_release(rules);
}

/* An alert of a rule that is in no file any more: every label it has. */
TEST(a_rule_that_is_gone_narrows)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    CLEANUP(finish_pasted) struct pasted pasted;
    struct alert alert = alert_of("Gone", false), other;
    alert_label(&alert, "subscription_id", "s1");
    alert_label(&alert, "team", "a");
    silence(NULL, &alert, 1, &line, &pasted);
    CHECK(covers(&pasted, &alert));
    other = alert;
    alert_label(&other, "team", "b");
    CHECK(!covers(&pasted, &other));
}

TEST(a_large_group_is_silenced_by_its_labels)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    struct match_label labels[] = { { "alertname", "It's" }, { "assessment_id", "k" } };
    notification_silence_group("x", NULL, labels, 2, &line);
    CHECK_TEXT(buf_cstr(&line), "x --duration=4h --comment='...' 'alertname=\"It'\\''s\"'"
                                " 'assessment_id=\"k\"'");
    buf_reset(&line);
    labels[1].value = ""; /* would cover every alert that has no such label */
    notification_silence_group("x", NULL, labels, 2, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    notification_silence_group("x", NULL, labels + 1, 1, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    labels[1].value = "k";
    notification_silence_group("x", NULL, labels + 1, 1, &line);
    CHECK_TEXT(buf_cstr(&line), "");
    notification_silence_group("x", NULL, NULL, 0, &line);
    CHECK_TEXT(buf_cstr(&line), "");
}

/* Compile one text each. */
static struct silence_never never_of(const char *const *texts, size_t count, struct arena *arena)
{
    struct error error;
    struct silence_never never = { arena_zalloc(arena, count * sizeof *never.lists), count };
    for (size_t i = 0; i < count; i++)
        CHECK(match_parse(texts[i], &never.lists[i], arena, &error));
    return never;
}

static void silence_but(const struct silence_never *never, const struct alert *alerts, size_t count,
                        struct buf *line)
{
    buf_reset(line);
    notification_silence("x", NULL, never, alerts, count, line);
}

#define OPENED "x --duration=4h --comment='...' 'alertname=\"Opened\"' "

TEST(what_is_never_silenced_is_not_offered)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    static const char *const texts[] = { "risk_level=\"critical\"", "alertname=\"Other\"",
                                         "team=\"a\",risk_level=~\"high|medium\"" };
    struct silence_never never = never_of(texts, ARRAY_COUNT(texts), &arena);
    struct alert alerts[3];
    for (size_t i = 0; i < 3; i++) {
        static const char *const ids[] = { "1", "2", "3" };
        static const char *const risks[] = { "critical", "high", "low" };
        alerts[i] = alert_of("Opened", true);
        alert_label(&alerts[i], "finding_id", ids[i]);
        alert_label(&alerts[i], "risk_level", risks[i]);
    }
    silence_but(&never, alerts, 1, &line); /* is one */
    CHECK_TEXT(buf_cstr(&line), "");
    silence_but(&never, alerts + 1, 1, &line); /* could become one, of two kinds */
    CHECK_TEXT(buf_cstr(&line), OPENED "'finding_id=\"2\"' 'risk_level!=\"critical\"'"
                                       " 'team!=\"a\"'");
    silence_but(&never, alerts, 3, &line); /* the others are */
    CHECK_TEXT(buf_cstr(&line), OPENED "'finding_id=~\"2|3\"' 'risk_level!=\"critical\"'"
                                       " 'team!=\"a\"'");
    alert_label(&alerts[2], "team", "a");
    silence_but(&never, alerts + 2, 1, &line);
    CHECK_TEXT(buf_cstr(&line), OPENED "'finding_id=\"3\"' 'risk_level!=\"critical\"'"
                                       " 'risk_level!~\"high|medium\"'");
    silence_but(&never, alerts + 1, 2, &line); /* no one matcher excludes it for both */
    CHECK_TEXT(buf_cstr(&line), "");
    buf_reset(&line); /* the same for a form */
    CHECK(!notification_silence_matchers(NULL, &never, &alerts[0], &line));
    CHECK_TEXT(buf_cstr(&line), "");
    CHECK(notification_silence_matchers(NULL, &never, &alerts[1], &line));
    CHECK_TEXT(buf_cstr(&line), "alertname=\"Opened\"\nfinding_id=\"2\"\n"
                                "risk_level!=\"critical\"\nteam!=\"a\"");
    for (size_t i = 0; i < never.count; i++)
        match_finish(&never.lists[i]);
}

TEST(a_large_group_is_silenced_but_for_what_never_is)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    static const char *const texts[] = { "risk_level=\"critical\"", "alertname=\"Other\"" };
    struct silence_never never = never_of(texts, ARRAY_COUNT(texts), &arena);
    const struct match_label labels[] = { { "alertname", "Opened" } };
    notification_silence_group("x", &never, labels, 1, &line);
    CHECK_TEXT(buf_cstr(&line), OPENED "'risk_level!=\"critical\"'");
}

TEST(the_programs_are_quoted_too)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    notification_silence_own("/etc/it's.yml", &line);
    CHECK_TEXT(buf_cstr(&line), "defender_exporter silence add --config.file='/etc/it'\\''s.yml'");
    buf_reset(&line);
    notification_silence_amtool("https://d.example/a'b", &line);
    CHECK_TEXT(buf_cstr(&line),
               "amtool silence add --alertmanager.url='https://d.example/a'\\''b'");
}
