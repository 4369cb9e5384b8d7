#pragma once
/* The ledger's tables: one function a statement. The writing ones inside a transaction. */
#include "alerts/ledger/ledger.h"
#include "alerts/store/rows.h"
#include "core/intern.h"

/* The columns of an open finding that the ledger keeps in memory. */
struct ledger_row {
    struct finding_id id;
    const struct source *source; /* NULL = one nobody knows any more */
    const char *subscription_id; /* until the next row */
    enum risk_level risk;
    int64_t opened_at, seen_at, spent_s, changed_at, overdue_at, absent_at, governed_at;
    uint32_t episode;
    bool quiet;
};

/* Key in `store`: the number of the last event, when that is deleted. */
#define LEDGER_ROWS_LAST "history.last"

/* The number of the last event that was recorded, deleted or not; 0 = none was. */
bool ledger_rows_last(struct database *database, int64_t *sequence, struct error *error) MUST_USE;

/* The number before that of the first event of an instant or later; that of the last when there is
 * none. */
bool ledger_rows_before(struct database *database, int64_t since, int64_t *sequence,
                        struct error *error) MUST_USE;

/* Delete up to SCHEMA_PRUNE_ROWS of the oldest events before an instant, and the closed findings
 * they are about that have no later event and no alert. */
bool ledger_rows_prune(struct database *database, int64_t before, struct error *error) MUST_USE;

/* Walk the open findings, in no order. */
typedef void ledger_rows_visit(void *context, const struct ledger_row *row);
bool ledger_rows_load(struct database *database, const struct source_list *sources,
                      ledger_rows_visit *visit, void *context, struct error *error) MUST_USE;

/* Walk those that are over for one of two reasons, in no order: all are read, once. source: NULL =
 * one nobody knows any more. */
typedef void ledger_rows_visit_over(void *context, const struct source *source,
                                    const struct finding_id *id, int reason);
bool ledger_rows_over(struct database *database, const struct source_list *sources,
                      const enum finding_reason reasons[2], ledger_rows_visit_over *visit,
                      void *context, struct error *error) MUST_USE;

/* What an earlier life of a finding left; episode 0 = there was none. */
struct ledger_past {
    uint32_t episode;
    int reason;
    int64_t opened_at, seen_at, spent_s, changed_at, resolved_at, governed_at;
    /* of one that is open: of a source nobody knows any more */
    bool open, quiet;
    enum risk_level risk;
    int64_t overdue_at;
};
bool ledger_rows_past(struct database *database, const struct finding_id *id,
                      struct ledger_past *past, struct error *error) MUST_USE;

/* Write a finding that opened: a new row, or the old one under its next episode. life: what the
 * finding does not say. */
bool ledger_rows_open(struct database *database, const struct finding *finding,
                      const struct ledger_row *life, struct error *error) MUST_USE;

/* Write since when a finding is open, and whether it is overdue by that. */
bool ledger_rows_redate(struct database *database, const struct ledger_row *life,
                        struct error *error) MUST_USE;

/* Write another risk of a finding; it is not quiet any more. overdue_at: 0 = it may become overdue
 * again. */
bool ledger_rows_change(struct database *database, const struct finding *finding,
                        int64_t overdue_at, struct error *error) MUST_USE;
bool ledger_rows_resolve(struct database *database, const struct finding_id *id, int reason,
                         int64_t at, struct error *error) MUST_USE;
/* Write how a finding ended that is over already. */
bool ledger_rows_ended(struct database *database, const struct finding_id *id, int reason,
                       int64_t at, struct error *error) MUST_USE;
bool ledger_rows_absent(struct database *database, const struct finding_id *id, int64_t at,
                        struct error *error) MUST_USE;
/* Write that a finding is overdue, which it is not quiet any more; 0 = that it is not, after all.
 */
bool ledger_rows_overdue(struct database *database, const struct finding_id *id, int64_t at,
                         struct error *error) MUST_USE;

/* Write when governance wants a finding fixed; 0 = it does not. */
bool ledger_rows_govern(struct database *database, const struct finding_id *id, int64_t due_at,
                        struct error *error) MUST_USE;

/* Write that another source tells of an open finding; it is seen. */
bool ledger_rows_move(struct database *database, const struct finding_id *id,
                      const struct source *to, struct error *error) MUST_USE;

/* Write the recommendation of a finding. */
bool ledger_rows_assess(struct database *database, const struct finding *finding, int64_t at,
                        struct error *error) MUST_USE;

/* Walk the recommendations ever seen: key of the source, id, and the category of an individual one
 * ("" of others), until it returns. */
typedef void ledger_rows_visit_assessment(void *context, const char *source, const char *id,
                                          const char *category);
bool ledger_rows_assessments(struct database *database, ledger_rows_visit_assessment *visit,
                             void *context, struct error *error) MUST_USE;

/* Write, and walk, what was seen of which nothing was open yet, or what a catalogue listed: key of
 * the source, and of the recommendation. at: the collection that told of it; 0 = the first of all
 * did. */
bool ledger_rows_see(struct database *database, const char *source, const char *key, int64_t at,
                     struct error *error) MUST_USE;
typedef void ledger_rows_visit_seen(void *context, const char *source, const char *key);
bool ledger_rows_seen(struct database *database, ledger_rows_visit_seen *visit, void *context,
                      struct error *error) MUST_USE;
/* With which `at` it was written; 0, too, when it was not. */
bool ledger_rows_seen_at(struct database *database, const char *source, const char *key,
                         int64_t *at, struct error *error) MUST_USE;

/* Fill a finding from its row; texts go to the table. *found false when there is none. */
bool ledger_rows_read(struct database *database, const struct source_list *sources,
                      const struct finding_id *id, struct intern *texts, struct finding *finding,
                      bool *found, struct error *error) MUST_USE;

/* A finding as it is read, with what its recommendation says; `f` and `a` of the tables. */
struct ledger_rows_known {
    struct finding finding; /* texts as the statement reads them; no source yet */
    const char *source;
    bool has_id;
};
#define LEDGER_ROWS_TABLES(findings)                                                               \
    findings " LEFT JOIN ledger_assessment a ON a.source = f.source AND a.id = f.assessment_id"
/* clang-format off */
#define LEDGER_ROWS_KNOWN(type, in) \
    ROW_BYTES  (type, in.finding.id.bytes, "f.id", in.has_id), \
    ROW_TEXT   (type, in.source, "f.source"), \
    ROW_TEXT   (type, in.finding.assessment_id, "f.assessment_id"), \
    ROW_TEXT   (type, in.finding.title, "a.title"), \
    ROW_TEXT   (type, in.finding.category, "a.category"), \
    ROW_WORD   (type, in.finding.model, "a.model", finding_model_words, MODEL_PLAIN), \
    ROW_TEXT   (type, in.finding.subscription_id, "f.subscription_id"), \
    ROW_TEXT   (type, in.finding.resource_id, "f.resource_id"), \
    ROW_TEXT   (type, in.finding.resource_type, "f.resource_type"), \
    ROW_TEXT   (type, in.finding.resource_group, "f.resource_group"), \
    ROW_TEXT   (type, in.finding.resource_name, "f.resource_name"), \
    ROW_TEXT   (type, in.finding.risk_factors, "f.risk_factors"), \
    ROW_ENUM   (type, in.finding.risk, "f.risk", RISK_COUNT), \
    ROW_ENUM   (type, in.finding.severity, "f.severity", SEVERITY_COUNT), \
    ROW_INTEGER(type, in.finding.contextual, "f.contextual"), \
    ROW_INTEGER(type, in.finding.internet_exposed, "f.internet_exposed"), \
    ROW_INTEGER(type, in.finding.attack_paths, "f.attack_paths"), \
    ROW_ENUM   (type, in.finding.cloud, "f.cloud", CLOUD_COUNT), \
    ROW_TEXT   (type, in.finding.connector, "f.connector"), \
    ROW_TEXT   (type, in.finding.account, "f.account"), \
    ROW_TEXT   (type, in.finding.location, "f.location"), \
    ROW_TEXT   (type, in.finding.native_id, "f.native_id"), \
    ROW_INTEGER(type, in.finding.first_seen_at, "f.first_seen_at"), \
    ROW_INTEGER(type, in.finding.changed_at, "f.changed_at")
/* clang-format on */

/* Find its source; false for one nobody knows, and when there was no row. */
bool ledger_rows_settle(struct ledger_rows_known *known,
                        const struct source_list *sources) MUST_USE;
