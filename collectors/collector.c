#include "collectors/collector.h"

#define COLLECTOR_DECLARE(name) extern const struct collector name##_collector;
COLLECTOR_LIST(COLLECTOR_DECLARE)
#undef COLLECTOR_DECLARE

const struct collector *const collectors[COLLECTOR_COUNT] = {
#define COLLECTOR_ROW(name) [COLLECTOR_##name] = &name##_collector,
    COLLECTOR_LIST(COLLECTOR_ROW)
#undef COLLECTOR_ROW
};
