#include "alerts/rules/attribute.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/governance.h"
#include "collectors/subscriptions.h"
#include "collectors/tags.h"

const char *const attribute_labels[] = { "subscription_name", "management_group", "control", NULL };

void attribute_finish(struct attribute_names *names)
{
    arena_finish(&names->arena);
    *names = (struct attribute_names){ 0 };
}

/* --- controls --------------------------------------------------------------------------------- */

static int compare_controls(const void *left, const void *right)
{
    const struct attribute_control *a = left, *b = right;
    int order = strcmp(a->is->subscription_id, b->is->subscription_id);
    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static void list_controls(struct attribute_names *names)
{
    const struct snapshot *snapshot = names->snapshot;
    size_t total = 0, count;
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        secure_scores_controls(snapshot->parts[i], &count);
        total += count;
    }
    names->controls = arena_alloc(&names->arena, (total + 1) * sizeof *names->controls);
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t n = 0; n < count; n++, names->control_count++)
            names->controls[names->control_count] =
                (struct attribute_control){ &controls[n], names->control_count };
    }
    qsort(names->controls, total, sizeof *names->controls, compare_controls);
}

/* The place of the first control of a subscription. */
static size_t first_of(const struct attribute_names *names, const char *subscription_id)
{
    size_t low = 0, high = names->control_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(names->controls[middle].is->subscription_id, subscription_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The secure-score control a finding counts for, "" = none. */
static const char *control_of(struct attribute_names *names, const struct finding *finding)
{
    const char *id = finding->subscription_id;
    if (!names->controls)
        list_controls(names);
    for (size_t i = first_of(names, id); i < names->control_count; i++) {
        const struct secure_control *control = names->controls[i].is;
        if (strcmp(control->subscription_id, id) != 0)
            break;
        if (secure_scores_has(control, finding))
            return control->title;
    }
    return "";
}

/* --- all of them ------------------------------------------------------------------------------ */

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

unsigned attribute_put(struct attribute_names *names, const struct finding *finding,
                       struct alert *alert)
{
    const char *id = alert_label_value(alert, "subscription_id");
    const struct subscription *subscription =
        names->snapshot && *id ? subscriptions_find(names->snapshot, id) : NULL;
    if (subscription) {
        put_known(alert, "subscription_name", subscription->name);
        put_known(alert, "management_group", subscription->management_group);
    }
    if (names->snapshot && finding)
        put_known(alert, "control", control_of(names, finding));
    return put_tags(names, finding, alert);
}
