#include "exporter/negotiation.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

enum { TEXT_MAX = 1024 }; /* what is longer is nobody's who scrapes */

void negotiation_init(struct negotiation *negotiation, const struct encoding *formats, size_t count)
{
    *negotiation = (struct negotiation){ .formats = formats, .format_count = count };
    pthread_mutex_init(&negotiation->lock, NULL);
}

static void forget(struct negotiation_memo *memo)
{
    free(memo->accept);
    free(memo->accept_encoding);
    *memo = (struct negotiation_memo){ 0 };
}

void negotiation_finish(struct negotiation *negotiation)
{
    for (size_t i = 0; i < NEGOTIATION_MEMOS; i++)
        forget(&negotiation->memos[i]);
    pthread_mutex_destroy(&negotiation->lock);
}

/* The lock is held. */
static bool recall(const struct negotiation *negotiation, const char *accept,
                   const char *accept_encoding, struct negotiated *result)
{
    for (size_t i = 0; i < NEGOTIATION_MEMOS; i++) {
        const struct negotiation_memo *memo = &negotiation->memos[i];
        if (!memo->accept || strcmp(memo->accept, accept) != 0 ||
            strcmp(memo->accept_encoding, accept_encoding) != 0)
            continue;
        *result = memo->result;
        return true;
    }
    return false;
}

static void remember(struct negotiation *negotiation, const char *accept,
                     const char *accept_encoding, const struct negotiated *result)
{
    if (strlen(accept) > TEXT_MAX || strlen(accept_encoding) > TEXT_MAX)
        return;
    pthread_mutex_lock(&negotiation->lock);
    struct negotiation_memo *memo = &negotiation->memos[negotiation->next];
    negotiation->next = (negotiation->next + 1) % NEGOTIATION_MEMOS;
    forget(memo);
    *memo = (struct negotiation_memo){ memory_copy(accept), memory_copy(accept_encoding), *result };
    pthread_mutex_unlock(&negotiation->lock);
}

struct negotiated negotiation_decide(struct negotiation *negotiation, const char *accept,
                                     const char *accept_encoding)
{
    struct negotiated result;
    pthread_mutex_lock(&negotiation->lock);
    bool known = recall(negotiation, accept, accept_encoding, &result);
    pthread_mutex_unlock(&negotiation->lock);
    if (known)
        return result;
    result = (struct negotiated){
        encoding_choose(negotiation->formats, negotiation->format_count, accept),
        encoding_gzip(accept_encoding),
    };
    remember(negotiation, accept, accept_encoding, &result);
    return result;
}
