#include "alerts/rules/attribute.h"

#include <string.h>

#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"

const char *const attribute_labels[] = { "subscription_name", "management_group", "control", NULL };

/* The secure-score control a finding counts for, "" = none. */
static const char *control_of(const struct snapshot *snapshot, const struct finding *finding)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count;
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t j = 0; j < count; j++)
            if (!strcmp(controls[j].subscription_id, finding->subscription_id) &&
                secure_scores_counts(&controls[j].scope, finding->resource_id) &&
                secure_scores_holds(&controls[j], finding->assessment_id))
                return controls[j].title;
    }
    return "";
}

static void put_known(struct alert *alert, const char *name, const char *value)
{
    if (*value)
        alert_label(alert, name, value);
}

void attribute_put(const struct snapshot *snapshot, const struct finding *finding,
                   struct alert *alert)
{
    const char *id = alert_label_value(alert, "subscription_id");
    const struct subscription *subscription =
        snapshot && *id ? subscriptions_find(snapshot, id) : NULL;
    if (subscription) {
        put_known(alert, "subscription_name", subscription->name);
        put_known(alert, "management_group", subscription->management_group);
    }
    if (snapshot && finding)
        put_known(alert, "control", control_of(snapshot, finding));
}
