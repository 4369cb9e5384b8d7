#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memory.h"
#include "tests/unit/test.h"

TEST(new_and_array_are_zeroed)
{
    struct pair {
        int64_t left, right;
    } *pair = MEMORY_NEW(struct pair);
    CHECK(!pair->left && !pair->right);
    uint64_t(*rows)[3] = MEMORY_ARRAY(uint64_t[3], 100);
    for (int i = 0; i < 100; i++)
        CHECK(!rows[i][0] && !rows[i][1] && !rows[i][2]);
    free(pair);
    free(rows);
}

TEST(array_of_none_is_there)
{
    bool *none = MEMORY_ARRAY(bool, 0);
    CHECK(none != NULL);
    free(none);
}

TEST(grow_keeps_what_is_there_and_gives_room)
{
    int *numbers = NULL;
    size_t count = 0, capacity = 0, moves = 0, before = 0;
    for (int i = 0; i < 10000; i++) {
        MEMORY_GROW(numbers, count, capacity);
        CHECK(count < capacity);
        moves += capacity != before;
        before = capacity;
        numbers[count++] = i;
    }
    CHECK(moves < 25); /* in proportion, not one by one */
    for (int i = 0; i < 10000; i++)
        if (numbers[i] != i)
            CHECK_INT(numbers[i], i);
    free(numbers);
}

TEST(reach_gives_room_up_to_a_place_and_zeroes_it)
{
    int *numbers = NULL;
    size_t capacity = 0, moves = 0, before = 0;
    for (size_t i = 0; i < 10000; i += 3) {
        MEMORY_REACH(numbers, i, capacity);
        CHECK(i < capacity);
        moves += capacity != before;
        before = capacity;
        CHECK(!numbers[i]);
        numbers[i] = (int)i;
    }
    MEMORY_REACH(numbers, 5, capacity);
    CHECK_INT(capacity, before);
    CHECK(moves < 25);
    for (size_t i = 0; i < 10000; i++)
        if (numbers[i] != (i % 3 ? 0 : (int)i))
            CHECK_INT(numbers[i], i);
    free(numbers);
}

TEST(extend_zeroes_what_is_new_and_only_that)
{
    int *numbers = NULL;
    MEMORY_EXTEND(numbers, 0, 2);
    CHECK(!numbers[0] && !numbers[1]);
    numbers[0] = 7;
    numbers[1] = 8;
    MEMORY_EXTEND(numbers, 2, 500);
    CHECK_INT(numbers[0], 7);
    CHECK_INT(numbers[1], 8);
    for (int i = 2; i < 500; i++)
        CHECK(!numbers[i]);
    free(numbers);
}

TEST(copy_is_another_text)
{
    char text[] = "text";
    char *copy = memory_copy(text);
    text[0] = 'n';
    CHECK_TEXT(copy, "text");
    free(copy);
}

/* What the child says on standard error before it ends by SIGABRT; "" when it ends otherwise. */
static const char *dying_words(void (*last_act)(void), char *words, size_t bytes)
{
    int ends[2], status;
    if (pipe(ends))
        return "no pipe";
    pid_t child = fork();
    if (!child) {
        dup2(ends[1], STDERR_FILENO);
        last_act();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], words + length, bytes - 1 - length)) > 0;)
        length += (size_t)got;
    close(ends[0]);
    words[length] = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : "";
}

static void grow_past_everything(void)
{
    int64_t *numbers = NULL;
    size_t capacity = SIZE_MAX / 2;
    MEMORY_GROW(numbers, capacity, capacity);
}

static void check_nothing(void)
{
    free(memory_checked(NULL));
}

static void fail(void)
{
    memory_abort("row %d has no %s", 3, "type");
}

TEST(what_cannot_be_met_ends_the_program)
{
    char words[200];
    CHECK_CONTAINS(dying_words(grow_past_everything, words, sizeof words), "out of memory");
    CHECK_TEXT(dying_words(check_nothing, words, sizeof words), "out of memory\n");
    CHECK_TEXT(dying_words(fail, words, sizeof words), "row 3 has no type\n");
}
