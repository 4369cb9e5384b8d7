/* match_index: the answer of asking every list in order, for lists and labels drawn at random. */
#include "alerts/text/match_index.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { LISTS = 60, MATCHERS = 4, LABELS = 4, WORLDS = 200, ALERTS = 60 };

static const char *const names[] = { "a", "b", "c", "d" };
static const char *const values[] = { "", "x", "y", "z", "xy" };
static const char *const patterns[] = { "x.*", "y|z", ".*", "", "[xy]+" };

static unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % below;
}

/* Mostly equality, as silences are. */
static void draw_list(uint64_t *state, struct arena *arena, struct match_list *list)
{
    struct error error;
    unsigned count = draw(state, MATCHERS);
    for (unsigned i = 0; i < count; i++) {
        enum match_operator operator= draw(state, 2) ? MATCH_EQUAL
                                                     : (enum match_operator)draw(state, 4);
        bool regex = operator== MATCH_REGEX || operator== MATCH_NOT_REGEX;
        const char *value = regex ? patterns[draw(state, ARRAY_COUNT(patterns))]
                                  : values[draw(state, ARRAY_COUNT(values))];
        CHECK(match_add(list, names[draw(state, ARRAY_COUNT(names))], operator, value, arena,
                        &error));
    }
}

static size_t draw_labels(uint64_t *state, struct match_label *labels)
{
    size_t count = 0;
    for (size_t i = 0; i < LABELS; i++) {
        const char *value = values[draw(state, ARRAY_COUNT(values))];
        if (*value)
            labels[count++] = (struct match_label){ names[i], value };
    }
    return count;
}

static bool is_wanted(const void *context, size_t place)
{
    return ((const bool *)context)[place];
}

static size_t ask_all(const struct match_list *lists, const struct match_label *labels,
                      size_t count, const bool *wanted)
{
    for (size_t place = 0; place < LISTS; place++)
        if (wanted[place] && match_surely(&lists[place], labels, count))
            return place;
    return MATCH_INDEX_NONE;
}

TEST(indexed_lists_answer_as_one_after_the_other)
{
    uint64_t state = 1;
    size_t found = 0, none = 0, late = 0;
    for (int world = 0; world < WORLDS; world++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct match_list lists[LISTS] = { 0 };
        const struct match_list *borrowed[LISTS];
        bool wanted[LISTS];
        for (size_t i = 0; i < LISTS; i++) {
            draw_list(&state, &arena, &lists[i]);
            borrowed[i] = &lists[i];
            wanted[i] = lists[i].count && draw(&state, 10) < 2;
        }
        struct match_index *index = match_index_create(borrowed, LISTS);
        for (int alert = 0; alert < ALERTS; alert++) {
            struct match_label labels[LABELS];
            size_t count = draw_labels(&state, labels);
            size_t naive = ask_all(lists, labels, count, wanted);
            CHECK_INT(match_index_find(index, labels, count, is_wanted, wanted, NULL), naive);
            found += naive != MATCH_INDEX_NONE;
            none += naive == MATCH_INDEX_NONE;
            late += naive != MATCH_INDEX_NONE && naive > LISTS / 2;
        }
        match_index_destroy(index);
        for (size_t i = 0; i < LISTS; i++)
            match_finish(&lists[i]);
    }
    CHECK(found > 1000 && none > 100 && late > 100); /* the draw has every case */
}

/* Only what can match is asked: an expression beside an equality matcher that others have costs
 * nothing. */
TEST(other_values_cost_no_expression)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct error error;
    struct match_list lists[2] = { 0 };
    CHECK(match_parse("{a=\"x\",b=~\"(y|z)+\"}", &lists[0], &arena, &error));
    CHECK(match_parse("{a=\"y\",b=\"z\"}", &lists[1], &arena, &error));
    const struct match_list *borrowed[] = { &lists[0], &lists[1] };
    const bool wanted[] = { true, true };
    struct match_index *index = match_index_create(borrowed, 2);
    struct match_budget budget = { .left_us = INT64_MAX };
    const struct match_label other[] = { { "a", "y" }, { "b", "z" } };
    const struct match_label same[] = { { "a", "x" }, { "b", "z" } };
    for (int i = 0; i < 1000; i++)
        CHECK_INT(match_index_find(index, other, 2, is_wanted, wanted, &budget), 1);
    CHECK(budget.left_us == INT64_MAX);
    CHECK_INT(match_index_find(index, same, 2, is_wanted, wanted, &budget), 0);
    budget.left_us = 0;
    CHECK_INT(match_index_find(index, same, 2, is_wanted, wanted, &budget), MATCH_INDEX_NONE);
    CHECK_INT(match_index_find(index, other, 2, is_wanted, wanted, &budget), 1);
    match_index_destroy(index);
    match_finish(&lists[0]);
    match_finish(&lists[1]);
}

TEST(nothing_is_found_among_no_lists)
{
    struct match_index *index = match_index_create(NULL, 0);
    const struct match_label label = { "a", "x" };
    CHECK_INT(match_index_find(index, &label, 1, is_wanted, NULL, NULL), MATCH_INDEX_NONE);
    match_index_destroy(index);
    match_index_destroy(NULL);
}
