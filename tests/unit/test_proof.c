/* Questions about unseen findings: which are asked first, and where they wait for the runner. */
#include "collectors/snapshot/proof.h"

#include "alerts/ledger/ledger_unseen.h"
#include "core/memory.h"
#include "ledger_world.h"

static struct proof_questions *ask(struct world *world, struct proof_board *board)
{
    struct error error = { 0 };
    CHECK(ledger_unseen_ask(world->ledger, board, &error));
    CHECK_TEXT(error.message, "");
    return proof_board_take(board, A);
}

static void answer(struct world *world, const char *name)
{
    struct finding_id id = finding_id(A, name, strlen(name));
    proof_answers_add(&world->snapshot->parts[A->index]->proofs, &id, PROOF_NONE);
}

/* The names of the resources that are asked about, in their order. */
static const char *names_of(struct proof_questions *questions)
{
    static char names[64];
    size_t used = 0;
    for (size_t i = 0; questions && i < questions->count && used < sizeof names - 1; i++)
        names[used++] = strrchr(questions->items[i].resource_id, '/')[1];
    names[used] = 0;
    proof_questions_destroy(questions);
    return names;
}

static void open_two_risks(struct world *world)
{
    struct part *part = world_part(A, BOTH);
    world_open(part, "l", "key", "s1", RISK_LOW);
    world_open(part, "c", "key", "s1", RISK_CRITICAL);
    world_open(part, "h", "key", "s2", RISK_HIGH);
    world->now += 60;
    world_publish(world, part);
    world_advance(world);
}

TEST(the_worst_is_asked_first_and_the_answered_last)
{
    struct world world;
    struct proof_board *board = proof_board_create();
    world_begin(&world, NULL);
    open_two_risks(&world);
    CHECK(!ask(&world, board)); /* nothing is missing */
    world_collect(&world, "");
    world_advance(&world);
    struct proof_questions *questions = ask(&world, board);
    CHECK(questions && questions->count == 3);
    CHECK_TEXT(questions->items[0].resource_id,
               "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/c");
    CHECK_TEXT(questions->items[0].resource_type, "microsoft.compute/virtualmachines");
    CHECK_TEXT(questions->items[0].subscription_id, "s1");
    CHECK_TEXT(names_of(questions), "chl");
    CHECK(!ask(&world, board)); /* of one collection they are asked once */
    world_collect(&world, "");
    answer(&world, "c");
    world_advance(&world);
    CHECK_TEXT(names_of(ask(&world, board)), "hlc");
    world_collect(&world, "l"); /* it came back */
    answer(&world, "h");
    world_advance(&world);
    CHECK_TEXT(names_of(ask(&world, board)), "ch");
    world_finish(&world);
    proof_board_destroy(board);
}

TEST(the_rest_of_the_questions_waits)
{
    struct world world;
    struct proof_board *board = proof_board_create();
    world_begin(&world, NULL);
    struct part *part = world_part(A, BOTH);
    char name[16];
    for (int i = 0; i < PROOF_QUESTIONS_MAX + 5; i++) {
        snprintf(name, sizeof name, "f%d", i);
        world_open(part, name, "key", "s1", RISK_HIGH);
    }
    world_publish(&world, part);
    world_advance(&world);
    world_collect(&world, "");
    world_advance(&world);
    struct proof_questions *questions = ask(&world, board);
    CHECK_INT(questions->count, PROOF_QUESTIONS_MAX);
    world_collect(&world, "");
    for (size_t i = 0; i < questions->count; i++)
        proof_answers_add(&world.snapshot->parts[A->index]->proofs, &questions->items[i].id,
                          PROOF_NONE);
    world_advance(&world);
    struct proof_questions *next = ask(&world, board);
    CHECK_INT(next->count, PROOF_QUESTIONS_MAX);
    for (size_t i = 0; i < questions->count; i++) /* the five others come first */
        for (size_t j = 0; j < 5; j++)
            CHECK(finding_id_compare(&next->items[j].id, &questions->items[i].id) != 0);
    proof_questions_destroy(questions);
    proof_questions_destroy(next);
    world_finish(&world);
    proof_board_destroy(board);
}

static struct proof_questions *some(size_t count)
{
    struct proof_questions *questions = memory_array(1, sizeof *questions);
    questions->count = count;
    return questions;
}

TEST(a_board_keeps_the_last_questions_of_each_source)
{
    struct proof_board *board = proof_board_create();
    CHECK(!proof_board_take(board, A));
    proof_board_ask(board, A, some(1));
    proof_board_ask(board, A, some(2));
    proof_board_ask(board, SOURCE(baselines), some(3));
    struct proof_questions *taken = proof_board_take(board, A);
    CHECK_INT(taken->count, 2);
    proof_questions_destroy(taken);
    CHECK(!proof_board_take(board, A)); /* it is taken */
    proof_board_ask(board, SOURCE(baselines), NULL);
    CHECK(!proof_board_take(board, SOURCE(baselines)));
    proof_board_ask(board, A, some(4)); /* given back with the board */
    proof_board_destroy(board);
}
