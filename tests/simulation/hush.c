#include "hush.h"

#include <stdio.h>
#include <string.h>

#include "alerts/notify/silence.h"
#include "alerts/store/schema.h"
#include "core/clock.h"

static bool put(struct database *database, struct stage *stage, int64_t for_s, struct error *error)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    char of[sizeof stage->hush];
    int64_t now = clock_now_s();
    struct silence silence = {
        .starts_at = now,
        .ends_at = now + for_s,
        .created_by = "somebody",
        .comment = "",
    };
    memcpy(of, stage->hush, sizeof of);
    bool ok = match_parse(of, &silence.matchers, &arena, error) &&
              silence_put(database, &silence, NULL, now, error);
    match_finish(&silence.matchers);
    if (!ok)
        return false;
    memcpy(stage->hushed_of, of, sizeof of);
    snprintf(stage->hush_id, sizeof stage->hush_id, "%s", silence.id);
    stage->hush_from = clock_now_s();
    stage->hush_until = silence.ends_at;
    return true;
}

/* The last one that was made. */
static bool expire(struct database *database, struct stage *stage, struct error *error)
{
    int64_t now = clock_now_s();
    if (!*stage->hush_id || now >= stage->hush_until)
        return true;
    stage->hush_until = now;
    return silence_expire(database, stage->hush_id, NULL, now, error);
}

void hush_obey(struct stage *stage, struct alerting *alerting)
{
    const struct database_config config = {
        .path = ALERTING_DATABASE,
        .migrations = schema_migrations,
        .busy_ms = 1000,
    };
    struct error error = { 0 };
    uint64_t wanted = stage->hushes;
    int64_t for_s = stage->hush_s;
    if (stage->hushed == wanted)
        return;
    struct database *database = database_open(&config, &error);
    bool ok =
        database && (for_s ? put(database, stage, for_s, &error) : expire(database, stage, &error));
    database_close(database);
    if (!ok)
        return;
    stage->hushed = wanted;
    alerting_wake(alerting);
}
