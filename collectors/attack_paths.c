#include "collectors/attack_paths.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/attack_paths_graph.h"
#include "collectors/collector.h"
#include "core/memory.h"
#include "kql.h"

enum { MV_EXPAND_LIMIT = 400 }; /* source: Resource Graph query language */
enum { CHAIN_MAX = 10 };        /* entities named in a line, beside the last */
enum { QUERY_PLANS, QUERY_NODES, QUERY_LINKS, QUERY_PATHS };
#define ARROW " \xe2\x86\x92 "
#define ELLIPSIS "\xe2\x80\xa6"

extern const struct collector attack_paths_collector;

struct row {
    const char *id, *subscription_id, *tier;
    const char *path, *entity, *name, *type, *resource_id; /* of nodes */
    const char *from, *to;                                 /* of links */
    const char *alias, *title, *kind, *risk, *impact, *factors;
    const char *entry_key, *target_key, *entry, *target, *description, *remediation;
    int64_t entities;
    bool partial;
};

/* clang-format off */
static const struct column plan_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, tier,            "tier"),
    { 0 }
};
static const struct column node_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, path,            "path"),
    COLUMN_KEY    (struct row, entity,          "entity"),
    COLUMN_ID     (struct row, resource_id,     "resourceId"),
    COLUMN_TEXT   (struct row, type,            "entityType"),
    COLUMN_TEXT   (struct row, name,            "entityName"),
    { 0 }
};
static const struct column link_columns[] = {
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_KEY    (struct row, path,            "path"),
    COLUMN_KEY    (struct row, from,            "fromEntity"),
    COLUMN_KEY    (struct row, to,              "toEntity"),
    { 0 }
};
static const struct column path_columns[] = {
    COLUMN_KEY    (struct row, id,              "id"),
    COLUMN_KEY    (struct row, subscription_id, "subscriptionId"),
    COLUMN_ID     (struct row, alias,           "pathId"),
    COLUMN_TEXT   (struct row, title,           "title"),
    COLUMN_TEXT   (struct row, kind,            "pathType"),
    COLUMN_TEXT   (struct row, risk,            "riskLevel"),
    COLUMN_TEXT   (struct row, impact,          "potentialImpact"),
    COLUMN_LIST   (struct row, factors,         "factors"),
    COLUMN_ID     (struct row, entry_key,       "entryEntity"),
    COLUMN_ID     (struct row, target_key,      "targetEntity"),
    COLUMN_TEXT   (struct row, entry,           "entryName"),
    COLUMN_TEXT   (struct row, target,          "targetName"),
    COLUMN_BOOL   (struct row, partial,         "isPartial"),
    COLUMN_INTEGER(struct row, entities,        "entities"),
    COLUMN_LONG   (struct row, description,     "description"),
    COLUMN_LONG   (struct row, remediation,     "remediation"),
    { 0 }
};
/* clang-format on */

const struct kept_kind attack_paths_kept = {
    KEPT_ROWS(struct attack_path),
    KEPT_BY(struct attack_path, finding),
    .texts = {
        KEPT_TEXT(struct attack_path, id),
        KEPT_TEXT(struct attack_path, alias),
        KEPT_TEXT(struct attack_path, name),
        KEPT_TEXT(struct attack_path, entry),
        KEPT_TEXT(struct attack_path, target),
        KEPT_TEXT(struct attack_path, chain),
        KEPT_TEXT(struct attack_path, choke),
        KEPT_TEXT(struct attack_path, description),
        KEPT_TEXT(struct attack_path, remediation),
        KEPT_TEXT(struct attack_path, entry_key),
        KEPT_TEXT(struct attack_path, target_key),
    },
};

const struct kept_kind attack_paths_names = {
    KEPT_ROWS(struct attack_path_name),
    KEPT_BY(struct attack_path_name, name),
};

const struct kept_kind attack_paths_plans = { KEPT_COUNTS(struct attack_paths_plan) };

/* While rows arrive; every query is asked whole or the run fails. */
struct own {
    struct attack_paths_graph *graph; /* NULL after finish */
    struct intern ids;                /* of paths that are kept */
};

static void own_finish(void *data)
{
    struct own *own = data;
    attack_paths_graph_destroy(own->graph);
    intern_finish(&own->ids);
    free(own);
}

static struct own *own_of(struct part *part)
{
    struct own *own = part_own(part, sizeof(struct own), own_finish);
    if (!own->graph)
        own->graph = attack_paths_graph_create();
    return own;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* ".../microsoft.security/locations/westeurope/attackpaths/x" -> ".../attackpaths/x": a path that
 * is listed both ways is one. */
static const char *id_of(struct part *part, const char *id)
{
    static const char mark[] = "/locations/";
    CLEANUP(buf_finish) struct buf out = { 0 };
    const char *at = strcasestr(id, mark);
    const char *rest = at ? at + strlen(mark) + strcspn(at + strlen(mark), "/") : id;
    if (at)
        buf_append(&out, id, (size_t)(at - id));
    buf_text(&out, rest);
    return part_keep_lower(part, buf_cstr(&out));
}

/* "attack_path.internet-exposed-vm": paths of one name are told together. */
static const char *key_of(struct part *part, const char *title)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    buf_text(&out, FINDING_ATTACK_PATH);
    for (const unsigned char *c = (const unsigned char *)title; *c; c++) {
        bool is_capital = *c >= 'A' && *c <= 'Z';
        bool stays = is_capital || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c > 127;
        if (stays)
            buf_char(&out, (char)(is_capital ? *c + ('a' - 'A') : *c));
        else if (buf_cstr(&out)[out.length - 1] != '-')
            buf_char(&out, '-');
    }
    return part_keep(part, buf_cstr(&out));
}

static const char *name_of(const struct row *row)
{
    return *row->title ? row->title : *row->kind ? row->kind : "Attack path";
}

/* The resource a path is about: what it leads to, else where it begins, else the path itself. */
static const char *resource_of(const struct own *own, const struct row *row, const char *id)
{
    const char *const keys[] = { row->target_key, row->entry_key };
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        const struct attack_paths_node *node = attack_paths_graph_find(own->graph, id, keys[i]);
        if (node && *node->resource_id)
            return node->resource_id;
    }
    return id;
}

/* The word of its level; the older members have an impact, which may be one or something else. */
static const char *level_of(const struct row *row)
{
    static const char not_told[] = "NotReported";
    const char *word = *row->risk                           ? row->risk
                       : finding_risk_is_known(row->impact) ? row->impact
                                                            : "";
    return strcasecmp(word, not_told) ? word : "";
}

/* A path, and what recommendations may call it. */
static void add_path(struct part *part, const char *subscription_id, const struct attack_path *path)
{
    const char *slash = strrchr(path->id, '/');
    const char *const names[] = { slash ? slash + 1 : path->id, path->alias };
    part_add_row(part, &attack_paths_kept, subscription_id, path);
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        const struct attack_path_name name = {
            .name = finding_id(part->source, names[i], strlen(names[i])),
            .finding = path->finding,
        };
        if (*names[i])
            part_add_row(part, &attack_paths_names, subscription_id, &name);
    }
}

static enum odd_reason fold_path(struct part *part, const struct row *row, struct error *error)
{
    struct own *own = own_of(part);
    const char *level = level_of(row), *id = id_of(part, row->id);
    if (!finding_risk_is_known(level)) {
        error_set(error, ERROR_PARSE, "the risk \"%.40s\" is not known", level);
        return ODD_WORD;
    }
    enum risk_level risk = finding_risk(level);
    part->truncated |= row->entities > MV_EXPAND_LIMIT;
    part_add_open(part, &(struct part_row){
                            .row_id = id,
                            .assessment_id = key_of(part, name_of(row)),
                            .title = name_of(row),
                            .category = "AttackPath",
                            .assessment_type = "",
                            .subscription_id = row->subscription_id,
                            .resource_id = resource_of(own, row, id),
                            .resource_type = "",
                            .risk_factors = row->factors,
                            .risk = risk,
                            .severity = SEVERITY_UNKNOWN,
                            .contextual = risk != RISK_NOT_EVALUATED,
                        });
    uint32_t known = own->ids.count ? own->ids.count : 1;
    if (intern_put(&own->ids, id, strlen(id)) < known)
        return ODD_NONE;
    const struct attack_path path = {
        .id = id,
        .finding = finding_id(part->source, id, strlen(id)),
        .alias = row->alias,
        .name = name_of(row),
        .entry = row->entry,
        .target = row->target,
        .chain = "",
        .choke = "",
        .description = row->description,
        .remediation = row->remediation,
        .entry_key = row->entry_key,
        .target_key = row->target_key,
        .partial = row->partial,
    };
    add_path(part, row->subscription_id, &path);
    return ODD_NONE;
}

static enum odd_reason fold(struct part *part, size_t query, const void *data,
                            const struct collect_context *context, struct error *error)
{
    (void)context;
    const struct row *row = data;
    struct attack_paths_graph *graph = own_of(part)->graph;
    if (query == QUERY_PATHS)
        return fold_path(part, row, error);
    if (query == QUERY_PLANS) {
        struct attack_paths_plan *plan =
            part_count(part, &attack_paths_plans, row->subscription_id);
        plan->told_on |= !strcasecmp(row->tier, "Standard");
        plan->told_off |= strcasecmp(row->tier, "Standard") != 0;
    } else if (query == QUERY_NODES) {
        attack_paths_graph_add(graph, &(struct attack_paths_node){
                                          .path = id_of(part, row->path),
                                          .key = row->entity,
                                          .name = row->name,
                                          .type = row->type,
                                          .resource_id = part_keep_lower(part, row->resource_id),
                                      });
    } else {
        attack_paths_graph_link(graph, id_of(part, row->path), row->from, row->to);
    }
    return ODD_NONE;
}

/* Say that nobody knows whether paths are seen: of a subscription, "" = of any. */
static void doubt_plan(struct part *part, const char *subscription_id)
{
    struct attack_paths_plan *plan =
        *subscription_id ? part_count(part, &attack_paths_plans, subscription_id) : NULL;
    if (plan)
        plan->told_off = true;
    else
        part_add_gap(part, "");
}

/* What a path leads through is no reason to open or resolve it. */
static void odd(struct part *part, size_t query, const void *data,
                const struct collect_context *context)
{
    (void)context;
    const struct row *row = data;
    if (query == QUERY_PLANS)
        doubt_plan(part, row->subscription_id);
    if (query != QUERY_PATHS)
        return;
    if (*row->id)
        part_freeze(part, row->subscription_id, id_of(part, row->id));
    else
        part_add_gap(part, row->subscription_id);
}

/* --- what a path leads through ---------------------------------------------------------------- */

static const char *label_of(const struct attack_paths_node *node)
{
    return *node->name ? node->name : *node->type ? node->type : node->key;
}

/* A chain in the making. */
struct telling {
    const struct attack_paths_graph *graph;
    const char *target_key;
    struct buf chain;
    size_t named; /* in it */
    const struct attack_paths_node *choke;
    size_t choke_paths;
};

static void tell_node(const struct attack_paths_node *node, void *context)
{
    struct telling *telling = context;
    size_t through = attack_paths_graph_paths(telling->graph, node);
    bool is_target = !strcmp(node->key, telling->target_key);
    if (telling->named < CHAIN_MAX || is_target)
        buf_printf(&telling->chain, "%s%s", telling->chain.length ? ARROW : "", label_of(node));
    else if (telling->named == CHAIN_MAX)
        buf_text(&telling->chain, ARROW ELLIPSIS);
    telling->named++;
    if (through < 2 || through <= telling->choke_paths || is_target)
        return;
    telling->choke = node;
    telling->choke_paths = through;
}

/* Name both ends, where the row does not. */
static void name_ends(struct part *part, const struct attack_paths_graph *graph,
                      struct attack_path *path)
{
    const struct attack_paths_node *entry =
        attack_paths_graph_find(graph, path->id, path->entry_key);
    const struct attack_paths_node *target =
        attack_paths_graph_find(graph, path->id, path->target_key);
    if (entry && !*path->entry)
        path->entry = part_keep(part, label_of(entry));
    if (target && !*path->target)
        path->target = part_keep(part, label_of(target));
}

static void tell(struct part *part, struct attack_paths_graph *graph, struct attack_path *path)
{
    struct telling telling = { .graph = graph, .target_key = path->target_key };
    name_ends(part, graph, path);
    attack_paths_graph_walk(graph, path->id, path->entry_key, path->target_key, tell_node,
                            &telling);
    if (!telling.chain.length && (*path->entry || *path->target))
        buf_printf(&telling.chain, "%s" ARROW "%s", *path->entry ? path->entry : ELLIPSIS,
                   *path->target ? path->target : ELLIPSIS);
    if (telling.chain.length && path->partial)
        buf_text(&telling.chain, " (not all of it is shown)");
    path->chain = part_keep(part, buf_cstr(&telling.chain));
    path->choke = telling.choke ? part_keep(part, label_of(telling.choke)) : "";
    path->choke_paths = (int64_t)telling.choke_paths;
    buf_finish(&telling.chain);
}

/* Of a path that is shown as it was, what was known of it. */
static void keep_frozen(struct part *part, const struct part *older)
{
    size_t count;
    const struct attack_path *before = attack_paths_of(older, &count);
    for (size_t i = 0; i < count; i++)
        if (part_is_frozen(part, &before[i].finding))
            add_path(part, before[i].subscription_id, &before[i]);
}

static bool finish(struct part *part, const struct collect_context *context, struct error *error)
{
    (void)error;
    struct own *own = own_of(part);
    size_t count;
    struct attack_path *rows = kept_all(&part->kept, &attack_paths_kept, &count);
    attack_paths_graph_finish(own->graph);
    for (size_t i = 0; i < count; i++)
        tell(part, own->graph, &rows[i]);
    attack_paths_graph_destroy(own->graph);
    own->graph = NULL;
    keep_frozen(part, snapshot_part(context->snapshot, part->source));
    return true;
}

/* --- what others ask -------------------------------------------------------------------------- */

const struct attack_path *attack_paths_of(const struct part *part, size_t *count)
{
    *count = 0;
    if (!part || part->source->collector != &attack_paths_collector)
        return NULL;
    return part_rows(part, &attack_paths_kept, count);
}

/* Where the plan is off, paths are not gone: nobody looks. */
static bool fixed(const struct part *part, const struct finding *finding, int64_t since)
{
    const struct part_cover *cover = part_cover_find(part, finding->subscription_id);
    if (!cover || cover->carried || cover->gaps || cover->collected_at <= since)
        return false;
    const struct attack_paths_plan *plan =
        part_counted(part, &attack_paths_plans, (size_t)(cover - part->cover));
    return plan->told_on && !plan->told_off;
}

const struct collector attack_paths_collector = {
    .name = "attack_paths",
    .words = "attack paths",
    .help = "Attack paths of Defender CSPM: where they begin, what they lead through, to what.",
    .default_interval = "30m",
    .role = COLLECTOR_DATA,
    .rows = COLLECTOR_FAILING_ROWS,
    .order = 32,
    .topic = "attack_path",
    .incidents = true,
    .rights = { "attack paths and plans", "Security Reader", "Microsoft.Security/*/read" },
    .variants = {
        { "graph", .queries = {
            { .name = "attack_paths_plans_rows", .kql = kql_attack_paths_plans_rows,
              .columns = plan_columns },
            { .name = "attack_paths_nodes_rows", .kql = kql_attack_paths_nodes_rows,
              .columns = node_columns, .none = NONE_WITH_LAST },
            { .name = "attack_paths_links_rows", .kql = kql_attack_paths_links_rows,
              .columns = link_columns, .none = NONE_WITH_LAST },
            { .name = "attack_paths_rows", .kql = kql_attack_paths_rows,
              .columns = path_columns, .none = NONE_IS_ORDINARY },
        } },
    },
    .families = attack_paths_families,
    .fold = fold,
    .odd = odd,
    .finish = finish,
    .fixed = fixed,
    .emit = attack_paths_emit,
};
