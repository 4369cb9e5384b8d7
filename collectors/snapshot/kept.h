#pragma once
/* Rows of a collector's own structs, as a part keeps them: added, found by kind, rewound, freed.
 * Collectors declare kinds here and add rows through part.h, which knows the subscriptions. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/snapshot/finding.h"
#include "core/compiler.h"
#include "core/intern.h"

enum { KEPT_KINDS_MAX = 8, KEPT_TEXTS_MAX = 12, KEPT_STRUCT_MAX = 512 };

/* One struct a collector keeps per subscription, described once:
 *   static const struct kept_kind scores = {
 *       KEPT_ROWS(struct score), .texts = { KEPT_TEXT(struct score, initiative) },
 *   };
 *   static const struct kept_kind counts = { KEPT_COUNTS(struct count) };
 * KEPT_ROWS: any number of rows a subscription; the first member is `const char *subscription_id`,
 * which the part fills in. KEPT_COUNTS: one struct of numbers a subscription, zeroed when new.
 * KEPT_BY: rows are also found by the finding they are about, or by another id made as those are.
 */
struct kept_kind {
    size_t bytes;
    bool is_count, is_found;
    size_t found_by; /* offset of a struct finding_id */
    struct kept_text {
        const char *member; /* NULL ends the list */
        size_t offset;
    } texts[KEPT_TEXTS_MAX + 1]; /* members that are texts, but for subscription_id; never NULL */
};

/* clang-format off */
#define KEPT_SIZE(type) \
    (sizeof(type) + CHECKED_ZERO(sizeof(type) <= KEPT_STRUCT_MAX, \
                                 #type " is larger than KEPT_STRUCT_MAX"))
#define KEPT_ROWS(type) \
    .bytes = KEPT_SIZE(type) + CHECKED_ZERO(!MEMBER_OFFSET(type, subscription_id, const char *), \
                                            #type ".subscription_id must be the first member")
#define KEPT_COUNTS(type) .bytes = KEPT_SIZE(type), .is_count = true
#define KEPT_BY(type, name) \
    .is_found = true, .found_by = MEMBER_OFFSET(type, name, struct finding_id)
#define KEPT_TEXT(type, name) { #name, MEMBER_OFFSET(type, name, const char *) }
/* clang-format on */

struct kept_table {
    const struct kept_kind *kind;
    char *bytes;
    size_t count, capacity; /* counts: one a place, up to the last that was asked for */
    uint32_t *saved_at;     /* counts: the mark a place was last saved for */
    uint32_t *order;        /* KEPT_BY, sealed: rows by their ids, of equal ones as they came */
};

/* All rows and counts of a part. Zeroed is ready to use. */
struct kept_rows {
    struct kept_table tables[KEPT_KINDS_MAX];
    size_t table_count;
    struct kept_saved *saved; /* counts as they stood at a mark, newest first */
    uint32_t marks;           /* taken and gone back to, so far */
};

/* Add a copy of a row; its texts go into strings. subscription_id: lives as long as kept. */
void kept_add(struct kept_rows *kept, const struct kept_kind *kind, const char *subscription_id,
              const void *row, struct intern *strings);

/* Those of one kind in the order they came; NULL and 0 when there are none. */
void *kept_all(const struct kept_rows *kept, const struct kept_kind *kind, size_t *count);

/* Where in kept_all the rows of a KEPT_BY kind are that came with this id, in the order they came;
 * NULL and 0 when there are none. Sealed rows. */
const uint32_t *kept_places(const struct kept_rows *kept, const struct kept_kind *kind,
                            const struct finding_id *id, size_t *count);

/* The last of them; NULL when there is none. */
const void *kept_find(const struct kept_rows *kept, const struct kept_kind *kind,
                      const struct finding_id *id);

/* The counts at a place, to be changed; until the next call. */
void *kept_count(struct kept_rows *kept, const struct kept_kind *kind, size_t place);

/* The same, to be read: zeros where nothing was counted. */
const void *kept_counted(const struct kept_rows *kept, const struct kept_kind *kind, size_t place);

/* Where all rows stand. Going back forgets rows added since, and counts are what they were. */
struct kept_mark {
    size_t counts[KEPT_KINDS_MAX];
    const struct kept_saved *saved;
};
struct kept_mark kept_mark(struct kept_rows *kept);
void kept_rewind(struct kept_rows *kept, const struct kept_mark *mark);

/* Replace rows and counts of one subscription by those of `older`, or by none when that is NULL. */
struct kept_subscription {
    const char *subscription_id; /* lives as long as kept */
    size_t place, older_place;   /* of its counts, in either */
};
void kept_carry(struct kept_rows *kept, const struct kept_rows *older,
                const struct kept_subscription *subscription, struct intern *strings);

/* A copy of sealed rows, texts excepted: they live where they are. */
struct kept_rows kept_copy(const struct kept_rows *kept);

/* Nothing is gone back to any more, and rows are found by their ids. */
void kept_seal(struct kept_rows *kept);

/* Give everything back. Takes a zeroed one. */
void kept_finish(struct kept_rows *kept);
