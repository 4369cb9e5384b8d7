#pragma once
/* Texts about controls of standards, found by the control or by the text. Pure. */
#include <stdbool.h>
#include <stddef.h>

/* What a control asks for, in whatever subscription; or what counts for it. */
struct control {
    const char *standard, *control;
    const char *text; /* its title; a link: the key of a recommendation, or a category */
};
struct controls {
    struct control *list;
    size_t count, capacity;
};

/* Sort them, to be found: titles by what they are of, links by their text. */
void compliance_controls_sort_titles(struct controls *titles);
void compliance_controls_sort_links(struct controls *links);

/* The title of a control, whatever its case; "" = none. */
const char *compliance_controls_title(const struct controls *titles, const char *standard,
                                      const char *control);

/* The first link of a recommendation or category; at most links->count. */
size_t compliance_controls_first_link(const struct controls *links, const char *text);
