#include "exporter/pages/compliance_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/compliance.h"
#include "core/firsts.h"
#include "core/memory.h"
#include "exporter/pages/known.h"
#include "exporter/pages/told.h"

/* What stands under one name: a standard, or one of its controls. */
struct sum {
    const struct part *part;
    const struct compliance_standing *first;
    double counts[COMPLIANCE_STATE_COUNT]; /* of what is told */
    size_t places, untold;                 /* subscriptions; of them those that tell no number */
};

struct sums {
    struct sum *list;
    size_t count, capacity;
    struct firsts firsts;
};

static void add(struct sums *sums, const struct part *part, const char *name,
                const struct compliance_standing *row)
{
    size_t place = firsts_put(&sums->firsts, name, strlen(name), sums->count);
    if (place == sums->count) {
        MEMORY_GROW(sums->list, sums->count, sums->capacity);
        sums->list[sums->count++] = (struct sum){ .part = part, .first = row };
    }
    struct sum *sum = &sums->list[place];
    sum->places++;
    sum->untold += isnan(row->counts[COMPLIANCE_FAILED]);
    for (int state = 0; state < COMPLIANCE_STATE_COUNT; state++)
        sum->counts[state] += isnan(row->counts[state]) ? 0 : row->counts[state];
}

/* The next row that counts, of a standard or of any when it is "". */
struct walk {
    const struct snapshot *snapshot;
    const char *standard;
    size_t part, row;
};

static const struct compliance_standing *next(struct walk *walk, const struct part **part)
{
    for (; walk->part < walk->snapshot->sources->count; walk->part++, walk->row = 0) {
        size_t count;
        const struct compliance_standing *rows =
            compliance_standings(walk->snapshot->parts[walk->part], &count);
        while (walk->row < count) {
            const struct compliance_standing *row = &rows[walk->row++];
            *part = walk->snapshot->parts[walk->part];
            if (!row->dropped && (!*walk->standard || !strcmp(row->standard, walk->standard)))
                return row;
        }
    }
    return NULL;
}

/* Most failing first, then by name. */
static int compare(const void *left, const void *right)
{
    const struct sum *a = left, *b = right;
    if (a->counts[COMPLIANCE_FAILED] != b->counts[COMPLIANCE_FAILED])
        return a->counts[COMPLIANCE_FAILED] > b->counts[COMPLIANCE_FAILED] ? -1 : 1;
    int order = strcmp(a->first->standard, b->first->standard);
    return order ? order : strcmp(a->first->control, b->first->control);
}

/* Standards, or the failing controls of one. */
static struct sums add_up(const struct snapshot *snapshot, const char *standard)
{
    struct sums sums = { 0 };
    struct walk walk = { snapshot, standard, 0, 0 };
    const struct part *part;
    for (const struct compliance_standing *row; (row = next(&walk, &part));) {
        bool of_control = *row->control != 0;
        if (of_control != (*standard != 0) || (of_control && !(row->counts[COMPLIANCE_FAILED] > 0)))
            continue;
        add(&sums, part, of_control ? row->control : row->standard, row);
    }
    if (sums.count)
        qsort(sums.list, sums.count, sizeof *sums.list, compare);
    return sums;
}

static void finish(struct sums *sums)
{
    free(sums->list);
    firsts_finish(&sums->firsts);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static void append_number(struct page *page, double number)
{
    if (isnan(number))
        page_html(page, "not told");
    else
        page_number(page, number > 0 ? (uint64_t)number : 0);
}

/* Passed of those that pass or fail. */
static void append_ratio(struct page *page, const double counts[COMPLIANCE_STATE_COUNT])
{
    double failed = counts[COMPLIANCE_FAILED], passed = counts[COMPLIANCE_PASSED];
    if (failed + passed > 0)
        buf_printf(page->out, "%.0f %%", 100 * passed / (failed + passed));
}

/* The cells of a row that tells of controls. */
static void append_counts(struct page_table *table, const double counts[COMPLIANCE_STATE_COUNT],
                          bool told)
{
    static const enum compliance_state order[] = { COMPLIANCE_PASSED, COMPLIANCE_FAILED,
                                                   COMPLIANCE_SKIPPED, COMPLIANCE_UNSUPPORTED };
    page_table_cell(table);
    append_ratio(table->page, counts);
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        page_table_cell(table);
        append_number(table->page, told ? counts[order[i]] : NAN);
    }
}

/* --- all standards ---------------------------------------------------------------------------- */

static void append_standards(struct page *page, const struct sums *sums)
{
    static const struct page_column columns[] = {
        { "Standard", false },     { "Share passed", true },  { "Passed", true },
        { "Failed", true },        { "Skipped", true }, { "Unsupported", true },
        { "Subscriptions", true }, { NULL, false },
    };
    struct page_table table = { page, columns };
    page_table_begin(&table, "Controls by state, summed over subscriptions; most failed first");
    for (size_t i = 0; i < sums->count; i++) {
        const struct sum *sum = &sums->list[i];
        page_table_row(&table);
        page_table_cell(&table);
        page_link(page, "/compliance?standard=", sum->first->standard, true, sum->first->standard);
        append_counts(&table, sum->counts, sum->untold < sum->places);
        page_table_cell(&table);
        page_number(page, sum->places);
        if (sum->untold)
            buf_printf(page->out, " (%zu not told)", sum->untold);
    }
    page_table_end(&table);
}

/* --- one standard ----------------------------------------------------------------------------- */

static void append_places(struct page *page, const char *standard)
{
    static const struct page_column columns[] = {
        { "Subscription", false }, { "Share passed", true },  { "Passed", true },
        { "Failed", true },        { "Skipped", true }, { "Unsupported", true },
        { NULL, false },
    };
    struct page_table table = { page, columns };
    struct walk walk = { page->snapshot, standard, 0, 0 };
    const struct part *part;
    page_heading(page, "Where");
    page_table_begin(&table, "Its controls by state, by subscription");
    for (const struct compliance_standing *row; (row = next(&walk, &part));) {
        if (*row->control)
            continue;
        page_table_row(&table);
        page_table_cell(&table);
        told_subscription(page, row->subscription_id);
        append_counts(&table, row->counts, !isnan(row->counts[COMPLIANCE_FAILED]));
    }
    page_table_end(&table);
}

static void append_controls(struct page *page, const struct sums *sums)
{
    static const struct page_column columns[] = {
        { "Control", false },
        { "What it asks for", false },
        { "Failing resources", true },
        { "Subscriptions", true },
        { NULL, false },
    };
    struct page_table table = { page, columns };
    page_heading(page, "Controls that fail");
    if (!sums->count) {
        page_paragraph(page, "No control is told of with resources that fail it.");
        return;
    }
    page_table_begin(&table, "Most resources first; one that fails two assessments counts twice");
    for (size_t i = 0; i < sums->count; i++) {
        const struct sum *sum = &sums->list[i];
        page_table_row(&table);
        page_table_cell(&table);
        page_text(page, sum->first->control);
        page_table_cell(&table);
        page_text(page, compliance_title(sum->part, sum->first->standard, sum->first->control));
        page_table_cell(&table);
        append_number(page, sum->counts[COMPLIANCE_FAILED]);
        page_table_cell(&table);
        page_number(page, sum->places);
    }
    page_table_end(&table);
}

static bool is_known(const struct snapshot *snapshot, const char *standard)
{
    struct walk walk = { snapshot, standard, 0, 0 };
    const struct part *part;
    return next(&walk, &part) != NULL;
}

bool compliance_page(struct page *page, const char *standard)
{
    if (*standard && !is_known(page->snapshot, standard))
        return false;
    CLEANUP(finish) struct sums sums = add_up(page->snapshot, standard);
    page_begin(page, PAGE_COMPLIANCE, *standard ? standard : "Compliance");
    bool known = known_say(page, "compliance");
    page_whole(page);
    if (*standard) {
        append_places(page, standard);
        append_controls(page, &sums);
    } else if (sums.count) {
        append_standards(page, &sums);
    } else if (known) {
        page_paragraph(page, "Azure tells of no standard: none is assigned in what could be seen.");
    }
    page_end(page);
    return true;
}
