#pragma once
/* What others tell of a finding: its control, subscription, catalogue entry, tags and owner. Each
 * is a search, and many findings share the answer: it is remembered. One thread. */
#include "alerts/view/view.h"
#include "collectors/catalogue.h"
#include "collectors/subscriptions.h"

struct view_names;

/* Of the findings of a view, which it borrows. */
struct view_names *view_names_create(const struct view *view);
void view_names_destroy(struct view_names *names); /* NULL is fine */

/* Each of a finding that view_outline filled in; texts live as long as the snapshot, "" and NULL
 * are none. *known: that is certain. */
const struct catalogue_entry *view_names_catalogue(struct view_names *names,
                                                   const struct finding *finding);
const struct subscription *view_names_subscription(struct view_names *names,
                                                   const struct finding *finding);
const char *view_names_control(struct view_names *names, size_t number,
                               const struct finding *finding, bool *known);
const char *view_names_tag(struct view_names *names, size_t number, const struct finding *finding,
                           const char *tag, bool *known);
const char *view_names_owner(struct view_names *names, const struct finding *finding, bool *known);
