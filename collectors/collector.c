#include "collectors/collector.h"

#include <string.h>

#include "collectors/list.h"

#define COLLECTOR_DECLARE(name) extern const struct collector name##_collector;
COLLECTOR_LIST(COLLECTOR_DECLARE)
#undef COLLECTOR_DECLARE

const struct collector *const collector_kinds[] = {
#define COLLECTOR_ROW(name) &name##_collector,
    COLLECTOR_LIST(COLLECTOR_ROW)
#undef COLLECTOR_ROW
        NULL,
};

bool collector_is_below(const struct query *query)
{
    return query->name && query->path && strstr(query->path, "{row}");
}

bool collector_is_listed(const struct query *query)
{
    return query->path && (strstr(query->path, "{subscription}") || collector_is_below(query));
}

bool collector_is_all_lists(const struct variant *variant)
{
    const struct query *first = variant->queries;
    for (const struct query *query = first; query->name; query++)
        if (!collector_is_listed(query) && (query == first || !query->optional))
            return false;
    return true;
}

const char *collector_subscription(const struct collect_context *context, const char *said)
{
    return context->subscription_id ? context->subscription_id : said;
}

const char *collector_words(const char *name)
{
    for (size_t i = 0; collector_kinds[i]; i++)
        if (!strcmp(collector_kinds[i]->name, name))
            return collector_kinds[i]->words;
    return NULL;
}

void collector_describe(const struct collector *collector, const char *name, struct buf *out)
{
    if (collector->words)
        buf_printf(out, "of %s (%s)", collector->words, name);
    else
        buf_text(out, name);
}

void collector_acquire(const struct collector *collector)
{
    if (collector->life)
        atomic_fetch_add_explicit(&collector->life->references, 1, memory_order_relaxed);
}

void collector_release(const struct collector *collector)
{
    struct collector_life *life = collector->life;
    if (life && atomic_fetch_sub_explicit(&life->references, 1, memory_order_acq_rel) == 1)
        life->finish(collector);
}
