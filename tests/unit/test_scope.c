/* scope: which subscriptions are looked at, and why others are not. */
#include "collectors/scope.h"

#include "core/compiler.h"
#include "scope_world.h"
#include "test.h"

static const struct scope_facts shop = { "s-1", "Shop Production", "mg-shops\nmg-all\nroot",
                                         "Environment=prod-eu\nteam=a,b" };

TEST(each_kind_includes_and_excludes)
{
    static const struct {
        const char *ids[2], *names[2], *tags[2], *groups[2]; /* included, excluded */
        enum scope_why why;
    } cases[] = {
        { .why = SCOPE_WANTED },
        { .ids = { "S-1" }, .why = SCOPE_WANTED },
        { .ids = { "s-2" }, .why = SCOPE_NOT_INCLUDED },
        { .ids = { NULL, "s-1" }, .why = SCOPE_BY_ID },
        { .names = { "shop *" }, .why = SCOPE_WANTED },
        { .names = { "shop" }, .why = SCOPE_NOT_INCLUDED },
        { .names = { "*", "*PRODUCTION" }, .why = SCOPE_BY_NAME },
        { .tags = { "environment=prod*" }, .why = SCOPE_WANTED },
        { .tags = { "environment" }, .why = SCOPE_WANTED },
        { .tags = { "env" }, .why = SCOPE_NOT_INCLUDED },
        { .tags = { "environment=prod" }, .why = SCOPE_NOT_INCLUDED },
        { .tags = { NULL, "team=a?b" }, .why = SCOPE_BY_TAG },
        { .groups = { "MG-All" }, .why = SCOPE_WANTED },
        { .groups = { "mg" }, .why = SCOPE_NOT_INCLUDED },
        { .groups = { "root", "mg-shops" }, .why = SCOPE_BY_GROUP },
        { .ids = { "s-2" }, .groups = { "root" }, .why = SCOPE_WANTED }, /* any include will do */
        { .ids = { "s-1", "s-1" }, .names = { NULL, "*" }, .why = SCOPE_BY_ID },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *const *const kinds[4] = { cases[i].ids, cases[i].names, cases[i].tags,
                                              cases[i].groups };
        const char *texts[8][8];
        char copies[8][200];
        struct option_texts lists[8];
        for (int j = 0; j < 8; j++)
            lists[j] = scope_texts(kinds[j / 2][j % 2], texts[j], copies[j]);
        const struct scope_config config = { lists[0], lists[1], lists[2], lists[3],
                                             lists[4], lists[5], lists[6], lists[7] };
        struct scope *scope = scope_create(&config);
        CHECK_INT(scope_judge(scope, &shop), cases[i].why);
        CHECK(scope_is_open(scope) == !i);
        CHECK(scope_equal(scope, &config));
        CHECK(scope_needs_containers(scope) ==
              (lists[4].count || lists[5].count || lists[6].count || lists[7].count));
        scope_destroy(scope);
    }
    CHECK_INT(scope_judge(NULL, &shop), SCOPE_WANTED);
}

TEST(clouds_are_left_out_within_subscriptions)
{
    static const struct {
        const char *included, *excluded;
        unsigned out;
    } cases[] = {
        { NULL, NULL, 0 },
        { "azure", NULL, ((1U << CLOUD_COUNT) - 1) & ~(1U << CLOUD_AZURE) },
        { NULL, "aws,gcp", 1U << CLOUD_AWS | 1U << CLOUD_GCP },
        { "azure,aws", "aws", ((1U << CLOUD_COUNT) - 1) & ~(1U << CLOUD_AZURE) },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *texts[2][8];
        char copies[2][200];
        const struct scope_config none = { 0 }, config = {
            .include_clouds = scope_texts(cases[i].included, texts[0], copies[0]),
            .exclude_clouds = scope_texts(cases[i].excluded, texts[1], copies[1]),
        };
        CLEANUP(scope_drop) struct scope *scope = scope_create(&config);
        CHECK_INT(scope_clouds_out(scope), cases[i].out);
        CHECK(scope_equal(scope, &config) && scope_equal(scope, &none) == !cases[i].out);
        CHECK(scope_is_open(scope) && scope_judge(scope, &shop) == SCOPE_WANTED);
    }
    CHECK_INT(scope_clouds_out(NULL), 0);
}

TEST(another_list_is_another_scope)
{
    const struct scope_config none = { 0 };
    CLEANUP(scope_drop) struct scope *one = scope_from("s-1", NULL);
    CLEANUP(scope_drop) struct scope *other = scope_from(NULL, "s-1");
    CHECK(!scope_equal(one, &none) && !scope_equal(other, &none));
    CHECK_TEXT(scope_included(one)[0], "s-1");
    CHECK(!scope_included(one)[1] && !*scope_included(other) && !*scope_included(NULL));
}
