#include <fnmatch.h>
#include <string.h>

#include "core/json.h"
#include "exporter/permissions.h"

/* Texts, one a member of a list of JSON. */
struct texts {
    struct arena arena;
    const char *list[256];
    size_t count;
};

static void texts_finish(struct texts *texts)
{
    arena_finish(&texts->arena);
}

/* Whether one says as much as another: * is anything. source: Azure custom roles, wildcards. */
static bool covers(const char *wide, const char *action)
{
    return !fnmatch(wide, action, FNM_CASEFOLD | FNM_NOESCAPE);
}

/* Add it, unless one that is there covers it; those that it covers go. */
static void add_action(struct texts *texts, const char *action)
{
    size_t kept = 0;
    for (size_t i = 0; i < texts->count; i++)
        if (covers(texts->list[i], action))
            return;
    for (size_t i = 0; i < texts->count; i++)
        if (!covers(action, texts->list[i]))
            texts->list[kept++] = texts->list[i];
    texts->count = kept;
    if (texts->count < ARRAY_COUNT(texts->list))
        texts->list[texts->count++] = action;
}

static void add_actions(struct texts *texts, const char *actions)
{
    CLEANUP(buf_finish) struct buf one = { 0 };
    for (; actions && *actions; actions += strspn(actions, " ")) {
        buf_reset(&one);
        buf_append(&one, actions, strcspn(actions, " "));
        add_action(texts, arena_text(&texts->arena, buf_cstr(&one)));
        actions += one.length;
    }
}

/* Where the role may be assigned. A role has no more than one management group, and no group
 * together with subscriptions of others. */
static bool add_scopes(const struct config *config, size_t tenant, const char *scope,
                       struct texts *texts, struct error *error)
{
    const struct scope_config *wanted = &config->subscriptions;
    const char *id = auth_config_tenant_id(config_tenant(config, tenant));
    bool others = wanted->include_names.count || wanted->include_tags.count ||
                  wanted->include_groups.count || config_tenant_count(config) > 1;
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0;
         !scope && !others && i < wanted->include.count && texts->count < ARRAY_COUNT(texts->list);
         i++) {
        buf_reset(&text);
        buf_printf(&text, "/subscriptions/%s", wanted->include.texts[i]);
        texts->list[texts->count++] = arena_text(&texts->arena, buf_cstr(&text));
    }
    if (texts->count)
        return true;
    if (!scope && !*id)
        return error_set(error, ERROR_CONFIG,
                         "where the role may be assigned is not known: azure.tenant_id is not set; "
                         "--scope=/subscriptions/ID, or "
                         "/providers/Microsoft.Management/managementGroups/NAME, says it");
    buf_printf(&text, "%s%s", scope ? scope : "/providers/Microsoft.Management/managementGroups/",
               scope ? "" : id); /* the group above all others is called as the tenant */
    texts->list[texts->count++] = arena_text(&texts->arena, buf_cstr(&text));
    return true;
}

static void put_list(const char *name, const struct texts *texts, const char *after,
                     struct buf *out)
{
    buf_printf(out, "  \"%s\": [", name);
    for (size_t i = 0; texts && i < texts->count; i++) {
        buf_text(out, i ? ",\n    " : "\n    ");
        json_quote(out, texts->list[i], strlen(texts->list[i]));
    }
    buf_printf(out, "%s]%s\n", texts && texts->count ? "\n  " : "", after);
}

bool permissions_role(const struct config *config, size_t tenant, const char *scope,
                      struct buf *out, struct error *error)
{
    CLEANUP(texts_finish) struct texts actions = { 0 };
    CLEANUP(texts_finish) struct texts scopes = { 0 };
    CLEANUP(buf_finish) struct buf names = { 0 };
    for (size_t i = 0; i < config->sources->count; i++) {
        const struct source *source = &config->sources->sources[i];
        const char *wanted = source->collector->rights.actions;
        if (!config->run[i].enabled || !wanted || config_tenant_of(config, source) != tenant)
            continue;
        add_actions(&actions, wanted);
        buf_printf(&names, "%s%s", names.length ? ", " : "", source->collector->name);
    }
    if (!add_scopes(config, tenant, scope, &scopes, error))
        return false;
    buf_text(out, "{\n  \"Name\": \"Defender Exporter Reader\",\n  \"IsCustom\": true,\n");
    buf_printf(out, "  \"Description\": \"What defender_exporter reads: %s.\",\n",
               buf_cstr(&names));
    put_list("Actions", &actions, ",", out);
    put_list("NotActions", NULL, ",", out);
    put_list("DataActions", NULL, ",", out);
    put_list("NotDataActions", NULL, ",", out);
    put_list("AssignableScopes", &scopes, "", out);
    buf_text(out, "}\n");
    return true;
}
