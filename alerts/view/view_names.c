#include "alerts/view/view_names.h"

#include <stdlib.h>
#include <string.h>

#include "collectors/governance.h"
#include "collectors/secure_scores.h"
#include "collectors/tags.h"
#include "core/intern.h"
#include "core/memory.h"

enum { MEMOS = 8192, WHAT_CATALOGUE = 0, WHAT_SUBSCRIPTION, WHAT_CERTAIN, WHAT_CONTROL };

/* An answer, and all that it hangs on. */
struct memo {
    const void *of; /* a text or a part of the snapshot; NULL = nothing is remembered */
    uint64_t kind;
    uint32_t what;
    bool known;
    const void *answer;
};

struct view_names {
    const struct view *view;
    struct intern counted; /* recommendations of all controls */
    struct memo memos[MEMOS];
};

/* The keys of all recommendations that count for a control. */
static void put_counted(const struct snapshot *snapshot, struct intern *keys)
{
    for (size_t i = 0; i < snapshot->sources->count; i++) {
        size_t count, length;
        const struct secure_control *controls = secure_scores_controls(snapshot->parts[i], &count);
        for (size_t n = 0; n < count; n++)
            for (const char *at = controls[n].assessments; *at; at += *at == ',') {
                length = strcspn(at, ",");
                intern_put(keys, at, length);
                at += length;
            }
    }
}

struct view_names *view_names_create(const struct view *view)
{
    struct view_names *names = MEMORY_NEW(struct view_names);
    names->view = view;
    put_counted(view->snapshot, &names->counted);
    return names;
}

void view_names_destroy(struct view_names *names)
{
    if (names)
        intern_finish(&names->counted);
    free(names);
}

/* The place of an answer. *found: it is there; else it is to be filled in. */
static struct memo *memo_of(struct view_names *names, const void *of, uint64_t kind, uint32_t what,
                            bool *found)
{
    uint64_t sum = ((uintptr_t)of ^ kind * 0x9e3779b97f4a7c15 ^ what) * 0x9e3779b97f4a7c15;
    struct memo *memo = &names->memos[sum >> 51];
    _Static_assert(MEMOS == 1 << (64 - 51), "the upper bits of the sum are a place");
    *found = memo->of == of && memo->kind == kind && memo->what == what;
    if (!*found)
        *memo = (struct memo){ of, kind, what, false, NULL };
    return memo;
}

const struct catalogue_entry *view_names_catalogue(struct view_names *names,
                                                   const struct finding *finding)
{
    bool found;
    struct memo *memo =
        memo_of(names, finding->assessment_id, (uintptr_t)finding->source, WHAT_CATALOGUE, &found);
    if (!found)
        memo->answer =
            catalogue_find(names->view->snapshot, finding->source->tenant, finding->assessment_id);
    return memo->answer;
}

const struct subscription *view_names_subscription(struct view_names *names,
                                                   const struct finding *finding)
{
    bool found;
    struct memo *memo = memo_of(names, finding->subscription_id, 0, WHAT_SUBSCRIPTION, &found);
    if (!found)
        memo->answer = subscriptions_find(names->view->snapshot, finding->subscription_id);
    return memo->answer;
}

/* --- controls --------------------------------------------------------------------------------- */

/* Whether the controls of where a finding is are known. */
static bool is_certain(struct view_names *names, const struct finding *finding)
{
    bool found;
    const struct snapshot *snapshot = names->view->snapshot;
    struct memo *memo = memo_of(names, finding->subscription_id, 0, WHAT_CERTAIN, &found);
    for (size_t i = 0; !found && !memo->known && i < snapshot->sources->count; i++)
        memo->known = snapshot->parts[i] &&
                      secure_scores_are_from(&snapshot->sources->sources[i]) &&
                      !part_is_unread(snapshot->parts[i], finding->subscription_id);
    return memo->known;
}

static const struct secure_control *find_control(const struct view *view, size_t number)
{
    char scratch[PART_ID_BYTES];
    struct finding finding;
    view_finding(view, number, &finding, scratch);
    return secure_scores_control_of(view->snapshot, &finding);
}

/* The same of all findings of one recommendation, subscription and origin: a resource's connector
 * is part of its origin, unless there were too many of these. */
static const struct secure_control *control_of(struct view_names *names, size_t number)
{
    bool found;
    const struct view_finding *at = &names->view->findings[number];
    const struct part *part = names->view->snapshot->parts[at->source];
    const struct part_finding *row = &part->findings[at->index];
    if (part->origin_keys.count > part->origin_count + 1)
        return find_control(names->view, number);
    uint64_t kind = (uint64_t)row->subscription << 32 | row->assessment;
    struct memo *memo =
        memo_of(names, part, kind, WHAT_CONTROL | (uint32_t)row->origin << 8, &found);
    if (!found)
        memo->answer = find_control(names->view, number);
    return memo->answer;
}

/* Some count for none: rules of baselines, attack paths. */
const char *view_names_control(struct view_names *names, size_t number,
                               const struct finding *finding, bool *known)
{
    *known = is_certain(names, finding);
    uint32_t key =
        intern_find(&names->counted, finding->assessment_id, strlen(finding->assessment_id));
    const struct secure_control *control = key == UINT32_MAX ? NULL : control_of(names, number);
    return control ? control->title : "";
}

/* --- tags and owners -------------------------------------------------------------------------- */

const char *view_names_tag(struct view_names *names, size_t number, const struct finding *finding,
                           const char *tag, bool *known)
{
    char scratch[PART_ID_BYTES];
    struct finding whole;
    view_finding(names->view, number, &whole, scratch);
    const struct tags_subject subject = { finding->subscription_id, whole.resource_id };
    return tags_value(names->view->snapshot, &subject, tag, known);
}

const char *view_names_owner(struct view_names *names, const struct finding *finding, bool *known)
{
    struct governance found = { .owner = "" };
    governance_find(names->view->snapshot, finding->subscription_id, &finding->id, &found, known);
    return found.owner;
}
