#include "collectors/snapshot/odd.h"

#include <stdio.h>
#include <string.h>

#include "core/hash.h"

const char *const odd_words[] = { "",         "missing",   "wrong_type", "bad_time", "unknown_word",
                                  "bad_text", "duplicate", NULL };

void odd_add(struct odd_rows *rows, enum odd_reason reason, const char *id, const char *why)
{
    uint64_t parts[] = { hash_bytes(id, strlen(id)), hash_bytes(why, strlen(why)), reason };
    rows->digest += hash_bytes(parts, sizeof parts);
    if (!odd_count(rows))
        snprintf(rows->first, sizeof rows->first, "%.200s%s%.100s", id, *id ? ": " : "", why);
    rows->counts[reason]++;
}

size_t odd_count(const struct odd_rows *rows)
{
    size_t count = 0;
    for (int reason = 0; reason < ODD_REASON_COUNT; reason++)
        count += rows->counts[reason];
    return count;
}
