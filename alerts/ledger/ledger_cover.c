#include "alerts/ledger/ledger_cover.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

bool ledger_cover_has(const struct part_cover *cover)
{
    return cover->collected_at && !cover->carried;
}

void ledger_cover_digest(const struct part *part, char out[33])
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct hash_sha256 digest;
    size_t count = 0;
    const char **ids = MEMORY_ARRAY(const char *, part->cover_count + 1);
    for (size_t i = 0; i < part->cover_count; i++)
        if (ledger_cover_has(&part->cover[i]))
            ids[count++] = part->cover[i].subscription_id;
    qsort(ids, count, sizeof *ids, compare_texts);
    for (size_t i = 0; i < count; i++) {
        buf_text(&text, ids[i]);
        buf_char(&text, '\n');
    }
    free(ids);
    hash_sha256(buf_cstr(&text), text.length, &digest);
    hash_hex(digest.bytes, 16, out);
}
