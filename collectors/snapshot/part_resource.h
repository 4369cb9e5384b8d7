#pragma once
/* Where an open finding is, as a part keeps it: the id of its resource cut into what repeats, the
 * cloud it is of and what it is called there. */
#include "collectors/snapshot/part.h"

struct part_resource {
    const char *subscription_id, *id; /* lower case */
    size_t id_length;
};

/* Fill in where the resource of a row is. */
void part_resource_put(struct part *part, struct part_finding *finding, const struct part_row *row,
                       const struct part_resource *resource);

/* Remember the connector that an id (any case) is below, if it is below one; those that the older
 * part saw in a subscription. */
void part_resource_see(struct part *part, const char *id);
void part_resource_carry(struct part *part, const struct part *older, const char *subscription_id);

/* All rows have come: connectors that are called alike in one subscription are told apart by their
 * resource groups ("group/name"), as their scores are. */
void part_resource_seal(struct part *part);

/* The finding as readers see it, all but the id of its resource; and that. */
void part_resource_outline(const struct part *part, const struct part_finding *finding,
                           struct finding *view);
void part_resource_id(const struct part *part, const struct part_finding *finding,
                      char out[PART_ID_BYTES]);

/* Nothing can be added any more: the numbering is given back, the numbers stay. */
void part_resource_numbered(struct part *part);

/* Whether resources of a cloud have types of their own: to Azure, all that stands below a connector
 * of AWS or GCP is of one. */
bool part_resource_has_own_type(enum cloud_kind cloud);

/* The id of the connector that findings of an origin (part_finding) are below, "" = of none. */
const char *part_resource_scope(const struct part *part, uint32_t origin);

/* The cloud of an open finding. */
enum cloud_kind part_resource_cloud(const struct part *part, const struct part_finding *finding);
