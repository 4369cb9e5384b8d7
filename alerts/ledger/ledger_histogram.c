#include "alerts/ledger/ledger_histogram.h"

#include "alerts/store/rows.h"

struct kept {
    const char *family, *labels;
    const char *histogram; /* as exponential_write has it */
};
static const struct row_field kept_fields[] = {
    ROW_TEXT(struct kept, family, "family"),
    ROW_TEXT(struct kept, labels, "labels"),
    ROW_TEXT(struct kept, histogram, "histogram"),
    { 0 },
};
static const struct rows_table kept_rows = { "ledger_histogram", 2, kept_fields };

bool ledger_histogram_save(struct database *database, const char *family, const char *labels,
                           const struct exponential *histogram, struct error *error)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    exponential_write(histogram, &text);
    const struct kept kept = { family, labels, buf_cstr(&text) };
    return rows_upsert(database, &kept_rows, &kept, error) ||
           error_wrap(error, "keeping %s", labels);
}

bool ledger_histogram_load(struct database *database, ledger_histogram_visit *visit, void *context,
                           struct error *error)
{
    struct database_statement *statement = rows_select(database, &kept_rows, "");
    for (bool found;;) {
        struct kept kept;
        struct exponential histogram;
        if (!rows_next(statement, &kept_rows, NULL, &kept, &found, error))
            return error_wrap(error, "reading the ledger's histograms");
        if (!found)
            return true;
        if (exponential_read(kept.histogram, &histogram))
            visit(context, kept.family, kept.labels, &histogram);
    }
}
