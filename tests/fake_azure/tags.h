#pragma once
/* Tags of resources, resource groups and subscriptions: a subscription has `Environment`, all else
 * is what the tests say. source: Resource Manager, "Use tags to organize your Azure resources". */
#include "tenant.h"

struct tag {
    char *id;           /* of what has it, as it was given */
    char *name, *value; /* names in whatever case they are written */
};

/* Give something a tag, replace it (its name is compared without case), or remove it: value "". */
void tags_set(struct tenant *tenant, const char *id, const char *name, const char *value);

/* What something has: "name=value", a line each. */
const char *tags_lines(const struct tenant *tenant, const char *id, struct arena *scratch);

/* What a new tenant has. */
void tags_build(struct tenant *tenant);
void tags_finish(struct tenant *tenant);
