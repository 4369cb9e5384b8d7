#pragma once
/* Azure drawn at random, for the model of the ledger: what two sources say of 18 findings in three
 * subscriptions, step by step. */
#include "ledger_world.h"

enum { FINDINGS = 18, SUBSCRIPTIONS = 3, KEYS = 6, STEPS = 30, HISTORIES = 60, SOURCES = 2 };
enum { STALE_AFTER = 4 }; /* of collections, each a second after the other */

static const char *const keys[SOURCES] = { "assessments", "baselines" };
static const enum risk_level risks[] = { RISK_CRITICAL, RISK_HIGH, RISK_LOW };
static const int64_t slas_s[RISK_COUNT] = { [RISK_CRITICAL] = 100, [RISK_HIGH] = 900 };

static inline const struct source *source_of(int source)
{
    return source_list_find(test_sources(), keys[source]);
}

/* Whether a row of a finding that is not open names its recommendation. */
static inline bool names_key(unsigned finding)
{
    return finding % 2;
}

/* Show another world the same, without a share in it. */
static inline void share(struct snapshot *snapshot, const struct snapshot *with)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        snapshot->parts[i] = with->parts[i];
        snapshot->status[i] = with->status[i];
    }
}

/* --- Azure, drawn at random ------------------------------------------------------------------- */
enum cover { COVERED, CARRIED, UNCOVERED };

struct told {
    bool open, closed;
    enum risk_level risk;
    enum finding_reason reason;
    enum proof_answer proof; /* an answer about it came */
    int64_t date;            /* of its status; 0 = none */
};

/* One source at one step. */
struct collection {
    bool published; /* a new part; else the run failed or nothing ran */
    bool failed, dropped, truncated;
    enum cover cover[SUBSCRIPTIONS];
    struct told findings[FINDINGS];
};

static inline unsigned draw(uint64_t *state, unsigned below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33) % below;
}

static inline unsigned subscription_of(unsigned finding)
{
    return finding % SUBSCRIPTIONS;
}

static inline unsigned key_of(unsigned finding)
{
    return finding / SUBSCRIPTIONS % KEYS;
}

/* Mostly as before: a history in which everything jumps has nothing "in a row". */
static inline void draw_collection(struct collection *next, int64_t now, uint64_t *state)
{
    const int64_t dates[] = { 0, now + 500, now - 50, now - 400, now - 5000 };
    unsigned kind = draw(state, 20);
    next->published = kind < 15;
    next->failed = kind >= 13 && kind < 18;
    next->dropped = kind == 17;
    next->truncated = draw(state, 12) == 0;
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++)
        if (draw(state, 8) == 0)
            next->cover[i] = draw(state, 2) ? COVERED : (enum cover)draw(state, 3);
    for (unsigned i = 0; i < FINDINGS; i++) {
        struct told *told = &next->findings[i];
        told->proof = (enum proof_answer)(draw(state, 3) ? 0 : draw(state, PROOF_DELETED + 1));
        if (draw(state, 4))
            continue;
        unsigned what = draw(state, 5);
        *told = (struct told){ .open = what < 2,
                               .closed = what == 2,
                               .risk = risks[draw(state, ARRAY_COUNT(risks))],
                               .reason = (enum finding_reason)draw(state, REASON_RESOURCE_DELETED),
                               .proof = told->proof,
                               .date = draw(state, 3) ? told->date
                                                      : dates[draw(state, ARRAY_COUNT(dates))] };
    }
}

static inline void name_of(unsigned finding, char out[8])
{
    snprintf(out, 8, "f%02u", finding % 100);
}

/* What a part says of a finding: nothing where nothing was read, old rows where it is carried. */
static inline struct told row_of(const struct collection *collection, unsigned finding)
{
    struct told told = collection->findings[finding];
    enum cover cover = collection->cover[subscription_of(finding)];
    if (cover == UNCOVERED)
        told = (struct told){ .proof = told.proof };
    if (cover == CARRIED)
        told.closed = false;
    return told;
}

static inline void publish(struct world *world, const struct source *source,
                    const struct collection *collection)
{
    static const char *const ids[SUBSCRIPTIONS] = { "s0", "s1", "s2" };
    world->snapshot->status[source->index].attempted = true;
    if (collection->published) {
        struct part *part = part_create(source);
        for (unsigned i = 0; i < SUBSCRIPTIONS; i++) {
            if (collection->cover[i] == COVERED)
                part_add_cover(part, ids[i], 1);
            else if (collection->cover[i] == CARRIED)
                part_add_carried(part, ids[i], 1, "access denied", 1);
            else
                part_see(part, ids[i]);
        }
        for (unsigned i = 0; i < FINDINGS; i++) {
            char name[8], key[8];
            struct told told = row_of(collection, i);
            name_of(i, name);
            snprintf(key, sizeof key, "key%u", key_of(i) % 10);
            if (told.open)
                world_open_since(part, name, key, ids[subscription_of(i)], told.risk, told.date);
            else if (told.closed)
                part_add_closed_row(part, &(struct part_closed_row){ "", name, told.reason,
                                                                     CLOUD_AZURE, told.date });
            if (told.closed && names_key(i))
                intern_put(&part->known, key, strlen(key));
            struct finding_id id = finding_id(source, name, strlen(name));
            if (told.proof != PROOF_NOT_ASKED)
                proof_answers_add(&part->proofs, &id, told.proof);
        }
        part->truncated = collection->truncated;
        world_publish(world, part);
    } else if (collection->dropped) {
        part_release(world->snapshot->parts[source->index]);
        world->snapshot->parts[source->index] = NULL;
    }
    if (collection->failed)
        world_fail(world, source);
}
