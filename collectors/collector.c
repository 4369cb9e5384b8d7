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
