#include "collectors/compliance_controls.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int compare_names(const struct control *a, const struct control *b)
{
    int order = strcmp(a->standard, b->standard);
    return order ? order : strcasecmp(a->control, b->control);
}

static int compare_titles(const void *left, const void *right)
{
    const struct control *a = left, *b = right;
    int order = compare_names(a, b);
    return order ? order : strcmp(a->text, b->text);
}

static int compare_texts(const struct control *a, const struct control *b)
{
    return strcmp(a->text, b->text);
}

static int compare_links(const void *left, const void *right)
{
    const struct control *a = left, *b = right;
    int order = compare_texts(a, b);
    order = order ? order : strcmp(a->standard, b->standard);
    return order ? order : strcmp(a->control, b->control);
}

static void sort(struct controls *controls, int (*compare)(const void *left, const void *right))
{
    if (controls->count)
        qsort(controls->list, controls->count, sizeof *controls->list, compare);
}

void compliance_controls_sort_titles(struct controls *titles)
{
    sort(titles, compare_titles);
}

void compliance_controls_sort_links(struct controls *links)
{
    sort(links, compare_links);
}

/* The first that does not come before what is wanted. */
static size_t first_of(const struct controls *controls, const struct control *wanted,
                       int (*compare)(const struct control *a, const struct control *b))
{
    size_t low = 0, high = controls->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&controls->list[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *compliance_controls_title(const struct controls *titles, const char *standard,
                                      const char *control)
{
    const struct control wanted = { standard, control, "" };
    size_t place = first_of(titles, &wanted, compare_names);
    bool found = place < titles->count && !compare_names(&titles->list[place], &wanted);
    return found ? titles->list[place].text : "";
}

size_t compliance_controls_first_link(const struct controls *links, const char *text)
{
    return first_of(links, &(struct control){ "", "", text }, compare_texts);
}
