#include "alerts/rules/attribute.h"

#include <string.h>

#include "collectors/governance.h"
#include "collectors/secure_scores.h"
#include "collectors/subscriptions.h"
#include "collectors/tags.h"

const char *const attribute_labels[] = { "subscription_name", "management_group", "control", NULL };

static void put_known(struct alert *alert, const char *name, const char *value)
{
    if (*value)
        alert_label(alert, name, value);
}

/* The owner of a finding, "" = none is known. */
static const char *owner_of(const struct attribute_names *names, const struct finding *finding,
                            bool *known)
{
    struct governance found = { .owner = "" };
    *known = false;
    if (finding)
        governance_find(names->snapshot, finding->subscription_id, &finding->id, &found, known);
    return found.owner;
}

/* Of where the finding is, else of the subscription the alert is about. */
static unsigned put_tags(const struct attribute_names *names, const struct finding *finding,
                         struct alert *alert)
{
    unsigned known = 0;
    const struct tags_subject subject = {
        .subscription_id = alert_label_value(alert, "subscription_id"),
        .resource_id = finding ? finding->resource_id : "",
    };
    if (!names->snapshot || !names->tags || !*subject.subscription_id)
        return 0;
    for (size_t i = 0; i < names->tags->count; i++) {
        const struct tag_label *tag = &names->tags->items[i];
        bool is_known;
        put_known(alert, tag->name,
                  tag->tag ? tags_value(names->snapshot, &subject, tag->tag, &is_known)
                           : owner_of(names, finding, &is_known));
        known |= (unsigned)is_known << i;
    }
    return known;
}

unsigned attribute_put(const struct attribute_names *names, const struct finding *finding,
                       struct alert *alert)
{
    const char *id = alert_label_value(alert, "subscription_id");
    const struct subscription *subscription =
        names->snapshot && *id ? subscriptions_find(names->snapshot, id) : NULL;
    if (subscription) {
        put_known(alert, "subscription_name", subscription->name);
        put_known(alert, "management_group", subscription->management_group);
    }
    const struct secure_control *control =
        names->snapshot && finding ? secure_scores_control_of(names->snapshot, finding) : NULL;
    if (control)
        put_known(alert, "control", control->title);
    return put_tags(names, finding, alert);
}
