#pragma once
/* What a collector is: a vertical slice of query, columns, fold, families and emit. It contains no
 * HTTP, JSON, locking, logging or clock code; the runner executes its queries. */
#include <stdatomic.h>

#include "collectors/snapshot/odd.h"
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"
#include "core/columns.h"
#include "core/metric.h"

enum { COLLECTOR_QUERIES_MAX = 8, COLLECTOR_VARIANTS_MAX = 3 };

/* Whose API it is: each has its own audience and permissions. */
enum query_host { HOST_RESOURCE_MANAGER, HOST_MICROSOFT_GRAPH, HOST_DEFENDER_API };

/* What it means that a query brings nothing any more. Whatever it means, it is doubted where it
 * cannot be believed (run/none.h). */
enum query_none {
    NONE_IS_ODD,      /* there always are some */
    NONE_IS_ORDINARY, /* what it is about comes to an end */
    NONE_WITH_LAST    /* the same, but only when the last query brings nothing either */
};

/* One request whose rows are bound and folded. Either kql or path is set. */
struct query {
    const char *name;         /* for logs and errors */
    const char *kql;          /* Resource Graph text, tenant scope */
    const char *path;         /* ARM list; "{subscription}" makes it one list per visible one,
                                 "{row}" one below each row of the query before, which may be a
                                 kql whose rows are of no subscription: then it is optional */
    enum query_host host;     /* of a path */
    bool post;                /* of a path: asked for with POST */
    const char *hunt;         /* text of advanced hunting that is posted */
    const char *api_versions; /* tried in order, separated by spaces, when Azure refuses one; NULL =
                                 there are none */
    const struct column *columns;
    const char *id;        /* member by which a row is known when it comes twice; NULL = "id" */
    bool missing_is_empty; /* 404 and "not registered" mean no rows, not an error */
    bool whole_tenant;     /* of a kql: its rows are of no subscription, the operator's filter of
                              these is none of it */
    bool optional;         /* tried once; a failure is logged and the run goes on */
    bool only_if_empty;    /* asked only when the queries before brought no row */
    enum query_none none;
};

/* What a collector is to the others of its tenant. */
enum collector_role {
    COLLECTOR_DATA,      /* what is measured; as good as every collector */
    COLLECTOR_DISCOVERY, /* which subscriptions there are: all others start after it */
    COLLECTOR_REFERENCE, /* what the rows of others mean */
    COLLECTOR_ANSWERS    /* what somebody asks about resources (asked.h): it collects nothing */
};

/* What its rows say of findings. */
enum collector_rows {
    COLLECTOR_NO_FINDINGS,
    COLLECTOR_ALL_ROWS,    /* every result of every recommendation, the good ones too */
    COLLECTOR_FAILING_ROWS /* only what fails: `fixed` says whether what is gone is fixed */
};

/* One way to get at the rows; its name, "graph" or "rest", is what the key `source` takes, that of
 * a summary what `detail` does. */
struct variant {
    const char *name;
    bool needs_reference; /* starts after it: the rows alone do not say what they mean */
    bool without_risk;    /* of a rated collector: Azure tells no risk level here */
    bool summary;         /* counted by Azure, without findings: what `detail: summary` takes */
    bool complete;        /* of a reference: it also has what is special in each subscription */
    const char *lacks;    /* what its rows never tell and those of others do; NULL = nothing */
    struct query changed; /* the rows whose status changed since {{since}}; name NULL = none */
    struct query queries[COLLECTOR_QUERIES_MAX]; /* ends with name NULL */
};

/* What an identity must be allowed, for the table of rights and for roles made of it. */
struct rights {
    const char *reads, *role; /* in words; a built-in role that is enough */
    const char *actions; /* of Resource Manager, with blanks between; NULL = it needs none of these.
                            source: Azure permissions for Security, and their like */
};

/* What one request for rows came to. */
struct collect_outcome {
    const struct query *query;
    const char *subscription_id; /* whose list it was; NULL = of no single one */
    size_t rows;
    const struct error *error; /* NULL = it was answered */
};

/* Who hears of each; NULL = nobody. On the thread of the run. */
struct collect_ear {
    void (*heard)(void *context, const struct source *source,
                  const struct collect_outcome *outcome);
    void *context;
};

struct waivers;
struct scope;
struct collect_context {
    int64_t now;                     /* Unix seconds, when the run began */
    const struct snapshot *snapshot; /* what is known so far */
    const struct variant *variant;   /* whose rows are read */
    const char *subscription_id;     /* of the list being read; NULL for tenant-wide ones */
    const char *row_id;              /* of the row it is below; NULL = of none */
    int64_t max_staleness_s;         /* how long old data may be shown */
    bool severity_rates;             /* what Azure does not rate has the risk of its severity */
    const struct scope *scope;       /* which subscriptions the operator wants; NULL = all */
    const struct waivers *waivers;   /* of rules of baselines, the operator's; NULL = none */
    int64_t since;                   /* a look at what changed since then; 0 = everything is read */
    const char *const *tags;         /* that the operator listed, ends with NULL; NULL = none */
    const struct asked *asked; /* of COLLECTOR_ANSWERS: what the rows are about; asked_count */
    size_t asked_count;
    bool callers; /* may keep the names of those who changed something */
    const struct collect_ear *ear;
};

/* Of a collector that is made at run time: who holds it, and what frees it when nobody does. */
struct collector_life {
    atomic_int references;
    void (*finish)(const struct collector *collector);
};

struct collector {
    const char *name, *help;
    const char *words;           /* what it brings, as people call it: "attack paths"; NULL = its
                                    name says it */
    struct collector_life *life; /* NULL = it is always there */
    enum collector_role role;
    enum collector_rows rows;
    bool rated;           /* Azure itself rates the risk of what its rows tell */
    bool dates_changes;   /* changed_at of its rows is when the finding began to fail, or ended */
    int order;            /* where it stands among those of its role, in lists and expositions */
    const char *topic;    /* head of the special words of its events: "baseline"; NULL = none */
    bool incidents;       /* each finding is news of its own, however many of a kind open at once:
                             never what Microsoft added for all */
    bool security_alerts; /* each finding is a security alert, and has the severity of one */
    bool baseline_rules; /* each finding is a rule of a baseline (baselines.h), its category says of
                            which */
    bool own_findings;   /* they are the operator's, not recommendations of Defender: links lead to
                            the resource */
    bool off;            /* only who enables it by name has it: it needs rights of its own */
    bool asks_for_tags; /* those the operator lists: {{tags}} of its queries, within quotes, becomes
                           them. It runs only when there are some, and anew when they are others */
    bool tells_owners;  /* whom findings are assigned to */
    struct rights rights;
    const char *default_interval;                    /* "15m" */
    struct variant variants[COLLECTOR_VARIANTS_MAX]; /* the first is the default */
    const struct family *const *families;            /* NULL-terminated */
    /* Add what a row tells to the part: findings, own rows, counts. row: the struct of the query's
     * columns; its texts live only until fold returns, what the part keeps is copied. query: its
     * index in the variant. Anything but ODD_NONE: the row cannot be understood, *error says why,
     * and nothing of it was added. Of rows that are equal but for the case only one is folded. */
    enum odd_reason (*fold)(struct part *part, size_t query, const void *row,
                            const struct collect_context *context, struct error *error);
    /* Whether the list below a row is asked for, by a next query with "{row}". NULL = always. */
    bool (*has_below)(size_t query, const void *row);
    /* The list below context->row_id, which is of no subscription, could not be read: what came of
     * it to part_own is to be forgotten, rows and counts are already. May be NULL. */
    void (*lost)(struct part *part, size_t query, const struct collect_context *context);
    /* Of COLLECTOR_ANSWERS: whether a query has to be asked about this resource, after what those
     * before it brought. In its text {from}, {to} and {resource}, of Resource Graph {{from}},
     * {{to}} and within quotes {{ids}}, are what is asked. */
    bool (*asks)(const struct part *part, size_t query, const struct asked *asked,
                 const struct collect_context *context);
    /* A row is odd: freeze the finding it is about (part_freeze), or else say that its subscription
     * has gaps. row: as far as it could be read, all else is as if absent. NULL: gaps. */
    void (*odd)(struct part *part, size_t query, const void *row,
                const struct collect_context *context);
    /* All rows have arrived, the part is settled, nothing is carried over yet. May be NULL. False
     * and *error: the run failed. */
    bool (*finish)(struct part *part, const struct collect_context *context, struct error *error);
    /* Of a variant with `changed`: the part is a copy of one, with rows of a look in the place of
     * older ones: bring into line what was counted, and what it owns. Not sealed. May be NULL. */
    void (*patched)(struct part *part, const struct part *older, const struct part *look);
    /* Of part_own: replace what it has of a subscription (lower case) by what an older part has of
     * it, or by nothing when older is NULL. Rows and counts are carried without. May be NULL. */
    void (*carry)(struct part *part, const struct part *older, const char *subscription_id);
    /* Of COLLECTOR_FAILING_ROWS: whether the part has a report of what the finding is about that is
     * newer than `since` and would name it. Its row is missing since then. NULL = nobody knows. */
    bool (*fixed)(const struct part *part, const struct finding *finding, int64_t since);
    /* Write the families from the part (not NULL) of this snapshot. Per subscription: walk
     * part->cover and leave out what has no collected_at. Pure; any thread. */
    void (*emit)(const struct snapshot *snapshot, const struct part *part, struct metric_set *set);
    /* What is kept between runs of the program; both NULL when nothing is. save appends JSON,
     * load fills a new part from it, collected_at included. */
    void (*save)(const struct part *part, struct buf *out);
    bool (*load)(struct part *part, const struct json *saved, struct error *error);
};

/* Whether it is a list below rows of the query before; whether it is asked for each subscription,
 * so that one that may not be read is refused. */
bool collector_is_below(const struct query *query);
bool collector_is_listed(const struct query *query);

/* Whether all that it needs is asked for each subscription. */
bool collector_is_all_lists(const struct variant *variant);

/* Whose row it is: the list's subscription, else what the row says. */
const char *collector_subscription(const struct collect_context *context, const char *said);

/* What the built-in collector of this name brings, in words; NULL when there is none. */
const char *collector_words(const char *name);

/* "of attack paths (attack_paths)": which collector, to people who have to find its key. */
void collector_describe(const struct collector *collector, const char *name, struct buf *out);

/* One more, one less who holds it; of built-in ones nothing happens. */
void collector_acquire(const struct collector *collector);
void collector_release(const struct collector *collector);

/* The built-in collectors, in no order; ends with NULL. */
extern const struct collector *const collector_kinds[];
