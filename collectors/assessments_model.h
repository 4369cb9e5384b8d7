#pragma once
/* Grouped and individual recommendations. Azure tells of packages, secrets and the like in one of
 * two models, and in both while it changes over: one recommendation a resource with all of them
 * (grouped), or one for each (individual). */
#include "collectors/snapshot/part.h"

/* The model of a row. category: metadata.recommendationCategory, "" or "Unknown" for what is not
 * individual (source: the portal's own queries); grouped: it has sub-assessments. */
enum finding_model assessments_model_of(const char *category, bool grouped);

/* The status of a row, and whether the risk of what fails is known. Else ODD_WORD, *error which
 * word is not. */
enum odd_reason assessments_model_status(const char *code, const char *cause, const char *risk,
                                         enum finding_status *status, struct error *error);

/* Whether individual recommendations of a category are the rules of an OS baseline: another
 * collector tells of these. */
bool assessments_model_is_baseline(const char *category);

/* The category of individual recommendations that tell what a grouped one does; "" = nobody knows.
 * Azure has no member that says so: it is known by its key, or guessed from its title. */
const char *assessments_model_kind(const char *assessment_id, const char *title);

/* The resources that have individual recommendations, by category, and what grouped ones are
 * called. Zeroed is ready to use. */
struct assessments_model_seen {
    struct intern keys, named;
    const char **titles; /* by number in named, less one */
    size_t title_count, title_capacity;
};
/* A row of a grouped one, also a healthy one: some rows have no title. */
void assessments_model_name(struct assessments_model_seen *seen, struct part *part,
                            const char *assessment_id, const char *title);
void assessments_model_see(struct assessments_model_seen *seen, const char *resource_id,
                           const char *category);
/* What is seen in another part is seen in this one, too. other: NULL is fine. */
void assessments_model_join(struct assessments_model_seen *seen, struct part *part,
                            const struct assessments_model_seen *other);
void assessments_model_finish(struct assessments_model_seen *seen);

/* Fill in the titles of grouped ones, and close the grouped findings of a settled part where
 * individual recommendations of their kind tell the same of the resource, as retired: what is told
 * one by one is neither counted nor told twice. */
void assessments_model_settle(struct part *part, const struct assessments_model_seen *seen);
