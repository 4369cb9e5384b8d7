#pragma once
/* What a message would say of findings, for pages: both use the same words, made by the same code.
 */
#include "alerts/notify/notification_build.h"
#include "alerts/notify/settings.h"
#include "alerts/view/view.h"
#include "exporter/pages/page.h"

/* What pages about findings read; all borrowed. */
struct told_context {
    const struct view *view;         /* those that the filter lets through */
    const struct settings *settings; /* for links and words */
    struct database *database;       /* NULL = what is gone is not known */
};

/* A finding and its dates. */
struct told_finding {
    struct finding finding;
    bool open;
    int64_t opened_at, due_at, ended_at;
    const char *reason; /* why it is over; "" while open */
};

/* The block of a notification about these findings, which are of one recommendation. NULL and
 * *error: the database failed. Texts live in page->arena. */
const struct notification_block *told_block(const struct page *page,
                                            const struct told_context *context,
                                            const struct told_finding *findings, size_t count,
                                            struct error *error) MUST_USE;

/* Whom governance assigned it to; "" = nobody, or the operator wants no persons told. */
const char *told_owner(const struct told_context *context, const struct finding *finding);

/* Append its links; what is wrong, why it matters and how to fix it, as the catalogue has it; rows
 * of a list of facts. finding: one of the block's. */
void told_links(struct page *page, const struct notification_block *block);
void told_sections(struct page *page, const struct told_context *context,
                   const struct finding *finding, const struct notification_block *block);
void told_facts(struct page *page, const struct finding *finding,
                const struct notification_block *block);

/* A row of a list of facts; nothing when text is "". */
void told_fact(struct page *page, const char *name, const char *text);

/* A recommendation by its title, leading to its page. */
void told_recommendation(struct page *page, const struct view_recommendation *recommendation);

/* What people call a resource (id in lower case): the last segment, of a subscription its name. */
const char *told_resource_name(const struct page *page, const char *resource_id);

/* A resource by that name, leading to its page. */
void told_resource(struct page *page, const char *resource_id);

/* A subscription by its name, leading to the recommendations that are open in it. */
void told_subscription(struct page *page, const char *subscription_id);

/* What people call the resource of a finding; that name, leading to the finding. */
const char *told_finding_name(const struct page *page, const struct finding *finding);
void told_finding_link(struct page *page, const struct finding *finding);

/* What happened, in a few words: "Open again, Critical". */
void told_event(struct page *page, const struct event *event);
