#include "alerts/trouble.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/memory.h"

/* Somebody who writes may take a moment: a backup, a second process. */
enum { LOCKED_MS = 10000 };

const char *const trouble_words[] = { "",       "removed",    "replaced", "emptied", "damaged",
                                      "locked", "unwritable", "other",    NULL };

/* clang-format off */
const struct family_1 trouble_family = {
    .name = "defender_exporter_state_trouble", .type = METRIC_GAUGE, .level = 0,
    .help = "1 while nothing can be decided about alerts for this reason; defender_up is 0 then.",
    LABELS("reason"),
};
/* clang-format on */

struct trouble {
    struct metric_store *metrics;
    int64_t locked_ms;    /* of the evaluator: since when it has only been locked; 0 = it is not */
    pthread_mutex_t lock; /* what follows */
    enum trouble_reason reason;
    char text[TROUBLE_TEXT_BYTES];
};

static void show(const struct trouble *trouble, enum trouble_reason reason)
{
    for (int i = TROUBLE_NONE + 1; i < TROUBLE_REASON_COUNT; i++)
        metric_put(trouble->metrics, &trouble_family, reason == (enum trouble_reason)i,
                   METRIC_LABELS(trouble_words[i]));
}

struct trouble *trouble_create(struct metric_store *metrics)
{
    struct trouble *trouble = MEMORY_NEW(struct trouble);
    pthread_mutex_init(&trouble->lock, NULL);
    trouble->metrics = metrics;
    show(trouble, TROUBLE_NONE);
    return trouble;
}

void trouble_destroy(struct trouble *trouble)
{
    if (!trouble)
        return;
    pthread_mutex_destroy(&trouble->lock);
    free(trouble);
}

static enum trouble_reason reason_of(enum database_file_state state, const struct error *error)
{
    static const enum trouble_reason reasons[] = {
        [DATABASE_FILE_SOUND] = TROUBLE_NONE,        [DATABASE_FILE_REMOVED] = TROUBLE_REMOVED,
        [DATABASE_FILE_REPLACED] = TROUBLE_REPLACED, [DATABASE_FILE_EMPTIED] = TROUBLE_EMPTIED,
        [DATABASE_FILE_SHRUNK] = TROUBLE_DAMAGED,
    };
    if (!error || state != DATABASE_FILE_SOUND)
        return reasons[state];
    switch (error->code) {
    case ERROR_TIMEOUT:
        return TROUBLE_LOCKED;
    case ERROR_PARSE:
        return TROUBLE_DAMAGED;
    case ERROR_IO:
        return TROUBLE_UNWRITABLE;
    default:
        return TROUBLE_OTHER;
    }
}

bool trouble_note(struct trouble *trouble, enum database_file_state state,
                  const struct error *error, int64_t now_ms)
{
    enum trouble_reason reason = reason_of(state, error);
    if (reason != TROUBLE_LOCKED)
        trouble->locked_ms = 0;
    else if (!trouble->locked_ms)
        trouble->locked_ms = now_ms;
    pthread_mutex_lock(&trouble->lock);
    if (reason == TROUBLE_LOCKED && now_ms - trouble->locked_ms < LOCKED_MS)
        reason = trouble->reason; /* as it was */
    bool changed = reason != trouble->reason;
    trouble->reason = reason;
    if (reason == TROUBLE_NONE)
        trouble->text[0] = 0;
    else if (changed && error)
        log_redacted(error->message, trouble->text, sizeof trouble->text);
    pthread_mutex_unlock(&trouble->lock);
    if (changed)
        show(trouble, reason);
    return changed;
}

enum trouble_reason trouble_get(struct trouble *trouble, char text[TROUBLE_TEXT_BYTES])
{
    pthread_mutex_lock(&trouble->lock);
    enum trouble_reason reason = trouble->reason;
    snprintf(text, TROUBLE_TEXT_BYTES, "%s", trouble->text);
    pthread_mutex_unlock(&trouble->lock);
    return reason;
}
