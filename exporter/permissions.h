#pragma once
/* Whether the identity may read what the sources need: hears what each query of one run of them
 * came to, and judges it. Resource Graph does not refuse: it leaves out the rows that may not be
 * read, so an answer without rows proves nothing, in either direction. */
#include "alerts/view/view_table.h"
#include "exporter/config.h"

enum permission {
    PERMISSION_WORKS,
    PERMISSION_PARTLY,   /* something is refused, the rest works */
    PERMISSION_DENIED,   /* what it cannot do without is refused */
    PERMISSION_UNPROVEN, /* nothing is refused, but of some of it no rows came */
    PERMISSION_FAILED,   /* for a reason that is none of rights */
    PERMISSION_NOT_ASKED,
    PERMISSION_COUNT
};
extern const char *const permissions_words[];

struct permissions;
struct permissions *permissions_create(const struct source_list *sources);
void permissions_destroy(struct permissions *permissions);

/* A collect_ear: context is the permissions. */
void permissions_hear(void *context, const struct source *source,
                      const struct collect_outcome *outcome);

/* The columns of what is written. */
extern const struct view_table permissions_table;

/* Append a line of JSON for each source that is on, and, for people, why to `reasons`, a line for
 * each of which there is something to say. True when nothing is refused and everybody was asked. */
bool permissions_write(const struct permissions *permissions, const struct config *config,
                       const struct snapshot *snapshot, struct buf *lines, struct buf *reasons);

/* Append the action that Azure's text says is missing; false when it names none. */
bool permissions_action(const char *message, struct buf *out);

/* Append a role as `az role definition create` takes it, of what the sources of a tenant that are
 * on need. scope: where it may be assigned; NULL = the subscriptions that are named, else all of
 * the tenant. ERROR_CONFIG: nobody knows which tenant that is. */
bool permissions_role(const struct config *config, size_t tenant, const char *scope,
                      struct buf *out, struct error *error) MUST_USE;
