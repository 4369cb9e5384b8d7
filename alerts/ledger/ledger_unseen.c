#include "alerts/ledger/ledger_unseen.h"

#include <stdlib.h>

#include "alerts/ledger/ledger_merge.h"
#include "alerts/ledger/ledger_rows.h"
#include "core/memory.h"

static int compare(const void *left, const void *right)
{
    const struct ledger_open *a = *(const struct ledger_open *const *)left,
                             *b = *(const struct ledger_open *const *)right;
    if (a->answers != b->answers)
        return a->answers < b->answers ? -1 : 1;
    if (a->risk != b->risk)
        return a->risk < b->risk ? -1 : 1;
    if (a->absent_at != b->absent_at)
        return a->absent_at < b->absent_at ? -1 : 1;
    return finding_id_compare(&a->id, &b->id);
}

/* Write down what a question needs; a finding without a row has none. */
static bool add(struct ledger *ledger, const struct ledger_open *open,
                struct proof_questions *questions, struct error *error)
{
    CLEANUP(intern_finish) struct intern texts = { 0 };
    struct finding finding;
    bool found;
    if (!ledger_rows_read(ledger->database, ledger->list, &open->id, &texts, &finding, &found,
                          error))
        return false;
    if (found)
        questions->items[questions->count++] = (struct proof_question){
            .id = open->id,
            .resource_id = arena_text(&questions->arena, finding.resource_id),
            .resource_type = arena_text(&questions->arena, finding.resource_type),
            .subscription_id = arena_text(&questions->arena, finding.subscription_id),
        };
    return true;
}

/* NULL and true when there is nothing to ask. */
static bool make_questions(struct ledger *ledger, const struct ledger_source *source,
                           struct proof_questions **made, struct error *error)
{
    size_t count = 0;
    *made = NULL;
    if (!source->absent_count)
        return true;
    const struct ledger_open **unseen = MEMORY_ARRAY(const struct ledger_open *, source->count);
    for (size_t i = 0; i < source->count; i++)
        if (source->open[i].absent_at)
            unseen[count++] = &source->open[i];
    qsort(unseen, count, sizeof *unseen, compare);
    struct proof_questions *questions = MEMORY_NEW(struct proof_questions);
    bool ok = true;
    for (size_t i = 0; i < count && i < PROOF_QUESTIONS_MAX && ok; i++)
        ok = add(ledger, unseen[i], questions, error);
    free(unseen);
    if (ok)
        *made = questions;
    else
        proof_questions_destroy(questions);
    return ok;
}

bool ledger_unseen_ask(struct ledger *ledger, struct proof_board *board, struct error *error)
{
    for (size_t i = 0; i < ledger->source_count; i++) {
        struct ledger_source *source = &ledger->sources[i];
        struct proof_questions *questions;
        if (source->generation == UINT64_MAX || source->asked == source->generation)
            continue;
        if (!make_questions(ledger, source, &questions, error))
            return error_wrap(error, "asking about missing findings");
        proof_board_ask(board, &ledger->list->sources[i], questions);
        source->asked = source->generation;
    }
    return true;
}
