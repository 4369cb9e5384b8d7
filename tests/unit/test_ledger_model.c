/* ledger: random histories against a naive model, kept beside three ledgers: one that
 * runs on, one that is closed and opened again before every step, and one whose every step is
 * rolled back first. */
#include "ledger_random.h"

/* --- the model -------------------------------------------------------------------------------- */
struct life {
    bool open, quiet;
    int64_t absent_at; /* collection; 0 = seen */
    unsigned episode;
    int reason;
    enum risk_level risk;
    int64_t opened_at, seen_at, date, resolved_at, overdue_at;
    int64_t ran_before_s; /* of its SLA, before an exemption */
};

struct model {
    struct ledger_config config;
    int64_t now, collections;
    struct buf told;
    struct {
        bool adopted, keys[KEYS];
        struct {
            bool known, gone, waits; /* waits: to be told of */
            int64_t at;
        } subscriptions[SUBSCRIPTIONS];
        int cover; /* bits of the covered ones; -1 = none yet */
        struct life lives[FINDINGS];
    } sources[SOURCES];
    unsigned opened[SUBSCRIPTIONS][RISK_COUNT], reopened[SUBSCRIPTIONS][RISK_COUNT];
    unsigned resolved[SUBSCRIPTIONS][RISK_COUNT];
};

static int64_t start_of(const struct model *model, const struct life *life)
{
    return model->config.sla_from == LEDGER_SLA_SEEN ? life->seen_at : life->opened_at;
}

static int64_t due_at(const struct model *model, const struct life *life)
{
    int64_t sla_s = slas_s[life->risk];
    return sla_s ? start_of(model, life) + sla_s - life->ran_before_s : 0;
}

static bool is_over(const struct model *model, const struct life *life)
{
    return due_at(model, life) && due_at(model, life) <= model->now;
}

/* Assessments say when their status changed, baselines do not. */
static int64_t believed(int source, int64_t date, int64_t now)
{
    return source == 0 && date <= now ? date : 0;
}

static int64_t later(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

/* The line world_print and print_times make of the same event. */
static void tell(struct model *model, int source, unsigned finding, enum event_kind kind,
                 const struct life *life, enum risk_level before, int reason, int64_t at)
{
    char name[8];
    name_of(finding, name);
    buf_printf(&model->told, "%s%s %s/%u %s", life->quiet ? "quiet " : "",
               event_word(kind, source_of(source), reason), name, life->episode,
               finding_risk_words[life->risk]);
    if (before != life->risk)
        buf_printf(&model->told, " from %s", finding_risk_words[before]);
    if (reason >= 0)
        buf_printf(&model->told, " %s", finding_reason_words[reason]);
    buf_printf(&model->told, " at %lld opened %lld due %lld\n", (long long)at,
               (long long)life->opened_at, (long long)due_at(model, life));
}

static void tell_other(struct model *model, enum event_kind kind, const char *subject,
                       unsigned count)
{
    buf_printf(&model->told, "%s %s %u at %lld opened 0 due 0\n", event_kind_words[kind], subject,
               count, (long long)model->now);
}

static void model_open(struct model *model, int source, unsigned finding, const struct told *row,
                       bool adopting, bool ruled)
{
    struct life *life = &model->sources[source].lives[finding];
    const struct life past = *life;
    enum risk_level risk = row->risk;
    int reason = past.episode ? past.reason : -1;
    int64_t seen_at = later(model->now, past.resolved_at);
    int64_t date = believed(source, row->date, seen_at);
    *life = (struct life){
        .open = true,
        .episode = past.episode + 1,
        .risk = risk,
        .seen_at = seen_at,
        .opened_at = date ? date : seen_at,
        .date = row->date,
        .quiet = adopting ? model->config.first_run != LEDGER_FIRST_ALL : ruled,
    };
    if (reason == REASON_EXEMPTED) {
        int64_t ran_s = later(0, past.resolved_at - start_of(model, &past) + past.ran_before_s);
        int64_t exempt_s =
            start_of(model, life) < past.resolved_at ? seen_at - start_of(model, life) : 0;
        life->ran_before_s = ran_s - exempt_s;
    } else if (reason >= REASON_RESOURCE_DELETED && date && date == past.date &&
               date == past.opened_at) { /* out of sight: it is due when it was */
        life->ran_before_s = past.ran_before_s + start_of(model, life) - start_of(model, &past);
    }
    if (life->quiet && is_over(model, life))
        life->overdue_at = model->now;
    if (adopting && life->quiet)
        return;
    (life->episode == 1 ? model->opened : model->reopened)[subscription_of(finding)][risk]++;
    tell(model, source, finding, life->episode == 1 ? EVENT_OPENED : EVENT_REOPENED, life, risk,
         reason, life->seen_at);
}

static void model_resolve(struct model *model, int source, unsigned finding, int reason,
                          int64_t date)
{
    struct life *life = &model->sources[source].lives[finding];
    life->open = false;
    life->absent_at = 0;
    life->reason = reason;
    int64_t at = later(model->now, life->seen_at), ended_at = believed(source, date, at);
    life->resolved_at = later(ended_at ? ended_at : at, life->opened_at);
    if (reason != REASON_NO_LONGER_ASSESSED)
        model->resolved[subscription_of(finding)][life->risk]++;
    if (!life->quiet)
        tell(model, source, finding, EVENT_RESOLVED, life, life->risk, reason, at);
}

static void model_date(const struct model *model, int source, struct life *life, int64_t date)
{
    if (source != 0 || !date || date == life->date)
        return;
    life->date = date;
    if (date > model->now)
        return;
    if (date > life->seen_at) {
        life->seen_at = model->now;
        life->ran_before_s = 0;
    }
    life->opened_at = date;
    if (!life->overdue_at && is_over(model, life))
        life->overdue_at = model->now;
}

static void model_again(struct model *model, int source, unsigned finding, const struct told *row)
{
    struct life *life = &model->sources[source].lives[finding];
    enum risk_level before = life->risk, risk = row->risk;
    model_date(model, source, life, row->date);
    if (before == risk)
        return;
    life->risk = risk;
    life->quiet = false;
    tell(model, source, finding, EVENT_RISK_CHANGED, life, before, -1,
         later(model->now, life->seen_at));
}

/* Which recommendations are told by one digest. */
static void model_rulers(struct model *model, int source, const struct collection *collection,
                         bool adopting, const bool fresh[SUBSCRIPTIONS], bool ruled[KEYS])
{
    for (unsigned key = 0; key < KEYS; key++) {
        unsigned count = 0, where = 0;
        bool any = false;
        for (unsigned i = 0; i < FINDINGS; i++)
            if (key_of(i) == key && row_of(collection, i).open &&
                collection->cover[subscription_of(i)] == COVERED) {
                any = true;
                count += !fresh[subscription_of(i)];
                where |= fresh[subscription_of(i)] ? 0 : 1u << subscription_of(i);
            }
        ruled[key] = !adopting && !model->sources[source].keys[key] &&
                     __builtin_popcount(where) >= model->config.ruler_subscriptions;
        if (ruled[key]) {
            char name[8];
            snprintf(name, sizeof name, "key%u", key % 10);
            tell_other(model, EVENT_RULER_CHANGED, name, count);
        }
        for (unsigned i = 0; i < FINDINGS; i++)
            any |= key_of(i) == key && row_of(collection, i).closed && names_key(i);
        if (any)
            model->sources[source].keys[key] = true;
    }
}

/* Which subscriptions are adopted now, each once. */
static void model_adopt(struct model *model, int source, const struct collection *collection,
                        bool fresh[SUBSCRIPTIONS])
{
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++) {
        bool covered = collection->cover[i] == COVERED;
        bool known = model->sources[source].subscriptions[i].known;
        fresh[i] = covered && !known && model->sources[source].adopted;
        if (covered)
            model->sources[source].subscriptions[i].gone = false;
        else if (known && collection->cover[i] == UNCOVERED && !collection->failed)
            model->sources[source].subscriptions[i].gone = true;
        if (!covered || known)
            continue;
        model->sources[source].subscriptions[i].known = true;
        model->sources[source].subscriptions[i].at = model->now;
        model->sources[source].subscriptions[i].waits =
            fresh[i] && model->config.first_run == LEDGER_FIRST_SUMMARY;
    }
}

/* Those that every source has adopted are told of together. */
static void model_watch(struct model *model)
{
    static const char *const names[] = { "",   "s0",        "s1",        "s0 and s1",
                                         "s2", "s0 and s2", "s1 and s2", "s0, s1 and s2" };
    unsigned count = 0, told = 0;
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++) {
        bool waits = false, ready = true, late = false;
        for (int source = 0; source < SOURCES; source++) {
            bool here = model->sources[source].subscriptions[i].waits;
            waits |= here;
            late |= here && model->now - model->sources[source].subscriptions[i].at >= 3600;
            ready &=
                !model->sources[source].adopted || (model->sources[source].subscriptions[i].known &&
                                                    !model->sources[source].subscriptions[i].gone);
        }
        if (!waits || (!ready && !late))
            continue;
        told |= 1u << i;
        for (int source = 0; source < SOURCES; source++) {
            model->sources[source].subscriptions[i].waits = false;
            for (unsigned n = i; n < FINDINGS; n += SUBSCRIPTIONS)
                count += model->sources[source].lives[n].open;
        }
    }
    if (told)
        tell_other(model, EVENT_FIRST_RUN, names[told], count);
}

/* Whose open findings lack their rows for the most part, five at least, or all of the source. A
 * day, after which that is over, no history lasts. */
static void model_thinned(const struct model *model, int source,
                          const struct collection *collection, bool thinned[SUBSCRIPTIONS])
{
    unsigned open[SUBSCRIPTIONS] = { 0 }, lost[SUBSCRIPTIONS] = { 0 }, all = 0, all_lost = 0;
    for (unsigned i = 0; i < FINDINGS; i++) {
        struct told row = row_of(collection, i);
        bool is_open = model->sources[source].lives[i].open;
        bool is_lost = is_open && !row.open && !row.closed;
        open[subscription_of(i)] += is_open;
        lost[subscription_of(i)] += is_lost;
        all += is_open;
        all_lost += is_lost;
    }
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++)
        thinned[i] =
            all_lost >= 5 && (all_lost > all / 2 || (lost[i] >= 5 && lost[i] > open[i] / 2));
}

static void model_merge(struct model *model, int source, const struct collection *collection)
{
    bool thinned[SUBSCRIPTIONS];
    bool ruled[KEYS], fresh[SUBSCRIPTIONS], adopting = !model->sources[source].adopted;
    int cover = 0;
    unsigned adopted = 0;
    for (unsigned i = 0; i < SUBSCRIPTIONS; i++)
        cover |= collection->cover[i] == COVERED ? 1 << i : 0;
    bool complete =
        !collection->failed && !collection->truncated && cover == model->sources[source].cover;
    model_adopt(model, source, collection, fresh);
    model_rulers(model, source, collection, adopting, fresh, ruled);
    model_thinned(model, source, collection, thinned);
    for (unsigned i = 0; i < FINDINGS; i++) {
        struct life *life = &model->sources[source].lives[i];
        struct told row = row_of(collection, i);
        enum cover where = collection->cover[subscription_of(i)];
        bool counts = complete && where == COVERED;
        bool is_late = life->absent_at && model->collections - life->absent_at > STALE_AFTER &&
                       !thinned[subscription_of(i)];
        if (where == CARRIED && !(row.open && life->open))
            continue;
        if (row.open)
            life->absent_at = 0;
        if (where == CARRIED)
            continue;
        if (row.open && life->open) {
            model_again(model, source, i, &row);
        } else if (row.open) {
            adopted++;
            model_open(model, source, i, &row, adopting || fresh[subscription_of(i)],
                       ruled[key_of(i)]);
        } else if (!life->open && row.closed && life->episode && life->reason == REASON_EXEMPTED &&
                   row.reason != REASON_EXEMPTED) { /* fixed since then */
            int64_t ended_at = believed(source, row.date, model->now);
            life->reason = row.reason;
            life->resolved_at = later(ended_at ? ended_at : model->now, life->opened_at);
        } else if (life->open && row.closed) {
            model_resolve(model, source, i, row.reason, row.date);
        } else if (life->open && row.proof == PROOF_DELETED) {
            model_resolve(model, source, i, REASON_RESOURCE_DELETED, 0);
        } else if (life->open && counts && is_late) {
            model_resolve(model, source, i, REASON_NO_LONGER_ASSESSED, 0);
        } else if (life->open && counts && !life->absent_at) {
            life->absent_at = model->collections;
        }
    }
    if (adopting && adopted && model->config.first_run == LEDGER_FIRST_SUMMARY)
        tell_other(model, EVENT_FIRST_RUN, keys[source], adopted);
    model->sources[source].adopted = true;
    model->sources[source].cover = cover;
}

static void model_advance(struct model *model, const struct collection *collections)
{
    buf_reset(&model->told);
    for (int source = 0; source < SOURCES; source++) {
        model->collections += collections[source].published;
        if (collections[source].published)
            model_merge(model, source, &collections[source]);
    }
    model_watch(model);
    for (int source = 0; source < SOURCES; source++)
        for (unsigned i = 0; i < FINDINGS; i++) {
            struct life *life = &model->sources[source].lives[i];
            bool over = is_over(model, life);
            int64_t due = due_at(model, life);
            if (life->open && over && !life->overdue_at) {
                life->overdue_at = model->now;
                life->quiet = false;
                tell(model, source, i, EVENT_OVERDUE, life, life->risk, -1, model->now);
            } else if (life->open && !over && life->overdue_at &&
                       (!due || due > life->overdue_at)) {
                life->overdue_at = 0;
                if (!life->quiet)
                    tell(model, source, i, EVENT_NO_LONGER_OVERDUE, life, life->risk, -1,
                         model->now);
            }
        }
    if (model->told.length)
        world_sort_lines(&model->told);
}

/* --- comparing -------------------------------------------------------------------------------- */

/* What a ledger told, in the model's words. */
static void print_told(const struct world *world, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < world->events.count; i++) {
        const struct event *event = &world->events.events[i];
        world_print(event, out);
        out->length--; /* its line break */
        buf_printf(out, " at %lld opened %lld due %lld\n", (long long)event->at,
                   (long long)event->opened_at, (long long)event->due_at);
    }
    if (out->length)
        world_sort_lines(out);
}

static void check_told(struct world *world, const struct model *model)
{
    CLEANUP(buf_finish) struct buf told = { 0 };
    world_advance(world);
    print_told(world, &told);
    CHECK_TEXT(buf_cstr(&told), buf_cstr(&model->told));
}

static void check_counters(struct world *world, const char *family,
                           const unsigned counts[SUBSCRIPTIONS][RISK_COUNT])
{
    const char *figures = world_figures(world, family);
    for (int subscription = 0; subscription < SUBSCRIPTIONS; subscription++)
        for (int risk = 0; risk < RISK_COUNT; risk++) {
            char line[64];
            snprintf(line, sizeof line, "s%d %s %u\n", subscription, finding_risk_words[risk],
                     counts[subscription][risk]);
            if (counts[subscription][risk])
                CHECK_CONTAINS(figures, line);
        }
}

/* Everything in the tables that decides. */
static void dump(struct world *world, struct buf *out)
{
    static const char *const queries[] = {
        "SELECT hex(id) || is_open || '|' || reason || '|' || absent_at || '|' || episode || quiet "
        "|| '|' ||"
        " risk || '|' || opened_at || '|' || seen_at || '|' || spent_s || '|' || changed_at || '|' "
        "||"
        " resolved_at || '|' || overdue_at FROM ledger_finding"
        " ORDER BY id",
        "SELECT sequence || kind || coalesce(hex(finding_id), '') || at || '|' || episode || '|' ||"
        " risk || risk_before || reason || quiet || detail FROM ledger_event ORDER BY sequence",
        "SELECT family || labels || bucket || '|' || value FROM ledger_counter"
        " ORDER BY family, labels, bucket",
        "SELECT family || labels || '|' || histogram FROM ledger_histogram ORDER BY family, labels",
        "SELECT key || value FROM store ORDER BY key",
        "SELECT source || id FROM ledger_assessment ORDER BY source, id",
        "SELECT source || key || at FROM ledger_seen ORDER BY source, key",
        "SELECT source || tenant || subscription_id || at || '|' || gone_at || '|' || told"
        " FROM ledger_adoption ORDER BY source, tenant, subscription_id",
    };
    struct error error = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(queries); i++) {
        struct database_statement *statement = database_prepare(world->database, queries[i]);
        bool row = true;
        while (row) {
            CHECK(database_step(statement, &row, &error));
            if (row)
                buf_printf(out, "%s\n", database_text(statement, 0));
        }
    }
}

static void restart(struct world *world)
{
    world_stop(world);
    world_start(world);
}

static void undo(struct world *world)
{
    struct error error = { 0 };
    CHECK(database_begin(world->database, &error));
    CHECK(ledger_advance(world->ledger, world->snapshot, world->now, &world->events, &error) &&
          ledger_keep_counters(world->ledger, &error));
    database_rollback(world->database);
    CHECK(ledger_reload(world->ledger, &error));
}

enum { RUNS_ON, RESTARTED, UNDONE, WORLDS };

static void compare_worlds(struct world *worlds)
{
    CLEANUP(buf_finish) struct buf first = { 0 };
    CLEANUP(buf_finish) struct buf figures = { 0 };
    dump(&worlds[RUNS_ON], &first);
    buf_text(&figures, world_figures(&worlds[RUNS_ON], NULL));
    for (int i = RESTARTED; i < WORLDS; i++) {
        CLEANUP(buf_finish) struct buf other = { 0 };
        dump(&worlds[i], &other);
        CHECK_TEXT(buf_cstr(&other), buf_cstr(&first));
        CHECK_TEXT(world_figures(&worlds[i], NULL), buf_cstr(&figures));
    }
}

/* How often each kind was told over all histories: a test in which nothing happens proves none. */
static unsigned told_kinds[EVENT_KIND_COUNT], told_deleted, told_unassessed;

static void count_told(const struct world *world)
{
    for (size_t i = 0; i < world->events.count; i++) {
        const struct event *event = &world->events.events[i];
        told_kinds[event->kind]++;
        bool over = event->kind == EVENT_RESOLVED;
        told_deleted += over && event->reason == REASON_RESOURCE_DELETED;
        told_unassessed += over && event->reason == REASON_NO_LONGER_ASSESSED;
    }
}

static void live(uint64_t seed)
{
    static const char *const names[WORLDS] = { NULL, "restarted.db", NULL };
    struct world worlds[WORLDS];
    struct model model = { .sources = { { .cover = -1 }, { .cover = -1 } } };
    struct collection collections[SOURCES] = { 0 };
    uint64_t state = seed;
    for (int i = 0; i < WORLDS; i++) {
        char file[32];
        snprintf(file, sizeof file, "%llu-%s", (unsigned long long)seed, "restarted.db");
        world_init(&worlds[i], names[i] ? file : NULL);
        worlds[i].config.first_run = (int)(seed % 3);
        worlds[i].config.sla_from = (int)(seed / 3 % 2);
        worlds[i].config.ruler_subscriptions = 2;
        worlds[i].max_staleness_ms = STALE_AFTER * 1000;
        memcpy(worlds[i].config.sla_s, slas_s, sizeof slas_s);
        ledger_configure(worlds[i].ledger, &worlds[i].config);
    }
    model.config = worlds[0].config;
    for (int step = 0; step < STEPS; step++) {
        static const int64_t ticks[] = { 60, 60, 60, 60, 0, 400, -300 };
        worlds[0].now += ticks[draw(&state, ARRAY_COUNT(ticks))];
        for (int source = 0; source < SOURCES; source++) {
            draw_collection(&collections[source], worlds[0].now, &state);
            publish(&worlds[0], source_of(source), &collections[source]);
        }
        model.now = worlds[0].now;
        model_advance(&model, collections);
        for (int i = 1; i < WORLDS; i++) {
            share(worlds[i].snapshot, worlds[0].snapshot);
            worlds[i].now = worlds[0].now;
        }
        for (int source = 0; source < SOURCES; source++)
            if (!collections[source].published) /* a new process has collected nothing yet */
                worlds[RESTARTED].snapshot->parts[source_of(source)->index] = NULL;
        restart(&worlds[RESTARTED]);
        undo(&worlds[UNDONE]);
        for (int i = 0; i < WORLDS; i++)
            check_told(&worlds[i], &model);
        count_told(&worlds[0]);
    }
    compare_worlds(worlds);
    check_counters(&worlds[0], "defender_findings_opened_total", model.opened);
    check_counters(&worlds[0], "defender_findings_reopened_total", model.reopened);
    check_counters(&worlds[0], "defender_findings_resolved_total", model.resolved);
    for (int i = 1; i < WORLDS; i++)
        for (int source = 0; source < SOURCES; source++)
            worlds[i].snapshot->parts[source_of(source)->index] = NULL;
    for (int i = 0; i < WORLDS; i++)
        world_finish(&worlds[i]);
    buf_finish(&model.told);
}

TEST(random_histories_end_as_the_model_says)
{
    for (uint64_t seed = 1; seed <= HISTORIES; seed++)
        live(seed);
    for (int kind = EVENT_OPENED; kind <= EVENT_NO_LONGER_OVERDUE; kind++)
        CHECK(told_kinds[kind] > 100);
    CHECK(told_kinds[EVENT_RULER_CHANGED] > 10 && told_kinds[EVENT_FIRST_RUN] > 10);
    CHECK(told_deleted > 20 && told_unassessed > 20);
}
