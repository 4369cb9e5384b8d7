/* Which of several rows with the same id came first. */
#include "core/firsts.h"

#include <stdio.h>
#include <string.h>

#include "core/compiler.h"
#include "test.h"

static size_t put(struct firsts *firsts, const char *id, size_t place)
{
    return firsts_put(firsts, id, strlen(id), place);
}

static size_t found(const struct firsts *firsts, const char *id)
{
    return firsts_find(firsts, id, strlen(id));
}

TEST(the_first_of_an_id_is_the_first_for_good)
{
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    CHECK_INT(found(&firsts, "a"), SIZE_MAX);
    CHECK_INT(found(&firsts, ""), SIZE_MAX);
    CHECK_INT(put(&firsts, "a", 0), 0);
    CHECK_INT(put(&firsts, "b", 1), 1);
    CHECK_INT(put(&firsts, "a", 2), 0);
    CHECK_INT(found(&firsts, "b"), 1);
    CHECK_INT(found(&firsts, "c"), SIZE_MAX);
}

TEST(no_text_is_an_id_as_every_other)
{
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    CHECK_INT(put(&firsts, "a", 3), 3);
    CHECK_INT(found(&firsts, ""), SIZE_MAX);
    CHECK_INT(put(&firsts, "", 4), 4);
    CHECK_INT(put(&firsts, "", 5), 4);
}

TEST(there_may_be_many)
{
    CLEANUP(firsts_finish) struct firsts firsts = { 0 };
    char id[16];
    size_t wrong = 0;
    for (size_t i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "%zu", i % 5000);
        wrong += put(&firsts, id, i) != i % 5000;
    }
    CHECK_INT(wrong, 0);
}
