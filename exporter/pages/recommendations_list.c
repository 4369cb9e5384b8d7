#include "exporter/pages/recommendations_list.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/notify/notification_names.h"
#include "alerts/text/resource_type.h"
#include "exporter/pages/known.h"
#include "exporter/pages/told.h"

enum { ROWS_A_PAGE = 200 };

/* While the list is written. */
struct listing {
    struct page *page;
    const struct view *view;
    const struct recommendations_asked *asked;
    const struct view_groups *groups;
    const uint32_t *order;
    struct page_table table;
    bool by_risk;
    size_t row; /* of all that is asked for, so far */
};

/* --- what is chosen --------------------------------------------------------------------------- */

/* The list as it is, but for what is chosen anew. */
static void put_path(const struct recommendations_asked *asked, const char *by, const char *order,
                     const char *group, struct buf *out)
{
    page_query(out, "/recommendations", "by", by ? by : asked->by);
    page_query(out, "", "order", order ? order : asked->order);
    page_query(out, "", "group", group ? group : asked->group);
}

static void append_choices(struct page *page, const struct recommendations_asked *asked)
{
    CLEANUP(buf_finish) struct buf by = { 0 };
    CLEANUP(buf_finish) struct buf order = { 0 };
    const char *words[16 + TAG_LABELS_MAX];
    size_t count = 0;
    for (const char *const *word = view_by_words; *word; word++)
        if (view_groups_knows(*word, asked->tags))
            words[count++] = *word;
    for (size_t i = 0; asked->tags && i < asked->tags->count; i++)
        if (asked->tags->items[i].tag)
            words[count++] = asked->tags->items[i].name;
    words[count] = NULL;
    put_path(asked, "", NULL, "", &by);
    page_choices(page, "Grouped by", buf_cstr(&by), "by", words, asked->by);
    put_path(asked, NULL, "", NULL, &order);
    page_choices(page, "In the order of", buf_cstr(&order), "order", view_sort_words, asked->order);
}

/* What the groups hang on, where it may not be known. */
static void append_lacks(struct page *page, const char *by)
{
    static const struct {
        const char *by, *collector;
    } rows[] = { { "control", "secure_scores" },
                 { "management_group", "subscriptions" },
                 { "owner", "governance" } };
    const char *collector = "tags";
    for (const char *const *word = view_by_words; *word; word++)
        if (!strcmp(*word, by))
            collector = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
        if (!strcmp(rows[i].by, by))
            collector = rows[i].collector;
    if (collector)
        known_warn(page, collector);
}

/* --- groups ----------------------------------------------------------------------------------- */

static const char *title_of(const struct listing *listing, const char *key)
{
    const struct notification_context names = { .snapshot = listing->view->snapshot };
    const char *by = listing->asked->by;
    if (!strcmp(key, VIEW_GROUP_NONE))
        return "None";
    if (!strcmp(key, VIEW_GROUP_UNKNOWN))
        return "Not known";
    if (!strcmp(by, "subscription"))
        return notification_names_subscription(&names, key, listing->page->arena);
    if (!strcmp(by, "cloud"))
        return cloud_kind_names[cloud_kind_of(key, "")];
    return strcmp(by, "resource_type") ? key : resource_type_words(key);
}

static void append_heading(struct listing *listing, const struct view_group *group)
{
    struct page *page = listing->page;
    CLEANUP(buf_finish) struct buf path = { 0 };
    int risk = 0;
    while (listing->by_risk && risk < RISK_NOT_EVALUATED &&
           strcmp(finding_risk_words[risk], group->key) != 0)
        risk++;
    put_path(listing->asked, NULL, NULL, group->key, &path);
    page_html(page, "<h2");
    if (listing->by_risk)
        buf_printf(page->out, " id=\"%s\"", finding_risk_words[risk]);
    page_html(page, "><a href=\"");
    page_path(page, buf_cstr(&path), NULL, true);
    page_html(page, "\">");
    if (listing->by_risk)
        page_risk(page, (enum risk_level)risk);
    else
        page_text(page, title_of(listing, group->key));
    page_html(page, "</a></h2>\n");
}

static void begin_group(struct listing *listing, const struct view_group *group)
{
    CLEANUP(buf_finish) struct buf caption = { 0 };
    append_heading(listing, group);
    buf_printf(&caption, "%zu recommendation%s, %zu finding%s", group->count,
               group->count == 1 ? "" : "s", group->findings, group->findings == 1 ? "" : "s");
    if (group->overdue)
        buf_printf(&caption, ", %zu overdue", group->overdue);
    page_table_begin(&listing->table, buf_cstr(&caption));
}

static void append_row(struct listing *listing, const struct view_cell *cell)
{
    struct page *page = listing->page;
    struct page_table *table = &listing->table;
    const struct view_recommendation *of = &listing->view->recommendations[cell->recommendation];
    page_table_row(table);
    page_table_cell(table);
    told_recommendation(page, of);
    if (!listing->by_risk) {
        page_table_cell(table);
        page_risk(page, (enum risk_level)cell->risk);
    }
    page_table_cell(table);
    page_number(page, cell->count);
    page_table_cell(table);
    page_age(page, cell->oldest_at);
    page_table_cell(table);
    page_due(page, cell->due_at);
    page_table_cell(table);
    if (cell->overdue)
        page_number(page, cell->overdue);
    page_table_cell(table);
    if (of->points > 0)
        buf_printf(page->out, "+%.2f", of->points);
    page_table_cell(table);
    if (cell->attack_paths)
        page_number(page, cell->attack_paths);
    page_table_cell(table);
    page_text(page, of->source->name);
}

/* The rows of a group that are on the page. */
static void append_group(struct listing *listing, const struct view_group *group)
{
    static const struct page_column of_level[] = {
        { "Recommendation", false }, { "Findings", true }, { "Oldest", true },
        { "First due", false },      { "Overdue", true },  { "Points", true },
        { "Attack paths", true },    { "From", false },    { NULL, false },
    };
    static const struct page_column of_any[] = {
        { "Recommendation", false }, { "Worst", false },
        { "Findings", true },        { "Oldest", true },
        { "First due", false },      { "Overdue", true },
        { "Points in all", true },   { "Attack paths", true },
        { "From", false },           { NULL, false },
    };
    size_t from = listing->asked->from, to = from + ROWS_A_PAGE;
    size_t begin = listing->row, end = begin + group->count;
    listing->row = end;
    if (end <= from || begin >= to)
        return;
    listing->table = (struct page_table){ listing->page, listing->by_risk ? of_level : of_any };
    begin_group(listing, group);
    for (size_t i = 0; i < group->count; i++)
        if (begin + i >= from && begin + i < to)
            append_row(listing, &listing->groups->cells[listing->order[group->first + i]]);
    page_table_end(&listing->table);
}

/* --- the page --------------------------------------------------------------------------------- */

static void append_groups(struct listing *listing)
{
    const struct recommendations_asked *asked = listing->asked;
    CLEANUP(buf_finish) struct buf path = { 0 };
    for (size_t i = 0; i < listing->groups->count; i++)
        if (!*asked->group || !strcmp(asked->group, listing->groups->groups[i].key))
            append_group(listing, &listing->groups->groups[i]);
    if (!listing->row)
        page_empty(listing->page);
    put_path(asked, NULL, NULL, NULL, &path);
    page_more(listing->page, buf_cstr(&path), asked->from, ROWS_A_PAGE, listing->row);
    if (!*asked->group)
        return;
    CLEANUP(buf_finish) struct buf all = { 0 };
    put_path(asked, NULL, NULL, "", &all);
    page_html(listing->page, "<p>");
    page_link(listing->page, buf_cstr(&all), NULL, true, "All groups");
    page_html(listing->page, "</p>\n");
}

static int sort_of(const char *order)
{
    int sort = 0;
    while (sort < VIEW_SORT_COUNT && strcmp(view_sort_words[sort], order) != 0)
        sort++;
    return sort;
}

bool recommendations_list(struct page *page, const struct view *view,
                          const struct recommendations_asked *asked)
{
    struct recommendations_asked chosen = *asked;
    chosen.by = *asked->by ? asked->by : VIEW_BY_RISK_WORD;
    chosen.order = *asked->order ? asked->order : view_sort_words[VIEW_SORT_RISK];
    int sort = sort_of(chosen.order);
    if (!view_groups_knows(chosen.by, asked->tags) || sort == VIEW_SORT_COUNT)
        return false;
    struct listing listing = {
        .page = page,
        .view = view,
        .asked = &chosen,
        .groups = view_groups_of(view, chosen.by, asked->tags),
        .order = view_groups_order(view, chosen.by, asked->tags, (enum view_sort)sort),
        .by_risk = !strcmp(chosen.by, VIEW_BY_RISK_WORD),
    };
    page_begin(page, PAGE_RECOMMENDATIONS, "Recommendations");
    page_filter(page, "/recommendations",
                (const struct page_kept[]){ { "by", asked->by },
                                             { "order", asked->order },
                                             { "group", asked->group },
                                             { NULL, NULL } });
    append_choices(page, &chosen);
    append_lacks(page, chosen.by);
    append_groups(&listing);
    page_end(page);
    return true;
}
