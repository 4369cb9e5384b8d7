#pragma once
/* What one collector found in one run: open findings in compact form, rows that are explicitly not
 * open, the subscriptions it speaks for, and the collector's own rows and counts. Built by one
 * thread, immutable once published.
 *
 * A collector only adds. What a list brought that broke in the middle is taken back here, what
 * cannot be read any more is carried over from an older part here: findings, rows and counts. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/snapshot/finding.h"
#include "collectors/snapshot/kept.h"
#include "collectors/snapshot/odd.h"
#include "collectors/snapshot/proof.h"
#include "core/arena.h"
#include "core/error.h"
#include "core/intern.h"

/* An assessment (recommendation) as the rows of one part name it. */
struct part_assessment {
    const char *id, *title, *category, *type; /* in the part's strings; "" when unknown */
    enum severity severity;
    enum finding_model model;
};

/* Where a resource is from; many share one. */
struct part_origin {
    enum cloud_kind cloud;
    const char *scope; /* id of the connector, "" = of the subscription itself */
    const char *connector, *account, *location; /* connector: its name; part_resource_seal */
};

/* An open finding, compact: 72 bytes, texts as numbers of part.strings. */
struct part_finding {
    struct finding_id id;
    uint32_t assessment; /* index into part.assessments */
    uint32_t subscription, group, type, risk_factors;
    uint32_t reason_phrase;
    uint32_t middle;   /* id between the group and the last segment: "/providers/ns/type" */
    uint32_t resource; /* its number, below part.resource_count: the same id, the same number */
    const char *name; /* the last segment, or the whole id when it is no ARM id; outside Azure two
                         texts follow: the resource's own name and its native id */
    uint32_t first_seen_at, changed_at; /* Unix seconds */
    uint16_t attack_paths;
    uint16_t origin; /* below CLOUD_COUNT the cloud, nothing else known; see part_origin */
    uint8_t risk, severity;
    bool contextual, internet_exposed;
};

/* Resources by their ids, while a part is built. */
struct part_numbering {
    struct part_numbered *entries; /* by number */
    size_t capacity;
    uint32_t *slots; /* open addressing: 1 + number */
    uint32_t slot_count;
    uint32_t last; /* the number given last: rows of one resource come together */
};

/* A row that is explicitly not open, and why. */
struct part_closed {
    struct finding_id id;
    uint32_t place;      /* of its subscription in part.cover */
    uint32_t changed_at; /* Unix seconds: since when it is not open; 0 = not told */
    uint8_t reason;      /* enum finding_reason */
    uint8_t cloud;       /* enum cloud_kind */
};

/* A subscription this part speaks for. Absence means something only inside the cover, and not where
 * there are gaps. */
struct part_cover {
    const char *subscription_id; /* lower case */
    bool empty;                  /* no rows came of it: there is nothing to lose */
    bool silent;                 /* nor does Azure show that they could have come */
    int64_t collected_at;        /* older than the part's when carried over; 0 = not covered */
    const char *reason;          /* why it is carried; NULL otherwise */
    bool carried;                /* not readable: its last data are shown, resolve nothing; with
                                    collected_at 0 there are none that could be shown */
    int64_t carried_at;          /* run that first had to carry it over */
    bool gaps;                   /* an odd row may have been any of it, or it is silent: absence
                                    says nothing */
    int64_t gaps_at;             /* first of the runs in a row with gaps; 0 = none */
};

struct part {
    atomic_int references;
    const struct source *source; /* as it was when the part was made: the list may be another */
    uint64_t generation;         /* of the store when published; 0 before */
    int64_t collected_at;
    size_t rows;
    bool summary;   /* counted by Azure: it says nothing of findings, neither that they are there
                       nor that they are not */
    bool truncated; /* Azure cut something we could only count: reported, never hidden */
    unsigned clouds_out; /* clouds of which nothing is looked at, a bit each */
    const char *limited; /* of what there is more than may be shown, in words; NULL = of nothing */
    struct arena arena;
    struct intern strings;
    struct intern known; /* recommendations that rows told of, open or not, those of lists that
                            broke, too: keys in lower case; of individual ones their category */
    struct intern assessment_ids; /* number n is assessments[n - 1] */
    struct part_assessment *assessments;
    size_t assessment_count, assessment_capacity;
    struct intern origin_keys; /* number n is origins[n - 1] */
    struct part_origin *origins;
    size_t origin_count, origin_capacity;
    struct intern scopes;          /* ids of the connectors that rows came of, open or not */
    struct part_finding *findings; /* sorted by id after part_seal */
    size_t finding_count, finding_capacity;
    uint32_t resource_count; /* of findings, those that others replaced or lost included */
    struct part_numbering numbering;
    struct part_closed *closed; /* sorted by id after part_seal */
    size_t closed_count, closed_capacity;
    struct finding_id *frozen; /* of which only odd rows came; sorted after part_settle */
    size_t frozen_count, frozen_capacity;
    bool gaps; /* an odd row says not even of which subscription it is */
    struct odd_rows odd;
    struct intern cover_ids;  /* number n is cover[n - 1] */
    struct part_cover *cover; /* in the order the subscriptions were first seen */
    size_t cover_count, cover_capacity;
    struct proof_answers proofs;   /* about findings that are not in it */
    struct kept_rows kept;         /* of the collector's own structs */
    void *own;                     /* what else it keeps: part_own */
    void (*own_finish)(void *own); /* NULL when own lives in the arena */
    struct part *base; /* whose memory it shares but for findings, cover and kept: part_without.h */
};

/* Whether nothing of a cloud is looked at: then there is no 0 of it. */
static inline bool part_is_out(const struct part *part, enum cloud_kind cloud)
{
    return part->clouds_out >> cloud & 1U;
}

/* A new, empty part with one reference, not yet visible to anybody. */
struct part *part_create(const struct source *source);

/* The collector's own data, zeroed when new; finish frees it with the part. Nobody takes back what
 * a broken list left in it, and nobody carries it over: what is told per subscription belongs into
 * rows and counts. */
void *part_own(struct part *part, size_t bytes, void (*finish)(void *own));

/* The text, kept as long as the part; equal texts are kept once. */
const char *part_keep(struct part *part, const char *text);
const char *part_keep_lower(struct part *part, const char *text);

/* What a row says of one resource; texts are borrowed. */
struct part_row {
    const char *row_id; /* the finding's identity; for ARM rows the assessment's own id */
    const char *assessment_id, *title, *category, *assessment_type;
    const char *subscription_id, *resource_id;
    const char *resource_type; /* "" = made from the resource id */
    const char *risk_factors;  /* joined with "," */
    enum risk_level risk;
    enum severity severity;
    bool contextual;
    int64_t attack_paths, first_seen_at, changed_at;
    /* Of a resource outside Azure; NULL = "". The connector is in the resource id. */
    enum cloud_kind cloud;
    const char *account, *native_id, *location;
    const char *resource_name; /* "" = the last segment of the resource id */
    enum finding_model model;
    const char *reason_phrase; /* of a rule of a baseline, of a row of a query; NULL = none */
};

/* Add an open finding. Ids may have any case and are kept in lower case; the other texts are copied
 * as they are. The order of calls means nothing. Of one row_id twice in a part the worse holds:
 * open before closed, then the worse risk. The first row of an assessment gives its title, category
 * and severity. */
void part_add_open(struct part *part, const struct part_row *row);

/* Say that the finding of this row_id (any case) is not open, and why: it resolves at once, without
 * waiting for a second run as one that is merely absent does. */
void part_add_closed(struct part *part, const char *subscription_id, const char *row_id,
                     enum finding_reason reason);

/* The same with all that is known of it; texts are borrowed. */
struct part_closed_row {
    const char *subscription_id, *row_id;
    enum finding_reason reason;
    enum cloud_kind cloud;
    int64_t changed_at; /* since when; 0 = not told */
};
void part_add_closed_row(struct part *part, const struct part_closed_row *row);

/* Say of open findings of a settled part that they are not open after all. closing: one a finding,
 * in their order. */
void part_close(struct part *part, const bool *closing, enum finding_reason reason);

/* Say that the row of this row_id (any case) is odd: unless another row tells of it, the finding is
 * not opened and not resolved, and shown as the older part has it. subscription_id: "" = unknown.
 */
void part_freeze(struct part *part, const char *subscription_id, const char *row_id);

/* Say that an odd row may have been any of this subscription, or of any when it is "": nothing is
 * concluded from absence there. */
void part_add_gap(struct part *part, const char *subscription_id);

/* Whether part_add_gap was called for the subscription at this place, or for all. */
bool part_has_gap(const struct part *part, size_t place);

/* All rows have come: of those of one id the worse is left, and what is frozen is taken from the
 * older part (NULL = none). To be called before anything is counted or carried over. */
void part_settle(struct part *part, const struct part *older);

/* Whether only odd rows came of a finding. After part_settle. */
bool part_is_frozen(const struct part *part, const struct finding_id *id);

/* Add a copy of a row of the collector's own struct. subscription_id (any case, "" = "unknown") is
 * set as its first member, in lower case; its texts are copied and live as long as the part.
 * kind: static, the same pointer in every run. */
void part_add_row(struct part *part, const struct kept_kind *kind, const char *subscription_id,
                  const void *row);

/* All rows of one kind in the order they came, those carried over last; NULL and 0 when there are
 * none or part is NULL. */
const void *part_rows(const struct part *part, const struct kept_kind *kind, size_t *count);

/* Where in part_rows those are that came with this id (KEPT_BY), in the order they came; NULL and 0
 * when there are none or part is NULL. After part_seal. */
static inline const uint32_t *part_places_of(const struct part *part, const struct kept_kind *kind,
                                             const struct finding_id *id, size_t *count)
{
    *count = 0;
    return part ? kept_places(&part->kept, kind, id, count) : NULL;
}

/* The last of them; NULL when there is none or part is NULL. */
static inline const void *part_row_of(const struct part *part, const struct kept_kind *kind,
                                      const struct finding_id *id)
{
    return part ? kept_find(&part->kept, kind, id) : NULL;
}

/* The counts of a subscription (any case), zeroed when new, to be added to at once: the next call
 * may move them. */
void *part_count(struct part *part, const struct kept_kind *kind, const char *subscription_id);

/* The counts of the subscription at a place in part->cover; zeros when nothing was counted. */
const void *part_counted(const struct part *part, const struct kept_kind *kind, size_t place);

/* Say that a row of this subscription has arrived, one that adds no open finding, row or count.
 * Returns its place in part->cover, which never changes. */
size_t part_see(struct part *part, const char *subscription_id);

/* Whether a row arrived of the subscription at this place, and its list did not break. */
bool part_is_seen(const struct part *part, size_t place);

/* Say that the part speaks for this subscription. collected_at: 0 = it does not, after all. */
void part_add_cover(struct part *part, const char *subscription_id, int64_t collected_at);

/* Say that it shows data carried over from an older run; collected_at 0 = that it could not be read
 * and nothing is left to show. */
void part_add_carried(struct part *part, const char *subscription_id, int64_t collected_at,
                      const char *reason, int64_t carried_at);

/* Where the part stands before a list is read. part_rewind takes back all that was added since:
 * findings, closed rows, own rows, counts, subscriptions seen; texts and part_own stay. Marks may
 * nest; a mark is worth nothing after going back to an earlier one. */
struct part_mark {
    size_t findings, closed, frozen, rows;
    bool truncated, gaps;
    struct odd_rows odd;
    struct kept_mark kept;
};
struct part_mark part_mark(struct part *part);
void part_rewind(struct part *part, struct part_mark mark);

/* Sort findings and closed rows; nothing can be added any more. Closed rows give way to findings.
 */
void part_seal(struct part *part);

/* Replace what the part has of one subscription (lower case), findings, rows and counts, by what a
 * sealed older part has of it, or by nothing when older is NULL. Before part_seal; the cover is the
 * caller's. */
void part_carry(struct part *part, const struct part *older, const char *subscription_id);

/* The cover entry of a subscription (lower case), or NULL when the part does not speak for it. */
const struct part_cover *part_cover_find(const struct part *part, const char *subscription_id);

/* Whether the subscription (lower case) could not be read, with data to carry over or without. */
bool part_is_unread(const struct part *part, const char *subscription_id);

/* For every number of part->strings the place in the cover of the subscription it names, 0 for all
 * others: to count findings per subscription in one pass. The caller frees it. */
uint32_t *part_places(const struct part *part);

/* Add finding number `index` of an older part as that has it. */
void part_add_again(struct part *part, const struct part *older, size_t index);

/* Position of an id among the open findings, or -1. */
ptrdiff_t part_find(const struct part *part, const struct finding_id *id);

/* The row of an id among those that are explicitly not open, or NULL. */
const struct part_closed *part_find_closed(const struct part *part, const struct finding_id *id);

/* Fill a view of finding number `index`, without its resource_id: "". All texts live as long as the
 * part, and of one part those that repeat are equal when their addresses are. */
void part_outline(const struct part *part, size_t index, struct finding *view);

/* The same with the resource_id, which is written to scratch. */
enum { PART_ID_BYTES = 2048 };
void part_view(const struct part *part, size_t index, struct finding *view,
               char scratch[PART_ID_BYTES]);

void part_acquire(struct part *part);
void part_release(struct part *part); /* NULL is fine */
