#pragma once
/* Who changed the tenant's resources: what the tables of changes and the activity log say. Every
 * fourth resource was changed by a user, by a program, by Azure itself (the log names a user as
 * well), or by nobody. */
#include "reply.h"

/* The newest change of a resource: what an honest answer says. */
struct change {
    int64_t at;
    const char *type;   /* "User", "Application", "System"; NULL = nobody changed it */
    const char *caller; /* address or object id */
    const char *logged; /* whom the log names */
};
void changes_of(const struct tenant *tenant, size_t resource, struct change *change);

void changes_log(struct request *request, struct reply *reply);

/* GET /_fake/change?id=RESOURCE: the same as facts. */
void changes_fact(struct request *request, struct reply *reply);
