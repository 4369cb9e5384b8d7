#pragma once
/* The ledger's tables: one function a statement. The writing ones inside a transaction. */
#include "alerts/ledger/ledger.h"
#include "core/intern.h"

/* The columns of an open finding that the ledger keeps in memory. */
struct ledger_row {
    struct finding_id id;
    const struct source *source; /* NULL = one nobody knows any more */
    const char *subscription_id; /* until the next row */
    enum risk_level risk;
    int64_t opened_at, overdue_at, absent_at;
    uint32_t episode;
    bool quiet;
};

/* Walk the open findings, in no order. */
typedef void ledger_rows_visit(void *context, const struct ledger_row *row);
bool ledger_rows_load(struct database *database, const struct source_list *sources,
                      ledger_rows_visit *visit, void *context, struct error *error) MUST_USE;

/* What an earlier life of a finding left; episode 0 = there was none. */
struct ledger_past {
    uint32_t episode;
    int reason;
    int64_t resolved_at;
};
bool ledger_rows_past(struct database *database, const struct finding_id *id,
                      struct ledger_past *past, struct error *error) MUST_USE;

/* Write a finding that opened: a new row, or the old one under its next episode. */
bool ledger_rows_open(struct database *database, const struct finding *finding, uint32_t episode,
                      int64_t at, bool quiet, struct error *error) MUST_USE;

/* Write another risk of a finding; it is not quiet any more. overdue_at: 0 = it may become overdue
 * again. */
bool ledger_rows_change(struct database *database, const struct finding *finding,
                        int64_t overdue_at, struct error *error) MUST_USE;
bool ledger_rows_resolve(struct database *database, const struct finding_id *id, int reason,
                         int64_t at, struct error *error) MUST_USE;
bool ledger_rows_absent(struct database *database, const struct finding_id *id, int64_t at,
                        struct error *error) MUST_USE;
/* Write that a finding is overdue; it is not quiet any more. */
bool ledger_rows_overdue(struct database *database, const struct finding_id *id, int64_t at,
                         struct error *error) MUST_USE;

/* Write the recommendation of a finding. */
bool ledger_rows_assess(struct database *database, const struct finding *finding, int64_t at,
                        struct error *error) MUST_USE;

/* Fill a finding from its row; texts go to the table. *found false when there is none. */
bool ledger_rows_read(struct database *database, const struct source_list *sources,
                      const struct finding_id *id, struct intern *texts, struct finding *finding,
                      bool *found, struct error *error) MUST_USE;

/* Columns that ledger_rows_finding reads, in its order, of `f` and `a`; and the tables. */
#define LEDGER_ROWS_FINDING                                                                        \
    "f.id, f.source, f.assessment_id, a.title, a.category, f.subscription_id, f.resource_id,"      \
    " f.resource_type, f.resource_group, f.resource_name, f.risk_factors, f.risk, f.severity,"     \
    " f.contextual, f.internet_exposed, f.attack_paths, f.first_seen_at, f.changed_at"
#define LEDGER_ROWS_ASSESSMENT                                                                     \
    " LEFT JOIN ledger_assessment a ON a.source = f.source AND a.id = f.assessment_id"
enum { LEDGER_ROWS_FINDING_COUNT = 18 };

/* Read those columns, the first being number `column`. False for a source nobody knows. */
bool ledger_rows_finding(struct database_statement *statement, int column,
                         const struct source_list *sources, struct intern *texts,
                         struct finding *finding) MUST_USE;
