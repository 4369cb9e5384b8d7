#include "alerts/rules/notification.h"

#include <math.h>
#include <stdlib.h>

#include "alerts/text/text.h"
#include "notification_fixture.h"
#include "test.h"

/* --- JSON ------------------------------------------------------------------------------------- */
/* Texts that meet every escape, and some that are no UTF-8. */
static const char *any_text(unsigned *seed, struct arena *arena)
{
    static const char *const pieces[] = {
        "",     "a",    "\"",    "\\",          "\n\t",
        "\x01", "\x7f", "</x>",  "\xc3\xa9",    "\xf0\x9f\x98\x80",
        "\xff", "\xc3", "{{x}}", "\xed\xa0\x80"
    };
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (int i = rand_r(seed) % 4; i > 0; i--)
        buf_text(&text, pieces[(size_t)rand_r(seed) % ARRAY_COUNT(pieces)]);
    return arena_text(arena, buf_cstr(&text));
}

static void fill(const struct record_field *fields, void *data, unsigned *seed,
                 struct arena *arena);

static void fill_list(const struct record_field *field, void *data, unsigned *seed,
                      struct arena *arena)
{
    size_t count = (size_t)rand_r(seed) % 3;
    char *elements = arena_zalloc(arena, count * field->element_bytes + 1);
    for (size_t i = 0; i < count; i++)
        fill(field->fields, elements + i * field->element_bytes, seed, arena);
    *(char **)((char *)data + field->offset) = elements;
    *(size_t *)((char *)data + field->count_offset) = count;
}

static void fill_labels(const struct record_field *field, void *data, unsigned *seed,
                        struct arena *arena)
{
    struct match_label *labels = (void *)((char *)data + field->offset);
    size_t count = (size_t)rand_r(seed) % (field->capacity + 1);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "l%zu", i);
        labels[i] = (struct match_label){ arena_text(arena, name), any_text(seed, arena) };
    }
    *(size_t *)((char *)data + field->count_offset) = count;
}

/* A struct with anything in every field, whatever fields there are. */
static void fill(const struct record_field *fields, void *data, unsigned *seed, struct arena *arena)
{
    static const double numbers[] = { 0, 1, -1.5, 0.1, 1e300, 1.0 / 3 };
    for (const struct record_field *field = fields; field->type; field++) {
        void *value = (char *)data + field->offset;
        int random = rand_r(seed);
        switch (field->type) {
        case RECORD_TYPE_TEXT:
            *(const char **)value = any_text(seed, arena);
            break;
        case RECORD_TYPE_CHARS:
            snprintf(value, field->capacity, "%x", (unsigned)random);
            break;
        case RECORD_TYPE_WORD:
            *(int *)value = random % 2;
            break;
        case RECORD_TYPE_BOOL:
            *(bool *)value = random & 1;
            break;
        case RECORD_TYPE_UNSIGNED:
            *(uint32_t *)value = (uint32_t)random * 3;
            break;
        case RECORD_TYPE_INTEGER:
        case RECORD_TYPE_DURATION:
            *(int64_t *)value = (int64_t)random * random % (1LL << 53);
            break;
        case RECORD_TYPE_INSTANT:
            *(int64_t *)value = random & 1 ? random : 0;
            break;
        case RECORD_TYPE_NUMBER:
            *(double *)value = numbers[(size_t)random % ARRAY_COUNT(numbers)];
            break;
        case RECORD_TYPE_FINDING:
            *(bool *)((char *)data + field->count_offset) = random & 1;
            if (random & 1)
                memset(value, random >> 8, sizeof(struct finding_id));
            break;
        case RECORD_TYPE_LABELS:
            fill_labels(field, data, seed, arena);
            break;
        case RECORD_TYPE_LIST:
            fill_list(field, data, seed, arena);
            break;
        case RECORD_END:
            break;
        }
    }
}

TEST(json_reads_back_whatever_is_in_it)
{
    for (unsigned round = 0; round < 300; round++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        CLEANUP(buf_finish) struct buf first = { 0 };
        CLEANUP(buf_finish) struct buf second = { 0 };
        struct error error = { 0 };
        struct notification notification = { 0 }, again;
        unsigned seed = round;
        fill(notification_fields, &notification, &seed, &arena);
        notification_write(&notification, &first);
        CHECK(notification_read(first.data, first.length, &arena, &again, &error));
        CHECK_TEXT(error.message, "");
        notification_write(&again, &second);
        CHECK_TEXT(buf_cstr(&second), buf_cstr(&first));
        CHECK_INT(again.alert_count, notification.alert_count);
        CHECK_INT(again.event_at, notification.event_at);
        CHECK_NUMBER(again.points, notification.points);
    }
}

TEST(json_keeps_every_value)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf json = { 0 };
    struct error error = { 0 };
    struct notification notification, again;
    fixture_notification(FIXTURE_GROUP, &arena, &notification);
    notification_write(&notification, &json);
    CHECK(notification_read(json.data, json.length, &arena, &again, &error));
    CHECK_TEXT(again.title, notification.title);
    CHECK_TEXT(again.remediation_markdown, notification.remediation_markdown);
    CHECK_TEXT(again.risk, "Critical");
    CHECK_TEXT(again.resources[24].name, "stprod25");
    CHECK_INT(again.resource_total, 30);
    CHECK_INT(again.alert_count, 30);
    CHECK_TEXT(again.alerts[29].fingerprint, notification.alerts[29].fingerprint);
    CHECK_TEXT(alert_label_value(&again.alerts[29], "resource_name"), "stprod30");
    CHECK_TEXT(again.labels[0].name, "alertname"); /* derived, not in the JSON */
    CHECK_INT(again.label_count, notification.label_count);
    CHECK_NUMBER(again.points, notification.points);
    CHECK_INT(again.due_at, notification.due_at);
    CHECK_TEXT(again.id, "");
    CHECK(!strstr(buf_cstr(&json), notification.id));
}

TEST(json_of_the_wrong_kind_is_refused)
{
    static const char *const cases[] = {
        "",
        "{",
        "[]",
        "{\"title\":1}",
        "{\"alerts\":[{\"labels\":3}]}",
        "{\"status\":\"?\"}",
        "{\"resources\":{}}",
        "{\"firing_count\":1e300}",
        "{} x",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct error error = { 0 };
        struct notification notification;
        CHECK(!notification_read(cases[i], strlen(cases[i]), &arena, &notification, &error));
        CHECK_INT(error.code, ERROR_PARSE);
    }
}

TEST(json_of_an_older_program_reads)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    struct notification notification;
    static const char old[] = "{\"title\":\"t\",\"unknown\":[1],\"points\":null}";
    CHECK(notification_read(old, sizeof old - 1, &arena, &notification, &error));
    CHECK_TEXT(notification.title, "t");
    CHECK_TEXT(notification.link, "");
    CHECK(isnan(notification.points));
    CHECK_INT(notification.alert_count, 0);
}

/* A message that an older program left in the outbox is told as one block. */
TEST(json_without_blocks_becomes_one)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error = { 0 };
    struct notification notification;
    static const char old[] =
        "{\"event\":\"finding.opened\",\"title\":\"Critical risk: Disk on a\",\"risk_level\":"
        "\"critical\",\"severity\":\"high\",\"rule\":\"Disk\",\"firing_count\":29,"
        "\"resolved_count\":1,\"assessment_id\":\"k\",\"assessment_title\":\"Disk\",\"category\":"
        "\"Data\",\"description\":\"d\",\"description_markdown\":\"dm\",\"remediation\":\"r\","
        "\"remediation_markdown\":\"rm\",\"effort\":\"Low\",\"user_impact\":\"High\",\"threats\":"
        "\"t\",\"risk_factors\":\"f\",\"attack_paths\":2,\"internet_exposed\":true,"
        "\"resource_name\":\"a\",\"resource_total\":30,\"more_resources\":29,\"resources\":["
        "{\"finding_id\":\"0101010101010101\",\"name\":\"a\",\"group\":\"rg\",\"resolved\":false},"
        "{\"finding_id\":\"0202020202020202\",\"name\":\"b\",\"group\":\"rg\",\"resolved\":true}],"
        "\"causes\":[{\"title\":\"c\",\"points\":2}],\"link\":\"https://x\",\"points\":3,"
        "\"due_at\":\"2025-11-28T12:00:00Z\"}";
    CHECK(notification_read(old, sizeof old - 1, &arena, &notification, &error));
    CHECK_INT(notification.block_count, 1);
    const struct notification_block *block = notification.blocks;
    CHECK_TEXT(block->title, "Disk");
    CHECK_TEXT(block->risk_level, "critical");
    CHECK_TEXT(block->resources[0].state, "open");
    CHECK_TEXT(block->resources[1].state, "closed");
    CHECK_TEXT(block->resources[1].native_id, "");
    CHECK_INT(block->open_count, 29);
    CHECK_INT(block->ended_count, 1);
    CHECK_TEXT(block->remediation_markdown, "rm");
    CHECK_TEXT(block->links[0].url, "https://x");
    CHECK_NUMBER(block->causes[0].points, 2);
    CHECK_INT(block->due_at, 1764331200);
    CHECK_TEXT(notification.resource_name, "a");
    CHECK_INT(notification.more_resources, 29);
    CHECK_TEXT(notification.link, "https://x");
    CHECK_TEXT(notification.risk_factors, "f");
    CHECK(notification.internet_exposed);
    CHECK_INT(notification.made_at, 0);
}

/* --- shrinking -------------------------------------------------------------------------------- */
TEST(shrinking_ends_and_keeps_what_matters)
{
    for (int which = 0; which < FIXTURE_COUNT; which++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct notification notification, before;
        size_t last = SIZE_MAX;
        int steps = 0;
        fixture_notification((enum fixture)which, &arena, &notification);
        before = notification;
        do {
            CLEANUP(buf_finish) struct buf json = { 0 };
            notification_write(&notification, &json);
            CHECK(json.length < last || steps == 1); /* the first also sets truncated */
            last = json.length + 8;
            CHECK(!strncmp(notification.title, before.title, 60)); /* the last forms cut it */
            CHECK(steps > 0 || !strcmp(notification.title, before.title));
            CHECK_TEXT(notification.risk_level, before.risk_level);
            CHECK_TEXT(notification.severity, before.severity);
            CHECK_TEXT(notification.link, before.link);
            CHECK_TEXT(notification.dedup_key, before.dedup_key);
            CHECK_TEXT(notification.group_key, before.group_key);
            CHECK_INT(notification.resource_total, before.resource_total);
            CHECK_INT(notification.left_out_count - before.left_out_count,
                      before.alert_count - notification.alert_count);
            CHECK_INT(notification.truncated, steps > 0);
        } while (notification_shrink(&notification, &arena) && ++steps < 100);
        CHECK(steps < 100);
        CHECK_INT(notification.alert_count, before.alert_count ? 1 : 0);
        CHECK(notification.resource_count <= 1);
    }
}

TEST(shrinking_goes_in_order)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    struct notification_block blocks[3];
    fixture_notification(FIXTURE_GROUP, &arena, &notification);
    for (size_t i = 0; i < ARRAY_COUNT(blocks); i++) {
        blocks[i] = notification.blocks[0];
        blocks[i].remediation = blocks[i].remediation_markdown = fixture_long(&arena, "step ", 300);
    }
    notification.blocks = blocks;
    notification.block_count = ARRAY_COUNT(blocks);
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(notification.blocks[0].resource_count, 10);
    CHECK_TEXT(notification.blocks[2].effort, "Low");
    CHECK(notification_shrink(&notification, &arena));
    CHECK_TEXT(notification.threats, "");
    CHECK_TEXT(notification.blocks[2].effort, "");
    CHECK_TEXT(blocks[2].effort, "Low"); /* the builder's own is not touched */
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(text_points(notification.blocks[1].remediation), 600);
    CHECK(notification_shrink(&notification, &arena));
    CHECK_TEXT(notification.blocks[1].remediation, "\xe2\x80\xa6");
    CHECK_CONTAINS(notification.blocks[1].description, "too many");
    CHECK(notification_shrink(&notification, &arena));
    CHECK_TEXT(notification.blocks[1].description, "\xe2\x80\xa6");
    CHECK_INT(text_points(notification.blocks[0].remediation), 1500);
    CHECK_INT(notification.blocks[2].resource_count, 10);
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(notification.blocks[2].resource_count, 5);
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(notification.blocks[2].resource_count, 1);
    CHECK_INT(notification.blocks[2].open_count, 30); /* the others are counted */
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(text_points(notification.remediation), 600);
    CHECK_CONTAINS(notification.remediation, "\xe2\x80\xa6");
    CHECK_CONTAINS(notification.description, "too many");
    CHECK(notification_shrink(&notification, &arena));
    CHECK_TEXT(notification.remediation, "\xe2\x80\xa6");
    CHECK(notification_shrink(&notification, &arena));
    CHECK_TEXT(notification.description, "\xe2\x80\xa6");
    CHECK(notification_shrink(&notification, &arena));
    CHECK_TEXT(notification.text, "\xe2\x80\xa6");
    CHECK_INT(notification.block_count, 3);
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(notification.block_count, 1);
    CHECK_INT(notification.left_out_blocks, 2);
    CHECK_INT(notification.alert_count, 30);
}

TEST(causes_that_are_dropped_still_add_up)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    struct notification_cause causes[10];
    fixture_notification(FIXTURE_SCORE, &arena, &notification);
    for (int i = 0; i < 10; i++)
        causes[i] = (struct notification_cause){ "", "t", "r", "", 10 - i };
    notification.blocks->causes = causes;
    notification.blocks->cause_count = 10;
    CHECK(notification_shrink(&notification, &arena));
    CHECK_INT(notification.cause_count, 4);
    CHECK_TEXT(notification.causes[3].title, "others");
    CHECK_NUMBER(notification.causes[3].points, 55 - 10 - 9 - 8);
}

TEST(rows_of_a_roll_up_add_up_whatever_is_dropped)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct notification notification;
    struct notification_count counts[100];
    int64_t sum = 0;
    fixture_notification(FIXTURE_DIGEST, &arena, &notification);
    for (int i = 0; i < 100; i++) {
        counts[i] = (struct notification_count){ "rule", "high", "firing", i, "", "", "", "" };
        sum += i;
    }
    notification.counts = counts;
    notification.count_count = 100;
    while (notification_shrink(&notification, &arena)) {
        int64_t told = 0;
        for (size_t i = 0; i < notification.count_count; i++)
            told += notification.counts[i].count;
        CHECK_INT(told, sum);
    }
    CHECK_INT(notification.count_count, 2);
}

TEST(zero_is_a_value)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf json = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct notification notification, again;
    struct error error = { 0 };
    const struct template *made = template_compile(
        "{{#blocks}}{{#value}}{{value}} of {{bound}}{{/value}}{{^value}}none{{/value}}{{/blocks}}",
        notification_fields, &arena, &error);
    fixture_notification(FIXTURE_SCORE, &arena, &notification);
    notification.blocks->value = notification.blocks->bound = 0;
    notification_write(&notification, &json);
    CHECK_CONTAINS(buf_cstr(&json), "\"comparison\":\"fell\",\"value\":0,\"value_before\":0.71,"
                                    "\"bound\":0,");
    CHECK(notification_read(json.data, json.length, &arena, &again, &error));
    CHECK(again.blocks->value == 0 && again.blocks->bound == 0);
    template_render(made, &again, &text);
    CHECK_TEXT(buf_cstr(&text), "0 of 0");
    notification_block_init(notification.blocks);
    buf_reset(&json);
    buf_reset(&text);
    notification_write(&notification, &json);
    CHECK(!strstr(strstr(buf_cstr(&json), "\"blocks\""), "\"bound\""));
    CHECK(notification_read(json.data, json.length, &arena, &again, &error));
    CHECK(isnan(again.blocks->value) && isnan(again.blocks->bound));
    template_render(made, &again, &text);
    CHECK_TEXT(buf_cstr(&text), "none");
}
