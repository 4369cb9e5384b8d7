/* silence_limits: how long a silence may last, and what none may cover. */
#include "alerts/notify/silence_limits.h"

#include <stdio.h>

#include "test.h"

enum { NOW = 1000000, HOUR = 3600 };

struct bench {
    struct arena arena;
    struct option_report report;
    const struct silence_limits *limits;
};

static void finish(struct bench *bench)
{
    silence_limits_finish(bench->limits);
    options_report_finish(&bench->report);
    arena_finish(&bench->arena);
}

static void load(struct bench *bench, const char *yaml)
{
    static const char *const labels[] = { "alertname", "risk_level", "team", NULL };
    struct silence_limits_config config = { 0 };
    options_default(silence_limits_options, &config, &bench->arena);
    CHECK(options_read(silence_limits_options, "test.yml", yaml, strlen(yaml), &config,
                       &bench->arena, &bench->report));
    bench->limits =
        silence_limits_compile(&config, labels, "test.yml", &bench->arena, &bench->report);
}

static bool allows(const struct bench *bench, const char *matchers, const char *id,
                   int64_t starts_at, int64_t ends_at, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct silence silence = { .starts_at = starts_at, .ends_at = ends_at };
    *error = (struct error){ 0 };
    snprintf(silence.id, sizeof silence.id, "%s", id);
    CHECK(match_parse(matchers, &silence.matchers, &arena, error));
    bool ok = silence_limits_allow(bench->limits, &silence, NOW, error);
    match_finish(&silence.matchers);
    return ok;
}

TEST(without_limits_everything_goes)
{
    CLEANUP(finish) struct bench bench = { 0 };
    struct error error;
    CHECK(allows(&bench, "a=b", "", NOW, INT64_MAX / 2, &error));
    load(&bench, "");
    CHECK(bench.limits != NULL);
    CHECK(allows(&bench, "a=b", "", NOW, INT64_MAX / 2, &error));
}

/* What a message tells people to paste. */
TEST(commands_of_messages_keep_to_them)
{
    CLEANUP(finish) struct bench bench = { 0 };
    CLEANUP(buf_finish) struct buf command = { 0 };
    struct error error;
    struct alert alert = { .has_finding = true };
    load(&bench, "never: ['risk_level=\"critical\"', 'team=~\"a|b\",risk_level!=\"low\"']\n");
    CHECK(bench.limits != NULL);
    alert_label(&alert, "alertname", "Opened");
    alert_label(&alert, "finding_id", "01");
    alert_label(&alert, "risk_level", "high");
    CHECK(!allows(&bench, "alertname=Opened,finding_id=01", "", NOW, NOW + HOUR, &error));
    notification_silence("x", NULL, silence_limits_never(bench.limits), &alert, 1, &command);
    CHECK_CONTAINS(buf_cstr(&command), " 'risk_level!=\"critical\"' 'team!~\"a|b\"'");
    CHECK(allows(&bench, "alertname=Opened,finding_id=01,risk_level!=critical,team!~\"a|b\"", "",
                 NOW, NOW + HOUR, &error));
}

TEST(a_silence_lasts_so_long_at_most)
{
    static const struct {
        const char *what, *id;
        int64_t starts_at, ends_at;
        bool allowed;
    } rows[] = {
        { "as long as it may", "", NOW, NOW + HOUR, true },
        { "longer", "", NOW, NOW + HOUR + 1, false },
        { "it begins now, whatever it says", "", NOW - HOUR, NOW + HOUR, true },
        { "later, as long", "", NOW + 9 * HOUR, NOW + 10 * HOUR, true },
        { "later, longer", "", NOW + 9 * HOUR, NOW + 11 * HOUR, false },
        { "one that is changed began before", "id", NOW - 10, NOW + HOUR, false },
        { "and ends in time", "id", NOW - 10, NOW + HOUR - 10, true },
        { "for ever", "", NOW, INT64_C(253402300799), false },
    };
    CLEANUP(finish) struct bench bench = { 0 };
    load(&bench, "max_duration: 1h");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error error;
        bool ok = allows(&bench, "a=b", rows[i].id, rows[i].starts_at, rows[i].ends_at, &error);
        test_check(ok == rows[i].allowed, __FILE__, __LINE__, rows[i].what);
        CHECK_INT(error.code, ok ? ERROR_NONE : ERROR_REQUEST);
        if (!ok)
            CHECK_CONTAINS(error.message, "1h at most");
    }
}

/* clang-format off */
static const struct {
    const char *never, *silence;
    bool allowed;
} overlaps[] = {
    { "risk_level=critical", "risk_level=critical", false },
    { "risk_level=critical", "risk_level=low", true },
    { "risk_level=critical", "risk_level!=critical", true },
    { "risk_level=critical", "risk_level!=low", false },
    { "risk_level=critical", "team=a", false }, /* it may be critical, too */
    { "risk_level=critical", "{team=a,risk_level=low}", true },
    { "risk_level=critical", "risk_level=~\"low|medium\"", true },
    { "risk_level=critical", "risk_level=~\"low|critical\"", false },
    { "risk_level=critical", "risk_level=~\".*\"", false },
    { "risk_level=critical", "risk_level!~\"crit.*\"", true },
    { "risk_level=critical", "risk_level=~\"c.*\"", false },
    { "risk_level=critical", "risk_level=\"\"", true },
    { "risk_level=~\"critical|high\"", "risk_level=~\"low|medium\"", true },
    { "risk_level=~\"critical|high\"", "risk_level=~\"low|high\"", false },
    { "risk_level=~\"critical|high\"", "risk_level!~\"critical|high\"", true },
    { "risk_level=~\"critical|high\"", "risk_level!=critical", false },
    { "risk_level=~\"c.+\"", "risk_level=~\"l.+\"", false }, /* nobody can tell */
    { "risk_level!=low", "risk_level=low", true },
    { "risk_level!=low", "risk_level=high", false },
    { "risk_level!=low", "risk_level!=high", false },
    { "team!=\"\"", "team=\"\"", true },
    { "{alertname=A,team=b}", "alertname=A", false },
    { "{alertname=A,team=b}", "{alertname=A,team=c}", true },
    { "{alertname=A,team=b}", "{alertname=B,team=b}", true },
    { "{alertname=A,team=b}", "{alertname=A,team=b,risk_level=low}", false },
};
/* clang-format on */

TEST(what_is_never_silenced_cannot_be_covered)
{
    for (size_t i = 0; i < ARRAY_COUNT(overlaps); i++) {
        CLEANUP(finish) struct bench bench = { 0 };
        CLEANUP(buf_finish) struct buf yaml = { 0 };
        struct error error;
        buf_printf(&yaml, "never: ['team=nobody', '%s']", overlaps[i].never);
        load(&bench, buf_cstr(&yaml));
        CHECK(bench.limits != NULL);
        buf_reset(&yaml);
        buf_printf(&yaml, "%s", overlaps[i].silence);
        bool names_team = strstr(overlaps[i].silence, "team") != NULL;
        struct bench one = { 0 };
        CLEANUP(buf_finish) struct buf alone = { 0 };
        buf_printf(&alone, "never: ['%s']", overlaps[i].never);
        load(&one, buf_cstr(&alone));
        bool ok = allows(&one, buf_cstr(&yaml), "", NOW, NOW + 1, &error);
        test_check(ok == overlaps[i].allowed, __FILE__, __LINE__, overlaps[i].silence);
        CHECK_INT(error.code, ok ? ERROR_NONE : ERROR_REQUEST);
        /* Each text stands for itself: one more can only refuse more. */
        bool both = allows(&bench, buf_cstr(&yaml), "", NOW, NOW + 1, &error);
        CHECK(both == (ok && names_team));
        finish(&one);
    }
}

TEST(a_refusal_says_how_to_narrow_it)
{
    CLEANUP(finish) struct bench bench = { 0 };
    struct error error;
    load(&bench, "never: '{risk_level=\"critical\",team=\"soc\"}'");
    CHECK(!allows(&bench, "alertname=A", "", NOW, NOW + 1, &error));
    CHECK_CONTAINS(error.message, "{risk_level=\"critical\",team=\"soc\"}");
    CHECK_CONTAINS(error.message, "narrow it, for example with risk_level!=\"critical\"");
    CHECK(allows(&bench, "{alertname=A,risk_level!=\"critical\"}", "", NOW, NOW + 1, &error));
}

TEST(mistakes_are_named)
{
    static const struct {
        const char *yaml, *reason;
    } rows[] = {
        { "never: ['risk_levl=critical']", "test.yml:1: alerts.silences.never: no alert can have "
                                           "the label \"risk_levl\"; did you mean risk_level?" },
        { "never: ['team=~\"(\"']", "bad pattern" },
        { "never: ['{}']", "needs a matcher" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        CLEANUP(finish) struct bench bench = { 0 };
        load(&bench, rows[i].yaml);
        CHECK(!bench.limits);
        CHECK_CONTAINS(buf_cstr(&bench.report.text), rows[i].reason);
    }
}
