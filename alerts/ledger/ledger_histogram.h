#pragma once
/* The exponential buckets of the ledger's histograms as they are kept: a row of ledger_histogram
 * each, beside the classic buckets in ledger_counter. Evaluator only. */
#include "alerts/store/database.h"
#include "core/exponential.h"

/* Write the row of a family and its labels. Inside a transaction. */
bool ledger_histogram_save(struct database *database, const char *family, const char *labels,
                           const struct exponential *histogram, struct error *error) MUST_USE;

/* Called with each row; what it gets is valid until it returns. A row that cannot be read is left
 * out. */
typedef void ledger_histogram_visit(void *context, const char *family, const char *labels,
                                    const struct exponential *histogram);
bool ledger_histogram_load(struct database *database, ledger_histogram_visit *visit, void *context,
                           struct error *error) MUST_USE;
