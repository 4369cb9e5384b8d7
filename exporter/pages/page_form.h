#pragma once
/* Forms on pages: they work without a script, and what is posted carries a seal of ours. Pure. */
#include "exporter/pages/page.h"

enum { PAGE_FORM_SEAL_BYTES = 65 };

/* Who looks, and what he may do. */
struct page_forms {
    const char *denied; /* why he may not act; NULL = he may */
    const char *user;   /* as logged in; "" = nobody is asked to */
    /* The seal of what is posted to a path of ours, without the prefix. Returns out. */
    const char *(*seal)(const void *context, const char *path, char out[PAGE_FORM_SEAL_BYTES]);
    const void *context;
};

/* The names of the hidden seal and of the buttons. */
#define PAGE_FORM_SEAL "seal"
#define PAGE_FORM_ACT "do"

/* One input and its label. */
struct page_field {
    const char *name, *label;
    const char *hint; /* "" = none */
    const char *value;
    int rows; /* of text; 0 = one line */
    bool required;
    bool fixed; /* it is shown and cannot be changed */
};

/* Begin a form that posts to a path of ours and a segment, NULL = none. class: how it looks, "" or
 * "act". */
void page_form_begin(struct page *page, const struct page_forms *forms, const char *class,
                     const char *path, const char *segment);
void page_form_field(struct page *page, const struct page_field *field);
void page_form_hidden(struct page *page, const char *name, const char *value);

/* A button: what it does as a word of ours, and as people read it. about: what it is for, for those
 * who do not see the row; "" = that is clear. */
void page_form_button(struct page *page, const char *act, const char *text, const char *about,
                      bool quiet);
void page_form_end(struct page *page);

/* Why there are no buttons; nothing for who may act. */
void page_form_denied(struct page *page, const struct page_forms *forms);

/* What came of an act, or what is wrong with it; said to who does not look, too. */
void page_form_done(struct page *page, const char *text);
void page_form_wrong(struct page *page, const char *text);
