#pragma once
/* A page while it is written: its frame, its tables, its texts. HTML for people that needs no
 * script; every text of others is escaped here. Pure. */
#include "alerts/view/view.h"
#include "core/arena.h"
#include "core/buf.h"

/* The pages of the first line, in its order. */
enum page_place {
    PAGE_OVERVIEW,
    PAGE_RECOMMENDATIONS,
    PAGE_FIX_FIRST,
    PAGE_BASELINES,
    PAGE_CONTROLS,
    PAGE_COMPLIANCE,
    PAGE_RESOURCES,
    PAGE_ALERTS,
    PAGE_SILENCES,
    PAGE_DELIVERY,
    PAGE_STATUS,
    PAGE_PLACE_COUNT,
    PAGE_NOWHERE = PAGE_PLACE_COUNT
};

struct page {
    struct buf *out;
    struct arena *arena; /* as long as the page is written */
    const char *prefix;  /* before every path of ours: "" or "/defender" */
    int64_t now;
    const struct snapshot *snapshot;
    const char *filter; /* matchers, as they were asked for; "" = none. Every list keeps them */
    int64_t view_at; /* of which instant the numbers are; 0 = it shows none */
};

/* Everything up to the heading; with it. title: any text. */
void page_begin(struct page *page, enum page_place place, const char *title);
void page_end(struct page *page);

/* Append a text with & < > " ' as entities. */
void page_text(struct page *page, const char *text);

/* A text of the program itself, HTML as it is. */
void page_html(struct page *page, const char *html);

/* The value of href: a path of ours with the prefix; what is appended to it is one segment of the
 * path, percent-encoded, and the filter. segment: NULL = none. */
void page_path(struct page *page, const char *path, const char *segment, bool filtered);

/* Build such a path: append it, then ?name=value or &name=value, encoded; no parameter without a
 * value. */
void page_query(struct buf *out, const char *path, const char *name, const char *value);

/* Append one segment of a path, encoded. */
void page_segment(struct buf *out, const char *segment);

/* Of a list of which a page shows some from a row on: which, and links to those before and behind.
 * path: without from; nothing when all fit. */
void page_more(struct page *page, const char *path, size_t from, size_t a_page, size_t count);

/* Words to choose from, each leading to path?name=word (path: may have parameters of its own);
 * current: the one that is chosen. words: ends with NULL, _ shown as blank. */
void page_choices(struct page *page, const char *label, const char *path, const char *name,
                  const char *const *words, const char *current);

/* A link to it, with a text. */
void page_link(struct page *page, const char *path, const char *segment, bool filtered,
               const char *text);

/* "<h2>"; "<p>" of a text. */
void page_heading(struct page *page, const char *text);
void page_paragraph(struct page *page, const char *text);

/* "<p>" of what an error says, with a capital letter and a full stop. */
void page_sentence(struct page *page, const char *text);

/* Why a list of findings is empty: whether none is open, or nobody could look. */
void page_empty(struct page *page);

/* Say that a filter, where there is one, narrows nothing here but findings. */
void page_whole(struct page *page);

/* The box for matchers, of a list at this path. kept: parameters that stay, ends with name NULL;
 * those without a value are left out; NULL = none. */
struct page_kept {
    const char *name, *value;
};
void page_filter(struct page *page, const char *path, const struct page_kept *kept);

/* A level of risk in its word, shape and colour. */
void page_risk(struct page *page, enum risk_level risk);

/* "192 d", with the instant behind it; "-" when it is not known. */
void page_age(struct page *page, int64_t at);
/* "in 2 d", or "overdue 3 d" in bold; nothing when it is never due. */
void page_due(struct page *page, int64_t due_at);

/* "2026-11-24 09:12 UTC, 3 d ago". */
void page_instant(struct page *page, int64_t at);

/* A count with its thousands apart; of findings, where 0 is "-" while not all were looked at. */
void page_number(struct page *page, uint64_t number);
void page_count(struct page *page, uint64_t findings);

/* --- tables: at 400 px each row becomes a card, its cells led by the names of their columns. ---
 */

struct page_column {
    const char *name;
    bool number; /* to the right */
};
enum { PAGE_COLUMNS_MAX = 10 };
struct page_table {
    struct page *page;
    const struct page_column *columns; /* ends with name NULL */
    size_t cell;                       /* the next of the row */
    bool in_row;
};

/* caption: what it lists, for those who do not see it. */
void page_table_begin(struct page_table *table, const char *caption);
void page_table_row(struct page_table *table);
/* Begin the next cell; what is written from here on is in it. The first of a row is its heading. */
void page_table_cell(struct page_table *table);
void page_table_end(struct page_table *table);

/* Content-Security-Policy of every page: only our own style sheet, forms that ask ourselves. */
extern const char page_policy[];

/* The style sheet all pages share, served at /style.css. */
extern const char page_style[];
