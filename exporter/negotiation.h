#pragma once
/* What clients get by their headers, remembered: who scrapes says the same each time. Any thread.
 */
#include <pthread.h>
#include <stdbool.h>

#include "exporter/formats/encoding.h"

enum { NEGOTIATION_MEMOS = 8 };

struct negotiated {
    struct encoding_choice choice;
    bool gzip;
};

struct negotiation {
    const struct encoding *formats;
    size_t format_count;
    pthread_mutex_t lock;
    struct negotiation_memo {
        char *accept, *accept_encoding; /* NULL = empty */
        struct negotiated result;
    } memos[NEGOTIATION_MEMOS];
    size_t next; /* the memo that is overwritten next */
};

/* formats: as in encoding.h, borrowed. */
void negotiation_init(struct negotiation *negotiation, const struct encoding *formats,
                      size_t count);
void negotiation_finish(struct negotiation *negotiation);

/* What the headers lead to, as encoding_choose and encoding_gzip say. */
struct negotiated negotiation_decide(struct negotiation *negotiation, const char *accept,
                                     const char *accept_encoding);
