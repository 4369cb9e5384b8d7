#pragma once
/* What Azure says of the rules of baselines: why they matter and how to meet them, once per rule.
 */
#include "collectors/baselines.h"

struct baselines_rule_text {
    const char *description, *remediation; /* HTML as Azure writes it; "" when it says nothing */
};

struct baselines_texts;
struct baselines_texts *baselines_texts_create(void);
void baselines_texts_destroy(struct baselines_texts *texts); /* NULL is fine */

/* Add that of a rule; the first that says something holds. impact: told with the description. What
 * says nothing ("N/A") is nothing. */
void baselines_texts_add(struct baselines_texts *texts, const char *rule_id,
                         const char *description, const char *impact, const char *remediation);

/* Add what the run before knew of rules of which this one says nothing. older: NULL = nothing. */
void baselines_texts_carry(struct baselines_texts *texts, const struct baselines_texts *older);

/* The text of a rule, NULL when nothing is known. texts: NULL = nothing. */
const struct baselines_rule_text *baselines_texts_find(const struct baselines_texts *texts,
                                                       const char *rule_id);
