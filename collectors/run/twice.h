#pragma once
/* Which ids came in one list, to tell rows that come twice from rows that moved between its pages
 * while it was read. Zeroed is ready to use. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/json.h"

struct twice {
    struct twice_row *rows;
    size_t count, capacity;
    uint32_t *slots; /* open addressing: place in rows + 1, 0 = free */
    size_t slot_count;
    uint64_t
        moved; /* a digest of the ids that came on two pages, 0 = none; twice_finish keeps it */
};

enum twice_kind {
    TWICE_NEW,
    TWICE_EQUAL, /* as it was, but for the case of texts */
    TWICE_OTHER
};

/* Look at a row of a page. id: in any case. */
enum twice_kind twice_look(struct twice *twice, const char *id, const struct json *row,
                           size_t page);

/* Forget the ids: another list begins. */
void twice_finish(struct twice *twice);
