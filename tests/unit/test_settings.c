#include "alerts/notify/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static const struct family *const no_families[] = { NULL };

/* What was made of a text; NULL when it is wrong. */
struct result {
    struct settings_config config;
    struct settings *settings;
    struct option_report report;
    struct arena arena;
};

static void result_finish(struct result *result)
{
    settings_release(result->settings);
    options_finish(settings_options, &result->config);
    options_report_finish(&result->report);
    arena_finish(&result->arena);
}

static void load_as(struct result *result, const char *file, const char *yaml)
{
    const struct settings_context context = {
        .file = file, .tenant_id = "t1", .external_url = "https://x", .families = no_families
    };
    options_default(settings_options, &result->config, &result->arena);
    if (options_read(settings_options, file, yaml, strlen(yaml), &result->config, &result->arena,
                     &result->report) ||
        !result->report.unread)
        result->settings = settings_create(&result->config, &context, &result->report);
}

static void load(struct result *result, const char *yaml)
{
    load_as(result, "test.yml", yaml);
}

#define HOOK(name) "- {name: " name ", webhook: {url: 'https://hooks.example.com/" name "'}}\n"

#define OWNERS                                                                                     \
    "- {name: owners, email: {smarthost: 'localhost:25', from: a@example.com, "                    \
    "to: ['{{governance_owner}}'], owner_domains: [example.com]}}\n"

TEST(nothing_is_a_valid_configuration_that_tells_nobody)
{
    CLEANUP(result_finish) struct result result = { 0 };
    load(&result, "");
    CHECK_TEXT(buf_cstr(&result.report.text), "");
    const struct settings *settings = result.settings;
    if (!settings)
        abort();
    CHECK_INT(settings->receiver_count, 0);
    CHECK(!settings->receiver_names[0]);
    CHECK(!settings->route);
    CHECK(settings->rules);
    CHECK_INT(settings->ledger.first_run, LEDGER_FIRST_SUMMARY);
    CHECK_INT(settings->ledger.sla_s[RISK_CRITICAL], 7 * 86400);
    CHECK_INT(settings->ledger.sla_s[RISK_LOW], 0);
    CHECK_NUMBER(settings->watch.score_drop, 0.01);
    CHECK_TEXT(settings->tenant_id, "t1");
    CHECK_TEXT(settings->portal, "");
}

TEST(one_receiver_needs_no_route)
{
    CLEANUP(result_finish) struct result result = { 0 };
    load(&result, "receivers:\n" HOOK("team"));
    CHECK_TEXT(buf_cstr(&result.report.text), "");
    if (!result.settings)
        abort();
    CHECK_INT(result.settings->receiver_count, 1);
    CHECK_TEXT(result.settings->receiver_names[0], "team");
    struct alert alert = { .rule = "R" };
    const struct route_leaf *leaf;
    CHECK_INT(route_find(result.settings->route, &alert, &leaf, 1), 1);
    CHECK_TEXT(leaf->receiver, "team");
    CHECK(settings_receiver(result.settings, "team"));
    CHECK(!settings_receiver(result.settings, "nobody"));
    CHECK_INT(settings_expires_s(settings_receiver(result.settings, "team")), 86400);
}

TEST(disabled_means_nobody_is_told)
{
    CLEANUP(result_finish) struct result result = { 0 };
    load(&result, "enabled: false\nreceivers:\n" HOOK("team"));
    CHECK_TEXT(buf_cstr(&result.report.text), "");
    CHECK(result.settings && !result.settings->receiver_count && !result.settings->route);
}

TEST(every_mistake_is_named)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        { "receivers:\n" HOOK("a") HOOK("b"), "receiver" },
        { "receivers:\n" HOOK("a") HOOK("a"), "a" },
        { "receivers:\n" HOOK("a") "heartbeat: {receiver: b}\n", "no receiver is called b" },
        { "receivers:\n" HOOK("a") "heartbeat: {receiver: a, url: 'https://x/y'}\n",
          "has a url and the receiver a" },
        { "receivers:\n" HOOK("team") "audit: {receiver: taem}\n",
          "no receiver is called taem; did you mean team?" },
        { "receivers:\n" OWNERS, "test.yml:2: to: {{governance_owner}} needs "
                                 "alerts.governance_owner: true" },
        { "silences: {never: ['risk_levl=critical']}\n", "did you mean risk_level?" },
        { "heartbeat: {url: 'nonsense'}\n", "is no http(s) URL" },
        { "receivers:\n" HOOK("a") "drill: {receivers: [c]}\n", "no receiver is called c" },
        { "receivers:\n" HOOK("a") "drill: {receivers: [a], time_interval: night}\n",
          "no time interval is called night" },
        { "receivers:\n" HOOK("a") "route: {receiver: z}\n", "z" },
        { "receivers:\n" HOOK("a") "route: {receiver: a, matchers: ['x=~\"(\"']}\n",
          "bad pattern" },
        { "receivers:\n" HOOK("a") "route: {group_by: [subscripton_id]}\n",
          "test.yml:3: route.group_by: no alert can have the label \"subscripton_id\"; did you "
          "mean subscription_id" },
        { "receivers:\n" HOOK("a") "route: {routes: [{matchers: ['risk_levl=high']}]}\n",
          "no alert can have the label \"risk_levl\"; did you mean risk_level" },
        { "inhibit_rules: [{source_matchers: ['claud=aws'], target_matchers: ['cloud=aws']}]\n",
          "no alert can have the label \"claud\"; did you mean cloud" },
        { "inhibit_rules: [{source_matchers: ['cloud=aws'], target_matchers: ['sevrity=low']}]\n",
          "no alert can have the label \"sevrity\"; did you mean severity" },
        { "inhibit_rules: [{source_matchers: ['cloud=aws'], target_matchers: ['cloud=gcp'],"
          " equal: [acount]}]\n",
          "no alert can have the label \"acount\"; did you mean account" },
        { "receivers: [{name: a}]\n", "a" },
        { "rules: [/nowhere/test.yml]\n", "/nowhere/test.yml: No such file" },
        { "ledger: {first_run: loud}\n", "first_run" },
        { "watch: {score_drop: 2}\n", "score_drop" },
        { "outbox_max_bytes: 1\n", "outbox_max_bytes" },
        { "nonsense: 1\n", "nonsense" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(result_finish) struct result result = { 0 };
        load(&result, cases[i].yaml);
        CHECK(!result.settings);
        CHECK(result.report.count > 0);
        CHECK_CONTAINS(buf_cstr(&result.report.text), cases[i].reason);
        CHECK_CONTAINS(buf_cstr(&result.report.text), "test.yml");
    }
}

/* Each in a line of its own, which is the one that is named. */
TEST(every_mistake_has_its_own_line)
{
    CLEANUP(result_finish) struct result result = { 0 };
    load(&result, "receivers:\n" HOOK("a") HOOK("b") /* 1 to 3 */
         "time_intervals:\n"
         "- name: night\n"
         "  time_intervals:\n"
         "  - times:\n"
         "    - start_time: '8:00'\n" /* 8 */
         "      end_time: '09:00'\n"
         "    - start_time: '08:00'\n"
         "      end_time: '25:00'\n" /* 11 */
         "    weekdays:\n"
         "    - monday\n"
         "    - mittwoch\n"        /* 14 */
         "    months: ['13']\n"    /* 15 */
         "    location: Nowhere\n" /* 16 */
         "    years: ['2026']\n"
         "heartbeat:\n"
         "  interval: 1m\n"
         "  receiver: c\n"              /* 20 */
         "  url: 'http://127.0.0.1/'\n" /* 21 */
         "drill:\n"
         "  receivers:\n"
         "  - a\n"
         "  - d\n"                 /* 25 */
         "  time_interval: noon\n" /* 26 */
         "audit:\n"
         "  receiver: e\n" /* 28 */
         "route:\n"
         "  receiver: a\n"
         "  routes:\n"
         "  - matchers: ['cloud=aws']\n"
         "    mute_time_intervals:\n"
         "    - night\n"
         "    - day\n"         /* 35 */
         "    receiver: f\n"); /* 36 */
    const char *told = buf_cstr(&result.report.text);
    CHECK_INT(result.report.count, 13);
    static const char *const wanted[] = {
        ":8: start_time: \"8:00\"",
        ":11: end_time: \"25:00\"",
        ":14: weekdays: \"mittwoch\"",
        ":15: months: \"13\"",
        ":16: location: ",
        ":20: alerts.heartbeat.receiver: has a url",
        ":20: alerts.heartbeat.receiver: no receiver is called c",
        ":21: alerts.heartbeat.url: its host is a loopback",
        ":25: alerts.drill.receivers: ",
        ":26: alerts.drill.time_interval: ",
        ":28: alerts.audit.receiver: ",
        ":35: route.mute_time_intervals: ",
    };
    for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
        CHECK_CONTAINS(told, wanted[i]);
    CHECK_CONTAINS(told, ":36: route.receiver: ");
}

/* A part that cannot be read hides nothing, and nothing follows from it. */
TEST(what_cannot_be_read_hides_nothing_else)
{
    CLEANUP(result_finish) struct result result = { 0 };
    load(&result, "colour: red\n"
                  "receivers:\n"
                  "- {name: a, webhok: {url: 'https://x/y'}}\n"
                  "- {name: b, webhook: {}}\n"
                  "route: {receiver: b, group_by: [subscripton_id]}\n"
                  "heartbeat: {receiver: c}\n");
    CHECK_TEXT(buf_cstr(&result.report.text),
               "test.yml:1: colour: unknown key\n"
               "test.yml:3: receivers[0].webhok: unknown key, did you mean \"webhook\"?\n"
               "test.yml:4: receivers[1].webhook.url: is required but missing\n"
               "test.yml:5: route.group_by: no alert can have the label \"subscripton_id\"; did "
               "you mean subscription_id?\n"
               "test.yml:6: alerts.heartbeat.receiver: no receiver is called c; did you mean a, "
               "b?\n");
    CLEANUP(result_finish) struct result other = { 0 };
    load(&other, "receivers:\n- {nam: a, webhook: {url: 'https://x/y'}}\nroute: {receiver: a}\n");
    CHECK_TEXT(buf_cstr(&other.report.text),
               "test.yml:2: receivers[0].nam: unknown key, did you mean \"name\"?\n"
               "test.yml:2: receivers[0].name: is required but missing\n");
}

TEST(mail_to_owners_needs_them_in_alerts)
{
    CLEANUP(result_finish) struct result result = { 0 };
    load(&result, "governance_owner: true\nreceivers:\n" OWNERS);
    CHECK_TEXT(buf_cstr(&result.report.text), "");
}

TEST(rule_files_are_looked_for_beside_the_configuration)
{
    CLEANUP(result_finish) struct result result = { 0 };
    CLEANUP(buf_finish) struct buf file = { 0 };
    size_t count;
    buf_printf(&file, "%s/rules.yml", test_folder());
    FILE *out = fopen(buf_cstr(&file), "w");
    fputs("groups: [{name: g, rules: [{alert: NewCritical, event: finding.opened}]}]\n", out);
    fclose(out);
    buf_reset(&file);
    buf_printf(&file, "%s/config.yml", test_folder());
    load_as(&result, buf_cstr(&file), "rules: ['rules*.yml']\n");
    CHECK_TEXT(buf_cstr(&result.report.text), "");
    CHECK(result.settings && rule_find(result.settings->rules, "NewCritical"));
    CHECK(result.settings && rule_all(result.settings->rules, &count) && count > 1); /* built in */
}

static void note_release(void *owner)
{
    ++*(int *)owner;
}

TEST(the_last_user_lets_the_configuration_go)
{
    CLEANUP(options_report_finish) struct option_report report = { 0 };
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct settings_config config = { 0 };
    int released = 0;
    const struct settings_context context = {
        .file = "test.yml", .families = no_families, .release = note_release, .owner = &released
    };
    options_default(settings_options, &config, &arena);
    struct settings *settings = settings_create(&config, &context, &report);
    if (!settings)
        abort();
    settings_acquire(settings);
    settings_release(settings);
    CHECK_INT(released, 0);
    settings_release(settings);
    CHECK_INT(released, 1);
    settings_release(NULL);
}

TEST(the_reference_names_every_key)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    options_document(settings_options, &out);
    static const char *const keys[] = { "receivers",  "route",     "governor", "sla",
                                        "score_drop", "heartbeat", "keep_sent" };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
        CHECK_CONTAINS(buf_cstr(&out), keys[i]);
}

#define PAGER "- {name: pager, pagerduty: {routing_key: '0123456789abcdef0123456789abcdef'}}\n"
#define ROUTED "route: {receiver: team}\n"
#define REPORT(rest) "reports: [{name: weekly, schedule: {time: '08:00', " rest "}]\n"

TEST(a_report_is_checked)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        { REPORT("weekdays: [mondy]}, receivers: [team]"),
          "weekdays: \"mondy\": is not one of them" },
        { REPORT("location: Mars/Base}, receivers: [team]"), "there is no time zone" },
        { REPORT("}, receivers: [taem]"),
          "test.yml:7: receivers: no receiver is called taem; did you mean team" },
        { REPORT("}, receivers: []"), "receivers" },
        { REPORT("}"), "receivers" },
        { REPORT("}, receivers: [pager]"),
          "receivers: pager gets no report: PagerDuty pages people, and a report is no incident" },
        { REPORT("}, receivers: [am]"), "am gets no report: an Alertmanager takes alerts" },
        { REPORT("}, receivers: [bridge]"), "bridge gets no report: a body of Alertmanager's" },
        { REPORT("}, receivers: [siem]"), "siem gets no report: OCSF" },
        { REPORT("}, receivers: [team], by: owner"), "by: owner needs alerts.governance_owner" },
        { REPORT("}, receivers: [team], by: tag"), "by" },
        { REPORT("}, receivers: [team], since: 1m"), "since" },
        { "reports: [{name: weekly, receivers: [team]}]\n", "schedule" },
        { "reports: [{name: 'a\"b', receivers: [team], schedule: {time: '08:00'}}]\n",
          "is no name" },
        { "reports: [{receivers: [team], schedule: {time: '08:00'}}]\n", "name" },
        { "reports:\n- {name: a, receivers: [team], schedule: {time: '08:00'}}\n"
          "- {name: a, receivers: [team], schedule: {time: '09:00'}}\n",
          "test.yml:9: reports: a is there already in line 8" },
    };
    static const char base[] = "receivers:\n" HOOK("team") PAGER
        "- {name: am, alertmanager: {urls: ['https://am.example.com']}}\n"
        "- {name: bridge, webhook: {url: 'https://x/y', body: alertmanager}}\n"
        "- {name: siem, webhook: {url: 'https://x/y', body: ocsf}}\n";
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(result_finish) struct result result = { 0 };
        CLEANUP(buf_finish) struct buf yaml = { 0 };
        buf_printf(&yaml, "%s%s%s", base, cases[i].yaml, ROUTED);
        load(&result, buf_cstr(&yaml));
        CHECK(!result.settings);
        CHECK_CONTAINS(buf_cstr(&result.report.text), cases[i].reason);
    }
}

TEST(reports_are_compiled_and_nobody_gets_one_while_alerts_are_off)
{
    CLEANUP(result_finish) struct result result = { 0 }, off = { 0 };
    load(&result, "receivers:\n" HOOK("team") REPORT("}, receivers: [team], since: 1d"));
    CHECK_TEXT(buf_cstr(&result.report.text), "");
    if (!result.settings)
        abort();
    CHECK_INT(result.settings->report_count, 1);
    CHECK_TEXT(result.settings->reports->config->name, "weekly");
    CHECK_INT(result.settings->reports->config->since_ms, 86400000);
    load(&off, "enabled: false\nreceivers:\n" HOOK("team") REPORT("}, receivers: [team]"));
    CHECK(off.settings && !off.settings->report_count);
}
