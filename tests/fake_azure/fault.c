#include "fault.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/compiler.h"

/* clang-format off */
static const struct { const char *word; enum fault_stage stage; } names[FAULT_NAME_COUNT] = {
    [FAULT_401]              = { "401", FAULT_ANSWER },
    [FAULT_EXPIRED_TOKEN]    = { "expired-token", FAULT_ANSWER },
    [FAULT_403]              = { "403", FAULT_ANSWER },
    [FAULT_NOT_REGISTERED]   = { "not-registered", FAULT_ANSWER },
    [FAULT_429]              = { "429", FAULT_ANSWER },
    [FAULT_500]              = { "500", FAULT_ANSWER },
    [FAULT_502]              = { "502", FAULT_ANSWER },
    [FAULT_503]              = { "503", FAULT_ANSWER },
    [FAULT_504]              = { "504", FAULT_ANSWER },
    [FAULT_EMPTY_5XX]        = { "empty-5xx", FAULT_ANSWER },
    [FAULT_REDIRECT]         = { "redirect", FAULT_ANSWER },
    [FAULT_HANG]             = { "hang", FAULT_ANSWER },
    [FAULT_INVALID_JSON]     = { "invalid-json", FAULT_BODY },
    [FAULT_WRONG_TYPES]      = { "wrong-types", FAULT_BODY },
    [FAULT_ODD]              = { "odd", FAULT_BODY },
    [FAULT_DEEP]             = { "deep", FAULT_BODY },
    [FAULT_HUGE]             = { "huge", FAULT_BODY },
    [FAULT_REPEAT_TOKEN]     = { "repeat-token", FAULT_BODY },
    [FAULT_SHIFT]            = { "shift", FAULT_BODY },
    [FAULT_TRUNCATED]        = { "truncated", FAULT_BODY },
    [FAULT_TOTAL_DRIFT]      = { "total-drift", FAULT_BODY },
    [FAULT_EMPTY]            = { "empty", FAULT_BODY },
    [FAULT_BOM]              = { "bom", FAULT_BODY },
    [FAULT_FOREIGN_NEXTLINK] = { "foreign-nextlink", FAULT_BODY },
    [FAULT_PARTIAL]          = { "partial", FAULT_BODY },
    [FAULT_TOO_LARGE]        = { "too-large", FAULT_STATE },
    [FAULT_CUT]              = { "cut", FAULT_WIRE },
    [FAULT_SLOW]             = { "slow", FAULT_WIRE },
    [FAULT_MEMBERS]          = { "members", FAULT_STATE },
    [FAULT_SKEW]             = { "skew", FAULT_STATE },
    [FAULT_GAP]              = { "gap", FAULT_STATE },
    [FAULT_ENDED]            = { "ended", FAULT_STATE },
    [FAULT_DENIED_ALL]       = { "denied-all", FAULT_STATE },
    [FAULT_NO_SUBSCRIPTIONS] = { "no-subscriptions", FAULT_STATE },
    [FAULT_RAW_NEXTLINK]     = { "raw-nextlink", FAULT_STATE },
    [FAULT_NEW_SECRET]       = { "new-secret", FAULT_STATE },
    [FAULT_EXPIRES_ON]       = { "expires-on", FAULT_STATE },
    [FAULT_CLAIMS]           = { "claims", FAULT_STATE },
};

static const struct { const char *key; size_t offset; size_t bytes; /* 0: a number */ } keys[] = {
    { "path",        offsetof(struct fault, path), sizeof ((struct fault *)0)->path },
    { "sub",         offsetof(struct fault, sub),  sizeof ((struct fault *)0)->sub },
    { "body",        offsetof(struct fault, body), sizeof ((struct fault *)0)->body },
    { "from",        offsetof(struct fault, from), sizeof ((struct fault *)0)->from },
    { "count",       offsetof(struct fault, count), 0 },
    { "every",       offsetof(struct fault, every), 0 },
    { "page",        offsetof(struct fault, page), 0 },
    { "retry_after", offsetof(struct fault, retry_after), 0 },
    { "status",      offsetof(struct fault, status), 0 },
    { "ms",          offsetof(struct fault, ms), 0 },
    { "seconds",     offsetof(struct fault, seconds), 0 },
    { "depth",       offsetof(struct fault, depth), 0 },
    { "bytes",       offsetof(struct fault, bytes), 0 },
    { "rows",        offsetof(struct fault, rows), 0 },
};
/* clang-format on */

static bool set_key(struct fault *fault, const char *key, const char *value)
{
    char *end;
    if (strcmp(key, "retry_after") == 0 && strcmp(value, "none") == 0)
        value = "-1";
    if (strcmp(key, "cut") == 0 || strcmp(key, "mode") == 0) {
        fault->chunked = strcmp(value, "chunked") == 0;
        return fault->chunked;
    }
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        if (strcmp(keys[i].key, key) != 0)
            continue;
        char *at = (char *)fault + keys[i].offset;
        if (keys[i].bytes)
            return snprintf(at, keys[i].bytes, "%s", value) < (int)keys[i].bytes;
        *(long *)(void *)at = strtol(value, &end, 10);
        return *value && !*end;
    }
    return false;
}

bool faults_add(struct faults *faults, const char *spec, char *why, size_t why_bytes)
{
    struct fault fault = {
        .retry_after = 5, .ms = 50, .seconds = 3600, .depth = 20000, .bytes = 30 << 20, .rows = 300
    };
    char copy[sizeof fault.spec], *rest = copy, *word;
    if (snprintf(copy, sizeof copy, "%s", spec) >= (int)sizeof copy ||
        faults->count == FAULTS_MAX) {
        snprintf(why, why_bytes, "too long, or too many faults");
        return false;
    }
    memcpy(fault.spec, copy, sizeof copy);
    word = strsep(&rest, ":");
    while (fault.name < FAULT_NAME_COUNT && strcmp(names[fault.name].word, word) != 0)
        fault.name++;
    if (fault.name == FAULT_NAME_COUNT) {
        snprintf(why, why_bytes, "no fault is called \"%s\"", word);
        return false;
    }
    fault.stage = names[fault.name].stage;
    for (char *pair; (pair = strsep(&rest, ","));) {
        char *value = strchr(pair, '=');
        if (value)
            *value++ = '\0';
        if (*pair && !(value && set_key(&fault, pair, value))) {
            snprintf(why, why_bytes, "%s: \"%s\" is not understood", word, pair);
            return false;
        }
    }
    if (fault.name == FAULT_403 && *fault.sub)
        fault.stage = FAULT_STATE;
    faults->list[faults->count++] = fault;
    return true;
}

void faults_clear(struct faults *faults)
{
    faults->count = 0;
}

static bool fires(struct fault *fault, const char *path, long page)
{
    /* without a path: Azure Resource Manager, not the token endpoints */
    bool token = strcasestr(path, "/oauth2/") || strcasestr(path, "/common/");
    if (*fault->path ? !strcasestr(path, fault->path) : token)
        return false;
    if (*fault->sub && !strcasestr(path, fault->sub))
        return false;
    if (fault->page && fault->page != page)
        return false;
    fault->seen++;
    if (fault->every && fault->seen % fault->every != 0)
        return false;
    if (fault->count && fault->fired >= fault->count)
        return false;
    fault->fired++;
    return true;
}

bool faults_take(struct faults *faults, enum fault_stage stage, const char *path, long page,
                 struct fault *fault)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->list[i].stage == stage && fires(&faults->list[i], path, page)) {
            *fault = faults->list[i];
            return true;
        }
    return false;
}

const struct fault *faults_state(const struct faults *faults, enum fault_name name)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->list[i].name == name && faults->list[i].stage == FAULT_STATE)
            return &faults->list[i];
    return NULL;
}

static bool names_subscription(const struct fault *fault, const char *subscription_id, size_t index)
{
    char place[24];
    snprintf(place, sizeof place, "%zu", index);
    return strcasecmp(fault->sub, subscription_id) == 0 || strcmp(fault->sub, place) == 0;
}

/* Whether it holds yet: some begin at a page of a query. */
static bool has_begun(const struct fault *fault)
{
    return !*fault->from || fault->seen >= (fault->page ? fault->page : 1);
}

static bool concerns(const struct faults *faults, enum fault_name name, const char *subscription_id,
                     size_t index)
{
    for (size_t i = 0; i < faults->count; i++)
        if (faults->list[i].name == name && faults->list[i].stage == FAULT_STATE &&
            has_begun(&faults->list[i]) &&
            names_subscription(&faults->list[i], subscription_id, index))
            return true;
    return false;
}

bool faults_denies(const struct faults *faults, const char *subscription_id, size_t index)
{
    return faults_state(faults, FAULT_DENIED_ALL) ||
           concerns(faults, FAULT_403, subscription_id, index);
}

bool faults_hides(const struct faults *faults, const char *subscription_id, size_t index)
{
    return concerns(faults, FAULT_GAP, subscription_id, index);
}

/* Whether it takes away something of what a query tells. */
static bool ends(const struct fault *fault, const char *query)
{
    return fault->name == FAULT_ENDED && !strncmp(query, fault->body, strlen(fault->body));
}

static bool begins(const struct fault *fault, const char *query)
{
    return *fault->from && !strncmp(query, fault->from, strlen(fault->from));
}

void faults_answer(struct faults *faults, const char *query)
{
    for (size_t i = 0; i < faults->count; i++)
        faults->list[i].seen += ends(&faults->list[i], query) || begins(&faults->list[i], query);
}

bool faults_end(const struct faults *faults, const char *query, const char *subscription_id,
                size_t index)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->list[i];
        if (ends(fault, query) && (!fault->count || fault->seen <= fault->count) &&
            (!*fault->sub || names_subscription(fault, subscription_id, index)))
            return true;
    }
    return false;
}
