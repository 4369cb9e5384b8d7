#include "collectors/scope.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/arena.h"
#include "core/memory.h"

const char *const scope_why_words[] = { "",    "not_included",     "id",           "name",
                                        "tag", "management_group", "other_tenant", NULL };

/* --- the table ----------------------------------------------------------------------------- */

static bool is_guid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form; i++) {
        bool fits = form[i] == 'x' ? isxdigit((unsigned char)text[i]) : text[i] == form[i];
        if (!fits)
            return false;
    }
    return true;
}

static const char *check_ids(const void *value)
{
    const struct option_texts *list = value;
    for (size_t i = 0; i < list->count; i++)
        if (!is_guid(list->texts[i]))
            return "must be subscription ids like 00000000-0000-0000-0000-000000000000";
    return NULL;
}

/* clang-format off */
const struct option scope_options[] = {
    { "include", OPTION_TEXT_LIST(struct scope_config, include), .check = check_ids,
      .help = "Only these subscription ids, and what the next keys include. Default: all that are "
              "readable." },
    { "exclude", OPTION_TEXT_LIST(struct scope_config, exclude), .check = check_ids,
      .help = "Never these subscription ids." },
    { "include_names", OPTION_TEXT_LIST(struct scope_config, include_names),
      .help = "Those with such a name, in any case; * is any text, ? any character." },
    { "exclude_names", OPTION_TEXT_LIST(struct scope_config, exclude_names),
      .help = "Never those with such a name." },
    { "include_tags", OPTION_TEXT_LIST(struct scope_config, include_tags),
      .help = "Those with such a tag: `environment=prod*`, or `environment` for any value." },
    { "exclude_tags", OPTION_TEXT_LIST(struct scope_config, exclude_tags),
      .help = "Never those with such a tag." },
    { "include_management_groups", OPTION_TEXT_LIST(struct scope_config, include_groups),
      .help = "Those below a management group with such an id, however deep: new ones come in by "
              "themselves." },
    { "exclude_management_groups", OPTION_TEXT_LIST(struct scope_config, exclude_groups),
      .help = "Never those below such a management group." },
    { "include_clouds", OPTION_TEXT_LIST(struct scope_config, include_clouds),
      .words = cloud_kind_words,
      .help = "Only what is of these clouds, in whatever subscription: recommendations and secure "
              "scores. Default: all." },
    { "exclude_clouds", OPTION_TEXT_LIST(struct scope_config, exclude_clouds),
      .words = cloud_kind_words, .help = "Never what is of these clouds." },
    { 0 }
};
/* clang-format on */

/* --- what is kept --------------------------------------------------------------------------- */

struct list {
    const char **texts; /* ends with NULL */
};

enum kind { BY_ID, BY_NAME, BY_TAG, BY_GROUP, KIND_COUNT };

struct scope {
    struct list include[KIND_COUNT], exclude[KIND_COUNT];
    unsigned clouds; /* that are left out */
    struct arena arena;
};

/* The lists of a configuration by kind. */
static const struct option_texts *list_of(const struct scope_config *config, int kind, bool include)
{
    const struct option_texts *const lists[KIND_COUNT][2] = {
        [BY_ID] = { &config->exclude, &config->include },
        [BY_NAME] = { &config->exclude_names, &config->include_names },
        [BY_TAG] = { &config->exclude_tags, &config->include_tags },
        [BY_GROUP] = { &config->exclude_groups, &config->include_groups },
    };
    return lists[kind][include];
}

/* Ids are known in lower case. */
static struct list copy(const struct option_texts *from, int kind, struct arena *arena)
{
    struct list list = { arena_zalloc(arena, (from->count + 1) * sizeof *list.texts) };
    for (size_t i = 0; i < from->count; i++) {
        char *text = arena_text(arena, from->texts[i]);
        for (char *at = text; *at && kind == BY_ID; at++)
            *at = (char)tolower((unsigned char)*at);
        list.texts[i] = text;
    }
    return list;
}

static unsigned clouds_of(const struct option_texts *words)
{
    unsigned clouds = 0;
    for (size_t i = 0; i < words->count; i++)
        for (int cloud = 0; cloud < CLOUD_COUNT; cloud++)
            clouds |= (unsigned)!strcmp(words->texts[i], cloud_kind_words[cloud]) << cloud;
    return clouds;
}

unsigned scope_clouds_left(const struct scope_config *config)
{
    unsigned included = clouds_of(&config->include_clouds), all = (1U << CLOUD_COUNT) - 1;
    return (all & ~(included ? included : all)) | clouds_of(&config->exclude_clouds);
}

unsigned scope_clouds_out(const struct scope *scope)
{
    return scope ? scope->clouds : 0;
}

struct scope *scope_create(const struct scope_config *config)
{
    struct scope *scope = MEMORY_NEW(struct scope);
    scope->clouds = scope_clouds_left(config);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        scope->include[kind] = copy(list_of(config, kind, true), kind, &scope->arena);
        scope->exclude[kind] = copy(list_of(config, kind, false), kind, &scope->arena);
    }
    return scope;
}

void scope_destroy(struct scope *scope)
{
    if (!scope)
        return;
    arena_finish(&scope->arena);
    free(scope);
}

static bool is_list(const struct list *list, const struct option_texts *other)
{
    size_t i = 0;
    while (i < other->count && list->texts[i] && !strcasecmp(list->texts[i], other->texts[i]))
        i++;
    return i == other->count && !list->texts[i];
}

bool scope_equal(const struct scope *scope, const struct scope_config *config)
{
    bool equal = scope->clouds == scope_clouds_left(config);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        equal = equal && is_list(&scope->include[kind], list_of(config, kind, true)) &&
                is_list(&scope->exclude[kind], list_of(config, kind, false));
    return equal;
}

/* --- judging -------------------------------------------------------------------------------- */

static bool has(const struct scope *scope, int kind)
{
    return *scope->include[kind].texts || *scope->exclude[kind].texts;
}

bool scope_is_open(const struct scope *scope)
{
    bool open = true;
    for (int kind = 0; scope && kind < KIND_COUNT; kind++)
        open = open && !has(scope, kind);
    return open;
}

bool scope_needs_containers(const struct scope *scope)
{
    return scope && (has(scope, BY_TAG) || has(scope, BY_GROUP));
}

const char *const *scope_included(const struct scope *scope)
{
    static const char *const none[] = { NULL };
    return scope ? scope->include[BY_ID].texts : none;
}

static bool is_like(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
}

/* Whether a line is what the pattern of its kind means. */
static bool fits(int kind, const char *pattern, const char *line)
{
    size_t length = strlen(pattern);
    if (kind == BY_TAG && !strchr(pattern, '='))
        return !strncasecmp(line, pattern, length) && line[length] == '=';
    return kind == BY_NAME || kind == BY_TAG ? is_like(pattern, line) : !strcasecmp(pattern, line);
}

/* Whether one of the lines is what one of the patterns means. */
static bool any(int kind, const struct list *patterns, const char *lines)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    if (!*patterns->texts)
        return false;
    for (const char *line = lines, *end; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        const char *one = arena_copy(&arena, line, (size_t)(end - line));
        for (size_t i = 0; patterns->texts[i]; i++)
            if (fits(kind, patterns->texts[i], one))
                return true;
    }
    return false;
}

enum scope_why scope_judge(const struct scope *scope, const struct scope_facts *facts)
{
    static const enum scope_why excluded[KIND_COUNT] = { SCOPE_BY_ID, SCOPE_BY_NAME, SCOPE_BY_TAG,
                                                         SCOPE_BY_GROUP };
    const char *const lines[KIND_COUNT] = { facts->id, facts->name, facts->tags, facts->groups };
    bool asked = false, included = false;
    for (int kind = 0; scope && kind < KIND_COUNT; kind++) {
        if (any(kind, &scope->exclude[kind], lines[kind]))
            return excluded[kind];
        asked = asked || *scope->include[kind].texts;
        included = included || any(kind, &scope->include[kind], lines[kind]);
    }
    return asked && !included ? SCOPE_NOT_INCLUDED : SCOPE_WANTED;
}
