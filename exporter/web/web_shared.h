#pragma once
/* Bytes that many clients get: counted, and what libmicrohttpd needs to send them is made once. Any
 * thread. */
#include <stdint.h>

#include "core/buf.h"

struct MHD_Response;
struct web_shared;

/* One reference. The bytes are owned, the buf is empty after. */
struct web_shared *web_shared_create(struct buf *bytes);

const struct buf *web_shared_bytes(const struct web_shared *shared);

void web_shared_acquire(struct web_shared *shared);

/* NULL is fine. What is being sent goes on. */
void web_shared_release(void *shared);

/* What its answers are told apart by: the first one that is asked for is kept. */
struct web_shared_key {
    const char *type; /* compared by address */
    uint64_t number;
};

/* Adds the headers of an answer. */
typedef void web_shared_dress(void *context, struct MHD_Response *answer);

/* The answer that is kept, for who has a reference; NULL = it has another key, or is being made. */
struct MHD_Response *web_shared_answer(struct web_shared *shared, struct web_shared_key key,
                                       web_shared_dress *dress, void *context);
