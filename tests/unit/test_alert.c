#include "alerts/rules/alert.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sources.h"
#include "test.h"

TEST(labels_are_sorted_replaced_and_removed)
{
    struct alert alert = { 0 };
    alert_label(&alert, "b", "2");
    alert_label(&alert, "c", "3");
    alert_label(&alert, "a", "1");
    alert_label(&alert, "b", "22");
    alert_label(&alert, "c", "");
    alert_label(&alert, "d", "");
    CHECK_INT(alert.label_count, 2);
    CHECK_TEXT(alert.labels[0].name, "a");
    CHECK_TEXT(alert.labels[1].value, "22");
    CHECK_TEXT(alert_label_value(&alert, "b"), "22");
    CHECK_TEXT(alert_label_value(&alert, "c"), "");
    alert_annotate(&alert, "detail", "x");
    CHECK_TEXT(alert_annotation_value(&alert, "detail"), "x");
    CHECK_TEXT(alert_annotation_value(&alert, "b"), "");
}

TEST(no_label_is_left_out_without_a_word)
{
    struct alert alert = { 0 };
    char names[ALERT_LABELS_MAX][8];
    for (int i = 0; i < ALERT_LABELS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "l%02d", i);
        alert_label(&alert, names[i], "x");
    }
    CHECK_INT(alert.label_count, ALERT_LABELS_MAX);
    alert_label(&alert, "l05", "still");
    CHECK_TEXT(alert_label_value(&alert, "l05"), "still");
    int status;
    pid_t child = fork();
    if (!child) {
        fclose(stderr);
        alert_label(&alert, "one_more", "x");
        _exit(0);
    }
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Fingerprints of the Prometheus programs: labels without any, and of a real alert. */
TEST(fingerprint_is_alertmanagers)
{
    struct alert alert = { 0 };
    alert_seal(&alert);
    CHECK_TEXT(alert.fingerprint, "cbf29ce484222325");
    alert_label(&alert, "alertname", "Probe");
    alert_label(&alert, "instance", "a");
    alert_seal(&alert);
    CHECK_TEXT(alert.fingerprint, "2cc8bdfa4d2ec224");
}

TEST(identity_is_the_rule_and_the_labels_named)
{
    static const char *const names[] = { "instance", "zone", NULL };
    struct alert alert = { 0 }, other;
    alert_label(&alert, "alertname", "Probe");
    alert_label(&alert, "instance", "a");
    alert_label(&alert, "risk_level", "high");
    alert_identify(&alert, names);
    CHECK_TEXT(alert.fingerprint, "2cc8bdfa4d2ec224"); /* of the first two, as above */
    other = alert;
    CHECK(alert_same_labels(&alert, &other));
    alert_label(&other, "risk_level", "low");
    CHECK(!alert_same_labels(&alert, &other));
    alert_identify(&other, names);
    CHECK_TEXT(other.fingerprint, alert.fingerprint);
    alert_label(&other, "zone", "1");
    CHECK(!alert_same_labels(&alert, &other));
    CHECK(!alert_has_labels(&other, &alert)); /* risk_level */
    alert_label(&other, "risk_level", "high");
    CHECK(alert_has_labels(&other, &alert) && !alert_has_labels(&alert, &other));
    alert_identify(&other, names);
    CHECK(strcmp(other.fingerprint, alert.fingerprint) != 0);
}

TEST(finding_gives_its_labels)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct finding finding = {
        .source = SOURCE(assessments),
        .risk = RISK_CRITICAL,
        .severity = SEVERITY_HIGH,
        .assessment_id = "key",
        .subscription_id = "s1",
        .resource_group = "",
        .resource_type = "microsoft.storage/storageaccounts",
        .resource_name = "st1",
        .category = "Data",
        .cloud = CLOUD_GCP,
        .connector = "lab",
        .account = "pay",
        .model = MODEL_GROUPED,
    };
    memset(finding.id.bytes, 0xab, sizeof finding.id.bytes);
    struct alert alert = { 0 };
    alert_label(&alert, "alertname", "Rule");
    alert_label_finding(&alert, &finding, &arena);
    static const char *const want[][2] = {
        { "alertname", "Rule" },
        { "source", "assessments" },
        { "risk_level", "critical" },
        { "severity", "high" },
        { "assessment_id", "key" },
        { "finding_id", "abababababababab" },
        { "subscription_id", "s1" },
        { "resource_group", "" },
        { "resource_type", "microsoft.storage/storageaccounts" },
        { "resource_name", "st1" },
        { "category", "Data" },
        { "model", "grouped" },
        { "cloud", "gcp" },
        { "connector", "lab" },
        { "account", "pay" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(want); i++) {
        CHECK_TEXT(alert_finding_labels[i], want[i][0]);
        CHECK_TEXT(alert_label_value(&alert, want[i][0]), want[i][1]);
    }
    CHECK(!alert_finding_labels[ARRAY_COUNT(want)]);
    CHECK_INT(alert.label_count, ARRAY_COUNT(want) - 1); /* no empty value */
}

TEST(dedup_key_is_stable_and_says_nothing)
{
    char key[46], other[46];
    alert_dedup_key("t", "rule", "stprod01", 1, key);
    CHECK_INT(strlen(key), 45);
    CHECK(!strncmp(key, "dfx1-", 5));
    CHECK(!strstr(key, "stprod"));
    CHECK_TEXT(alert_dedup_key("t", "rule", "stprod01", 1, other), key);
    static const struct {
        const char *tenant, *rule, *subject;
        uint32_t episode;
    } others[] = { { "t", "rule", "stprod01", 2 },
                   { "t", "rule", "stprod02", 1 },
                   { "t", "rulestprod01", "", 1 },
                   { "trule", "", "stprod01", 1 } };
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        alert_dedup_key(others[i].tenant, others[i].rule, others[i].subject, others[i].episode,
                        other);
        CHECK(strcmp(other, key) != 0);
    }
}

static void write_alert(const struct alert *alert, struct buf *out)
{
    struct json_writer writer = { .out = out };
    buf_reset(out);
    alert_write(alert, &writer, NULL);
}

static void finish_json(struct json **json)
{
    json_free(*json);
}

TEST(json_reads_back)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf second = { 0 };
    struct error error = { 0 };
    struct alert alert = { .rule = "R \"x\"\n",
                           .event = "finding.opened",
                           .state = ALERT_RESOLVED,
                           .risk = RISK_HIGH,
                           .has_finding = true,
                           .episode = 3,
                           .value = 0.1,
                           .starts_at = 1763726400,
                           .ends_at = 1763726401,
                           .reason = NULL };
    memset(alert.finding_id.bytes, 0xfe, sizeof alert.finding_id.bytes);
    alert_label(&alert, "alertname", "\xf0\x9f\x98\x80");
    alert_annotate(&alert, "detail", "line\nline");
    alert_seal(&alert);
    write_alert(&alert, &first);
    CLEANUP(finish_json) struct json *json = json_parse(first.data, first.length, &error);
    struct alert again = { 0 };
    CHECK(record_read(alert_fields, json, &arena, &again, &error));
    CHECK_TEXT(again.rule, alert.rule);
    CHECK_TEXT(again.reason, "");
    CHECK_TEXT(again.fingerprint, alert.fingerprint);
    CHECK_INT(again.state, ALERT_RESOLVED);
    CHECK_INT(again.risk, RISK_HIGH);
    CHECK_INT(again.episode, 3);
    CHECK_INT(again.ends_at, 1763726401);
    CHECK_INT(again.due_at, 0);
    CHECK_NUMBER(again.value, 0.1);
    CHECK(again.has_finding);
    CHECK_INT(finding_id_compare(&again.finding_id, &alert.finding_id), 0);
    CHECK_TEXT(alert_label_value(&again, "alertname"), "\xf0\x9f\x98\x80");
    CHECK_TEXT(alert_annotation_value(&again, "detail"), "line\nline");
    write_alert(&again, &second);
    CHECK_TEXT(buf_cstr(&second), buf_cstr(&first));
}

TEST(json_of_the_wrong_kind_is_refused)
{
    static const struct {
        const char *json, *message;
    } cases[] = {
        { "[]", "no object but array" },
        { "{\"labels\":[]}", "labels is array" },
        { "{\"labels\":{\"a\":1}}", "labels is object" },
        { "{\"state\":\"burning\"}", "state is a text that is none of its kind" },
        { "{\"finding\":\"12\"}", "finding is" },
        { "{\"finding\":\"zz000000000000000000000000000000\"}", "finding is" },
        { "{\"episode\":-1}", "episode is number" },
        { "{\"episode\":4294967296}", "episode is number" },
        { "{\"starts_at\":\"yesterday\"}", "starts_at is" },
        { "{\"starts_at\":12}", "starts_at is number" },
        { "{\"fingerprint\":\"0123456789abcdef0\"}", "fingerprint is" },
        { "{\"fingerprint\":\"\xff\xff\xff\xff\xff\xff\"}", "fingerprint is" },
        { "{\"value\":\"1\"}", "value is" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct error error = { 0 };
        struct alert alert = { 0 };
        CLEANUP(finish_json)
        struct json *json = json_parse(cases[i].json, strlen(cases[i].json), &error);
        CHECK(!record_read(alert_fields, json, &arena, &alert, &error));
        CHECK_INT(error.code, ERROR_PARSE);
        CHECK_CONTAINS(error.message, cases[i].message);
    }
}

/* --- in one pass ------------------------------------------------------------------------------ */
/* clang-format off */
static const struct record_field some_fields[] = {
    { "labels", RECORD_LABELS(struct alert, labels, label_count) },
    { "annotations", RECORD_LABELS(struct alert, annotations, annotation_count) },
    { "state", RECORD_WORD(struct alert, state), .words = alert_state_words },
    { "value", RECORD_NUMBER(struct alert, value) },
    { "finding", RECORD_FINDING(struct alert, finding_id, has_finding) },
    { "starts_at", RECORD_INSTANT(struct alert, starts_at) },
    { "due_at", RECORD_INSTANT(struct alert, due_at) },
    { "fingerprint", RECORD_CHARS(struct alert, fingerprint) },
    { "reason", RECORD_TEXT(struct alert, reason) },
    { 0 }
};
/* clang-format on */

static const char *written(const struct alert *alert, struct arena *arena)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct json_writer writer = { .out = &out };
    json_open(&writer, NULL, '{');
    record_write_sparse(some_fields, alert, &writer);
    json_close(&writer, '}');
    return arena_text(arena, buf_cstr(&out));
}

/* Whether it is read in one pass; then it is what reading the tree gives. */
static bool is_read_alike(const char *text, struct arena *arena)
{
    struct alert plain = { 0 }, alert = { 0 };
    struct error error = { 0 };
    if (!record_read_sparse(some_fields, arena_text(arena, text), strlen(text), &plain))
        return false;
    const struct json *json = json_parse_in(arena, text, strlen(text), &error);
    CHECK(json && record_read(some_fields, json, NULL, &alert, &error));
    CHECK_TEXT(written(&plain, arena), written(&alert, arena));
    return true;
}

TEST(plain_rows_are_read_in_one_pass)
{
    static const char row[] =
        "{\"labels\":{\"alertname\":\"Open\",\"resource_name\":\"st\xc3\xb6r,{}:1\"},"
        "\"annotations\":{\"risk_before\":\"high\"},\"state\":\"firing\","
        "\"finding\":\"0123456789abcdef0123456789abcdef\",\"starts_at\":\"2026-11-01T00:00:00Z\","
        "\"fingerprint\":\"0123456789abcdef\",\"reason\":\"fixed\"}";
    static const char *const others[] = {
        "{}", "", "[]", "{\"labels\":{},\"state\":\"firing\"}", "{\"labels\":{\"a\":\"\\u0062\"}}",
        "{\"state\":\"firing\",\"value\":2}", "{ \"state\":\"firing\"}",
        "{\"starts_at\":\"2026-11-01T00:00:00Z\",\"state\":\"firing\"}", "{\"state\":\"burning\"}",
        "{\"state\":\"firing\",\"state\":\"firing\"}", "{\"more\":\"x\"}",
        "{\"state\":\"firing\"} ",
        "{\"labels\":{\"a\":\"b\",}}", "{\"State\":\"firing\"}",
    };
    static const char bytes[] = "\"\\,:{}[] \t1xl\x01\x7f\xff";
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CHECK(is_read_alike(row, &arena));
    CHECK(is_read_alike("{\"state\":\"pending\"}", &arena));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++)
        CHECK(!is_read_alike(others[i], &arena));
    for (size_t i = 0; i < sizeof row - 1; i++, arena_reset(&arena)) {
        char changed[sizeof row];
        memcpy(changed, row, sizeof row);
        memmove(changed + i, row + i + 1, sizeof row - i - 1); /* one byte less ... */
        is_read_alike(changed, &arena);
        memcpy(changed, row, sizeof row);
        for (const char *byte = bytes; *byte; byte++) { /* ... or another */
            changed[i] = *byte;
            is_read_alike(changed, &arena);
        }
        changed[i] = 0;
        CHECK(!is_read_alike(changed, &arena)); /* or the end */
    }
}
