#include "collectors/waivers.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "collectors/baselines.h"
#include "core/clock.h"
#include "core/memory.h"

enum { DAY_S = 24 * 3600 };

struct compiled {
    struct waiver waiver;
    char key[BASELINES_RULE_KEY_BYTES];
    int64_t expires_at; /* from then on it is over */
};
struct waivers {
    struct arena arena;
    struct compiled *items;
    size_t count;
};

/* When a waiver is over; false when the text is no day and no instant. */
static bool read_expiry(const char *text, int64_t *at)
{
    char day[32];
    bool is_day = strlen(text) == strlen("2027-01-31");
    snprintf(day, sizeof day, "%.10sT00:00:00Z", text);
    if (!clock_parse_rfc3339(is_day ? day : text, at) || *at <= 0)
        return false;
    *at += is_day ? DAY_S : 0;
    return true;
}

static const char *check_expiry(const void *value)
{
    int64_t at;
    const char *text = *(const char *const *)value;
    return read_expiry(text, &at)
               ? NULL
               : "must be a day like 2027-01-31 or an instant like 2027-01-31T12:00:00Z";
}

static const char *check_rule(const void *value)
{
    char key[BASELINES_RULE_KEY_BYTES];
    return *baselines_rule_key(*(const char *const *)value, key, sizeof key)
               ? NULL
               : "must name one rule, as Azure spells it or by its rule_id";
}

static const char *check_reason(const void *value)
{
    const char *text = *(const char *const *)value;
    return text[strspn(text, " ")] ? NULL : "must say why";
}

static const char *check_machines(const void *value)
{
    const struct option_texts *machines = value;
    return machines->count ? NULL : "must name a machine, or be \"*\"";
}

/* clang-format off */
const struct option waivers_options[] = {
    { "rule", OPTION_TEXT(struct waiver, rule), .required = true, .check = check_rule,
      .help = "The rule, as Azure spells its name, or its rule_id." },
    { "machines", OPTION_TEXT_LIST(struct waiver, machines), .required = true,
      .check = check_machines,
      .help = "Names of machines, or their whole ids, where * stands for any text and ? for one "
              "character." },
    { "reason", OPTION_TEXT(struct waiver, reason), .required = true, .check = check_reason,
      .help = "Why; shown in defender_baseline_waiver_info and in messages." },
    { "expires", OPTION_TEXT(struct waiver, expires), .required = true, .check = check_expiry,
      .help = "The last day, UTC, or an instant. From then on the rule counts again." },
    { 0 }
};
/* clang-format on */

static struct compiled compile(struct arena *arena, const struct waiver *waiver)
{
    struct compiled compiled = { .waiver = {
                                     .rule = arena_text(arena, waiver->rule),
                                     .reason = arena_text(arena, waiver->reason),
                                     .expires = arena_text(arena, waiver->expires),
                                 } };
    struct option_texts *machines = &compiled.waiver.machines;
    machines->texts = arena_zalloc(arena, (waiver->machines.count + 1) * sizeof *machines->texts);
    for (; machines->count < waiver->machines.count; machines->count++)
        machines->texts[machines->count] =
            arena_text(arena, waiver->machines.texts[machines->count]);
    baselines_rule_key(waiver->rule, compiled.key, sizeof compiled.key);
    if (!read_expiry(waiver->expires, &compiled.expires_at))
        compiled.expires_at = 0;
    return compiled;
}

struct waivers *waivers_create(const struct option_items *items)
{
    struct waivers *waivers = MEMORY_NEW(struct waivers);
    const struct waiver *all = items->items;
    waivers->items = MEMORY_ARRAY(struct compiled, items->count + 1);
    for (; waivers->count < items->count; waivers->count++)
        waivers->items[waivers->count] = compile(&waivers->arena, &all[waivers->count]);
    return waivers;
}

void waivers_destroy(struct waivers *waivers)
{
    if (!waivers)
        return;
    arena_finish(&waivers->arena);
    free(waivers->items);
    free(waivers);
}

static bool is_same(const struct waiver *left, const struct waiver *right)
{
    bool same = left->machines.count == right->machines.count && !strcmp(left->rule, right->rule) &&
                !strcmp(left->reason, right->reason) && !strcmp(left->expires, right->expires);
    for (size_t i = 0; same && i < left->machines.count; i++)
        same = !strcmp(left->machines.texts[i], right->machines.texts[i]);
    return same;
}

bool waivers_equal(const struct waivers *waivers, const struct option_items *items)
{
    const struct waiver *all = items->items;
    bool equal = waivers->count == items->count;
    for (size_t i = 0; equal && i < items->count; i++)
        equal = is_same(&waivers->items[i].waiver, &all[i]);
    return equal;
}

static enum waivers_state state_of(const struct compiled *one, int64_t now)
{
    return now < one->expires_at ? WAIVERS_IN_FORCE : WAIVERS_EXPIRED;
}

const struct waiver *waivers_at(const struct waivers *waivers, size_t i, int64_t now,
                                enum waivers_state *state)
{
    if (!waivers || i >= waivers->count)
        return NULL;
    *state = state_of(&waivers->items[i], now);
    return &waivers->items[i].waiver;
}

int64_t waivers_until(const struct waivers *waivers, size_t i)
{
    const struct compiled *one = &waivers->items[i];
    return strchr(one->waiver.expires, ':') ? one->expires_at : one->expires_at - 1;
}

static bool names_machine(const struct option_texts *machines, const char *machine_id)
{
    const char *slash = strrchr(machine_id, '/'), *name = slash ? slash + 1 : machine_id;
    for (size_t i = 0; i < machines->count; i++)
        if (!fnmatch(machines->texts[i], *machines->texts[i] == '/' ? machine_id : name,
                     FNM_CASEFOLD | FNM_NOESCAPE))
            return true;
    return false;
}

enum waivers_state waivers_judge(const struct waivers *waivers, const char *machine_id,
                                 const char *rule_key, const char *rule_id, int64_t now,
                                 size_t *which)
{
    enum waivers_state found = WAIVERS_NONE;
    for (size_t i = 0; waivers && i < waivers->count && found != WAIVERS_IN_FORCE; i++) {
        const struct compiled *one = &waivers->items[i];
        enum waivers_state state = state_of(one, now);
        if (state <= found ||
            (strcmp(one->key, rule_key) != 0 && strcasecmp(one->waiver.rule, rule_id) != 0) ||
            !names_machine(&one->waiver.machines, machine_id))
            continue;
        found = state;
        *which = i;
    }
    return found;
}
