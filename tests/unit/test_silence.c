/* silence: what is accepted, kept, changed and found. */
#include "alerts/notify/silence.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

#include "alerts/store/schema.h"
#include "core/hash.h"

static struct database *open_memory(void)
{
    struct error error = { 0 };
    struct database_config config = { .path = ":memory:", .migrations = schema_migrations };
    struct database *database = database_open(&config, &error);
    CHECK_TEXT(error.message, "");
    return database;
}

static bool put(struct database *database, const char *matchers, int64_t starts_at, int64_t ends_at,
                int64_t now, char id[37], struct error *error)
{
    struct arena arena = { 0 };
    struct silence silence = {
        .starts_at = starts_at, .ends_at = ends_at, .created_by = "me", .comment = "why"
    };
    *error = (struct error){ 0 };
    CHECK(match_parse(matchers, &silence.matchers, &arena, error));
    snprintf(silence.id, sizeof silence.id, "%s", id);
    bool ok = silence_put(database, &silence, NULL, now, error);
    snprintf(id, 37, "%s", silence.id);
    CHECK(!ok || silence.updated_at == now);
    match_finish(&silence.matchers);
    arena_finish(&arena);
    return ok;
}

/* "active 100-200 {a="b"}\n" for each. */
static const char *listed(struct database *database, int64_t now)
{
    static struct buf out;
    struct error error = { 0 };
    struct silence_list list;
    buf_reset(&out);
    CHECK(silence_load(database, NULL, now, &list, &error));
    for (size_t i = 0; i < list.count; i++) {
        const struct silence *silence = &list.silences[i];
        buf_printf(&out, "%s %lld-%lld %s %s ", silence_state_words[silence_state(silence, now)],
                   (long long)silence->starts_at, (long long)silence->ends_at, silence->created_by,
                   silence->comment);
        for (size_t j = 0; j < silence->matchers.count; j++)
            match_print(&silence->matchers.matches[j], &out);
        buf_char(&out, '\n');
    }
    silence_list_finish(&list);
    return buf_cstr(&out);
}

TEST(wrong_silences_are_refused)
{
    static const struct {
        const char *matchers, *message;
        int64_t starts_at, ends_at;
    } cases[] = {
        { "{}", "needs a matcher", 100, 200 },
        { "{a=\"\"}", "must not match the empty text", 100, 200 },
        { "{a=~\".*\",b!=\"x\"}", "must not match the empty text", 100, 200 },
        { "{a=\"b\"}", "ends before it starts", 200, 200 },
        { "{a=\"b\"}", "ends in the past", 10, 100 },
    };
    struct database *database = open_memory();
    struct error error;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char id[37] = "";
        CHECK(!put(database, cases[i].matchers, cases[i].starts_at, cases[i].ends_at, 100, id,
                   &error));
        CHECK_INT(error.code, ERROR_REQUEST);
        CHECK_CONTAINS(error.message, cases[i].message);
        CHECK_TEXT(id, "");
    }
    char id[37] = "00000000-0000-0000-0000-000000000000";
    CHECK(!put(database, "{a=\"b\"}", 100, 200, 100, id, &error));
    CHECK_INT(error.code, ERROR_NOT_FOUND);
    CHECK(!silence_expire(database, id, NULL, 100, &error));
    CHECK_INT(error.code, ERROR_NOT_FOUND);
    CHECK(!database_is_open(database));
    CHECK_TEXT(listed(database, 100), "");
    database_close(database);
}

TEST(silences_are_changed_as_alertmanager_does)
{
    struct database *database = open_memory();
    struct error error = { 0 };
    char id[37] = "", first[37];
    CHECK(put(database, "{a=\"b\\\"\",c!~\"x|y\"}", 50, 200, 100, id, &error));
    CHECK_INT(strlen(id), 36);
    strcpy(first, id);
    CHECK_TEXT(listed(database, 100), "active 100-200 me why a=\"b\\\"\"c!~\"x|y\"\n");
    /* Another end: the same silence. */
    CHECK(put(database, "{a=\"b\\\"\",c!~\"x|y\"}", 100, 300, 110, id, &error));
    CHECK_TEXT(id, first);
    CHECK_TEXT(listed(database, 110), "active 100-300 me why a=\"b\\\"\"c!~\"x|y\"\n");
    /* Other matchers: it ends, and another one begins. */
    CHECK(put(database, "{a=\"c\"}", 100, 300, 120, id, &error));
    CHECK(strcmp(id, first) != 0);
    CHECK_TEXT(listed(database, 120), "active 120-300 me why a=\"c\"\n"
                                      "expired 100-120 me why a=\"b\\\"\"c!~\"x|y\"\n");
    /* One that has expired is never revived. */
    strcpy(id, first);
    CHECK(put(database, "{a=\"b\\\"\",c!~\"x|y\"}", 100, 400, 130, id, &error));
    CHECK(strcmp(id, first) != 0);
    CHECK(silence_expire(database, id, NULL, 140, &error));
    CHECK(silence_expire(database, id, NULL, 150, &error));
    CHECK_TEXT(listed(database, 150), "active 120-300 me why a=\"c\"\n"
                                      "expired 100-120 me why a=\"b\\\"\"c!~\"x|y\"\n"
                                      "expired 130-140 me why a=\"b\\\"\"c!~\"x|y\"\n");
    /* A pending one that is ended never begins. */
    *id = 0;
    CHECK(put(database, "{d=\"e\"}", 1000, 2000, 160, id, &error));
    CHECK_CONTAINS(listed(database, 160), "pending 1000-2000 me why d=\"e\"\n");
    CHECK(silence_expire(database, id, NULL, 170, &error));
    CHECK_CONTAINS(listed(database, 170), "expired 170-170 me why d=\"e\"\n");
    database_close(database);
}

TEST(old_silences_are_forgotten)
{
    struct database *database = open_memory();
    struct error error = { 0 };
    char id[37] = "";
    int64_t day = 86400;
    CHECK(put(database, "{a=\"b\"}", 1, 100, 1, id, &error));
    CHECK_TEXT(listed(database, 100 + 5 * day), "expired 1-100 me why a=\"b\"\n");
    CHECK_TEXT(listed(database, 101 + 5 * day), "");
    CHECK(database_begin(database, &error));
    CHECK(silence_prune(database, 100 + 5 * day, &error));
    CHECK_INT(database_changes(database), 0);
    CHECK(silence_prune(database, 101 + 5 * day, &error));
    CHECK_INT(database_changes(database), 1);
    CHECK(database_commit(database, &error));
    database_close(database);
}

TEST(only_active_silences_silence)
{
    struct database *database = open_memory();
    struct error error = { 0 };
    struct silence_list list;
    char id[37] = "";
    struct alert alert = {
        .labels = { { "alertname", "A" }, { "subscription_id", "s1" } },
        .label_count = 2,
    };
    CHECK(put(database, "{subscription_id=~\"s.\",team!=\"x\"}", 100, 200, 50, id, &error));
    *id = 0;
    CHECK(put(database, "{subscription_id=\"other\"}", 60, 150, 50, id, &error));
    CHECK(silence_load(database, NULL, 50, &list, &error));
    CHECK(!silence_find(&list, &alert, 99));
    CHECK(silence_find(&list, &alert, 100) != NULL);
    CHECK(silence_find(&list, &alert, 199) != NULL);
    CHECK(!silence_find(&list, &alert, 200));
    alert.labels[1].value = "t1";
    CHECK(!silence_find(&list, &alert, 100));
    CHECK_INT(silence_next_at(&list, 50), 60);
    CHECK_INT(silence_next_at(&list, 60), 100);
    CHECK_INT(silence_next_at(&list, 100), 150);
    CHECK_INT(silence_next_at(&list, 150), 200);
    CHECK_INT(silence_next_at(&list, 200), 0);
    silence_list_finish(&list);
    database_close(database);
}

/* The matchers of the only silence, compiled. */
static const struct silence_matchers *compiled(struct database *database,
                                               struct silence_cache *cache, int64_t now)
{
    struct error error = { 0 };
    struct silence_list list;
    CHECK(silence_load(database, cache, now, &list, &error));
    CHECK_INT(list.count, 1);
    const struct silence_matchers *matchers = list.count ? list.silences[0].compiled : NULL;
    silence_list_finish(&list);
    return matchers;
}

TEST(silences_are_compiled_once_a_change)
{
    struct database *database = open_memory();
    struct silence_cache *cache = silence_cache_create();
    struct error error = { 0 };
    char id[37] = "";
    CHECK(put(database, "{a=~\"b.*\"}", 50, 200, 100, id, &error));
    const struct silence_matchers *first = compiled(database, cache, 100);
    CHECK(compiled(database, cache, 101) == first);
    CHECK(put(database, "{a=~\"b.*\"}", 100, 300, 110, id, &error));
    CHECK(compiled(database, cache, 110) == first);
    struct database_statement *statement =
        database_prepare(database, "UPDATE silence SET matchers = '{a=~\"c.*\"}'");
    CHECK(database_run(statement, &error));
    const struct match_list *list = silence_cache_list(compiled(database, cache, 120));
    CHECK_TEXT(list->matches[0].value, "c.*");
    silence_cache_destroy(cache);
    database_close(database);
}

/* Whatever is stored, memory is not used up, and the rest is read. */
TEST(large_silences_are_left_out)
{
    enum { SILENCES = 320 };
    struct database *database = open_memory();
    struct error error = { 0 };
    struct silence_list list;
    CLEANUP(buf_finish) struct buf large = { 0 };
    buf_char(&large, '{');
    for (int i = 0; i < 9; i++)
        buf_text(&large, "a=~\"(abcdefghij){1000}\",");
    buf_char(&large, '}');
    for (int i = 0; i < SILENCES; i++) {
        char id[37] = "";
        CHECK(put(database, "{a=\"b\"}", 50, 200, 100, id, &error));
    }
    struct database_statement *statement =
        database_prepare(database, "UPDATE silence SET matchers = $1");
    database_bind(statement, buf_cstr(&large));
    CHECK(database_run(statement, &error));
    CHECK(silence_load(database, NULL, 100, &list, &error));
    CHECK(list.count > 200 && list.count < SILENCES);
    CHECK(list.compiled_bytes < 65 << 20);
    CHECK_INT(unreadable_count(database_unreadable(database), UNREADABLE_SILENCE),
              SILENCES - list.count);
    silence_list_finish(&list);
    database_close(database);
}

TEST(spent_budgets_silence_nothing)
{
    struct database *database = open_memory();
    struct match_budget budget = { .left_us = 1000000 };
    struct error error = { 0 };
    struct silence_list list;
    char id[37] = "", other[37] = "";
    struct alert regex = { .labels = { { "a", "bc" } }, .label_count = 1 };
    struct alert plain = { .labels = { { "a", "d" } }, .label_count = 1 };
    CHECK(put(database, "{a=~\"b.*\"}", 50, 200, 100, id, &error));
    CHECK(put(database, "{a=\"d\"}", 50, 200, 100, other, &error));
    CHECK(silence_load(database, NULL, 100, &list, &error));
    list.budget = &budget;
    CHECK(silence_find(&list, &regex, 100) && silence_find(&list, &plain, 100));
    budget.left_us = 0;
    CHECK(!silence_find(&list, &regex, 100));
    CHECK(silence_find(&list, &plain, 100) != NULL);
    silence_list_finish(&list);
    database_close(database);
}

static void insert_many(struct database *database, int count, int64_t ends_at)
{
    struct error error = { 0 };
    CHECK(database_begin(database, &error));
    for (int i = 0; i < count; i++) {
        char id[37];
        struct database_statement *statement = database_prepare(
            database, "INSERT INTO silence (id, matchers, starts_at, ends_at, updated_at,"
                      " created_by, comment) VALUES ($1, '{a=\"b\"}', 1, $2, 1, '', '')");
        database_bind(statement, hash_uuid(id), ends_at);
        CHECK(database_run(statement, &error));
    }
    CHECK(database_commit(database, &error));
}

TEST(silences_have_a_limit)
{
    struct database *database = open_memory();
    struct error error = { 0 };
    insert_many(database, 5000, 1000);
    char id[37] = "";
    CHECK(!put(database, "{a=\"b\"}", 100, 200, 100, id, &error));
    CHECK_INT(error.code, ERROR_REQUEST);
    CHECK_TEXT(error.message,
               "5000 silences are active or pending, which is the limit; expire some first");
    database_close(database);
}

/* Expired silences are no reason to refuse one, and are not kept without end. */
TEST(expired_silences_use_up_no_limit)
{
    struct database *database = open_memory();
    struct error error = { 0 };
    insert_many(database, 10, 40);
    insert_many(database, 5000, 50);
    char id[37] = "";
    CHECK(put(database, "{a=\"b\"}", 50, 200, 50, id, &error));
    struct database_statement *statement =
        database_prepare(database, "SELECT COUNT(*) * 100000 + SUM(ends_at < 50) FROM silence");
    int64_t figures;
    CHECK(database_get_integer(statement, &figures, &error));
    CHECK_INT(figures, 5001 * 100000LL);
    database_close(database);
}

/* The first silence of an alert, by its end; 0 = none. */
static const char *found(struct database *database, struct silence_cache *cache, const char *value,
                         struct match_budget *budget, int64_t now)
{
    static char end[64];
    struct error error = { 0 };
    struct silence_list list;
    struct alert alert = { .labels = { { "a", value } }, .label_count = 1 };
    CHECK(silence_load(database, cache, now, &list, &error));
    list.budget = budget;
    const struct silence *silence = silence_find(&list, &alert, now);
    snprintf(end, sizeof end, "%lld", silence ? (long long)silence->ends_at : 0LL);
    silence_list_finish(&list);
    return end;
}

/* An expression is asked once about an alert, until a silence is made, begins or ends. */
TEST(answers_are_kept_while_the_same_silences_are_active)
{
    struct database *database = open_memory();
    struct silence_cache *cache = silence_cache_create();
    struct match_budget none = { 0 };
    struct error error;
    char id[37] = "", other[37] = "", later[37] = "";
    CHECK(put(database, "{a=~\"b.*\"}", 100, 200, 100, id, &error));
    CHECK_TEXT(found(database, cache, "bc", &none, 100), "0"); /* and that is not kept */
    CHECK_TEXT(found(database, cache, "bc", NULL, 100), "200");
    CHECK_TEXT(found(database, cache, "bc", &none, 101), "200"); /* no expression was asked */
    CHECK_TEXT(found(database, cache, "c", NULL, 101), "0");
    CHECK(put(database, "{a=~\"[bc]+\"}", 102, 150, 102, other, &error));
    CHECK_TEXT(found(database, cache, "bc", NULL, 102), "150");
    CHECK_TEXT(found(database, cache, "c", NULL, 102), "150");
    CHECK_TEXT(found(database, cache, "c", NULL, 150), "0");
    CHECK_TEXT(found(database, cache, "bc", NULL, 150), "200");
    CHECK(put(database, "{a=~\"b.+\"}", 160, 170, 150, later, &error));
    CHECK_TEXT(found(database, cache, "bc", NULL, 159), "200");
    CHECK_TEXT(found(database, cache, "bc", NULL, 160), "170");
    CHECK(silence_expire(database, later, NULL, 165, &error));
    CHECK_TEXT(found(database, cache, "bc", NULL, 165), "200");
    CHECK(silence_expire(database, id, NULL, 166, &error));
    CHECK_TEXT(found(database, cache, "bc", NULL, 166), "0");
    silence_cache_destroy(cache);
    database_close(database);
}

/* More answers than there is room for: some are forgotten, none is wrong. */
TEST(kept_answers_are_those_that_were_given)
{
    struct silence_memo *memo = silence_memo_create();
    size_t kept = 0;
    for (uint32_t i = 1; i <= 200000; i++)
        silence_memo_put(memo, 7, silence_memo_number(memo, (const char *)&i, sizeof i), i);
    for (uint32_t i = 1; i <= 200000; i++) {
        uint32_t answer;
        if (!silence_memo_get(memo, 7, silence_memo_number(memo, (const char *)&i, sizeof i),
                              &answer))
            continue;
        kept++;
        CHECK_INT(answer, i);
    }
    CHECK(kept > 80000 && kept <= 131072);
    uint32_t answer;
    CHECK(!silence_memo_get(memo, 8, silence_memo_number(memo, "a", 1), &answer));
    silence_memo_put(memo, 8, silence_memo_number(memo, "a", 1), 5);
    CHECK(silence_memo_get(memo, 8, silence_memo_number(memo, "a", 1), &answer) && answer == 5);
    CHECK(!silence_memo_get(memo, 7, silence_memo_number(memo, "a", 1), &answer));
    silence_memo_destroy(memo);
}

/* Whatever differs in labels, so does their key; what is too long has none. */
TEST(keys_of_labels_differ_where_labels_do)
{
    struct silence_memo *memo = silence_memo_create();
    char value[9000];
    struct match_label labels[] = { { "name", value }, { "other", "" } };
    for (size_t length = 0; length < 80; length++) {
        memset(value, 'a', length);
        value[length] = 0;
        uint64_t key = silence_memo_key(memo, labels, 2);
        CHECK(key && key == silence_memo_key(memo, labels, 2));
        CHECK(key != silence_memo_key(memo, labels, 1));
        for (size_t i = 0; i <= length; i++) {
            value[i] = i < length ? 'b' : 'a';
            value[length + 1] = 0;
            CHECK(key != silence_memo_key(memo, labels, 2));
            value[i] = i < length ? 'a' : 0;
        }
    }
    struct match_label one[] = { { "a", "bc" } }, two[] = { { "ab", "c" } },
                       three[] = { { "a", "b" } };
    CHECK(silence_memo_key(memo, one, 1) != silence_memo_key(memo, two, 1));
    CHECK(silence_memo_key(memo, one, 1) != silence_memo_key(memo, three, 1));
    memset(value, 'a', sizeof value - 1);
    value[sizeof value - 1] = 0;
    CHECK(silence_memo_key(memo, labels, 2) == 0);
    for (size_t length = 8100; length < 8200; length++) {
        value[length] = 0;
        silence_memo_key(memo, labels, 2);
        value[length] = 'a';
    }
    silence_memo_destroy(memo);
}
