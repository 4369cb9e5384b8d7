#include "collectors/collector.h"

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

const char *collector_subscription(const struct collect_context *context, const char *said)
{
    return context->subscription_id ? context->subscription_id : said;
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
