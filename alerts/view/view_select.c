#include "alerts/view/view_select.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/rules/attribute.h"
#include "alerts/view/view_names.h"
#include "core/clock.h"
#include "core/memory.h"

enum { ANSWERS = 128, LOOK_EVERY = 16 };

struct select;
struct question;

/* Says what a finding has: "" = nothing. */
typedef const char *select_value(struct select *select, size_t number,
                                 const struct finding *finding, const struct question *asked);

/* A matcher, and what it answered to texts it was asked about lately: those of the snapshot are
 * equal when their addresses are. */
struct question {
    const struct match *match;
    select_value *value;
    size_t place; /* of a finding's label in its list */
    const char *tag;
    bool fleeting; /* its texts do not last */
    struct answer {
        const char *text; /* NULL = none yet */
        enum match_answer answer;
    } answers[ANSWERS];
};

struct select {
    const struct view *view;
    struct view_names *names;
    struct question *asked;
    size_t count;
    struct match_budget *budget;
    unsigned patterns; /* that were asked */
    int64_t looked_us; /* when the clock was looked at last */
    char id[17];
};

/* --- what a finding has ----------------------------------------------------------------------- */

static const char *own_value(struct select *select, size_t number, const struct finding *finding,
                             const struct question *asked)
{
    (void)number;
    return alert_finding_value(finding, asked->place, select->id);
}

static const char *subscription_name(struct select *select, size_t number,
                                     const struct finding *finding, const struct question *asked)
{
    (void)number, (void)asked;
    const struct subscription *known = view_names_subscription(select->names, finding);
    return known ? known->name : "";
}

static const char *management_group(struct select *select, size_t number,
                                    const struct finding *finding, const struct question *asked)
{
    (void)number, (void)asked;
    const struct subscription *known = view_names_subscription(select->names, finding);
    return known ? known->management_group : "";
}

static const char *control(struct select *select, size_t number, const struct finding *finding,
                           const struct question *asked)
{
    bool known;
    (void)asked;
    return view_names_control(select->names, number, finding, &known);
}

static const char *tag(struct select *select, size_t number, const struct finding *finding,
                       const struct question *asked)
{
    bool known;
    return view_names_tag(select->names, number, finding, asked->tag, &known);
}

static const char *owner(struct select *select, size_t number, const struct finding *finding,
                         const struct question *asked)
{
    bool known;
    (void)number, (void)asked;
    return view_names_owner(select->names, finding, &known);
}

static const char *nothing(struct select *select, size_t number, const struct finding *finding,
                           const struct question *asked)
{
    (void)select, (void)number, (void)finding, (void)asked;
    return "";
}

/* What attribute_put adds, in the order of attribute_labels. */
static select_value *const attributes[] = { subscription_name, management_group, control };

static size_t place_of(const char *name, const char *const *names)
{
    size_t place = 0;
    while (names[place] && strcmp(names[place], name) != 0)
        place++;
    return place;
}

/* Find out what a matcher asks about. */
static void prepare(struct question *asked, const struct match *match,
                    const struct tag_labels *tags)
{
    size_t place = place_of(match->name, alert_finding_labels);
    *asked = (struct question){ .match = match, .value = nothing };
    if (alert_finding_labels[place]) {
        asked->value = own_value;
        asked->place = place;
        asked->fleeting = !strcmp(match->name, "finding_id");
        return;
    }
    place = place_of(match->name, attribute_labels);
    if (attribute_labels[place])
        asked->value = attributes[place];
    for (size_t i = 0; tags && i < tags->count; i++)
        if (!strcmp(tags->items[i].name, match->name)) {
            asked->tag = tags->items[i].tag;
            asked->value = asked->tag ? tag : owner;
        }
}

/* --- asking ----------------------------------------------------------------------------------- */

/* Whether the patterns have had their time. The clock is looked at now and then: that costs as much
 * as a pattern. */
static bool is_spent(struct select *select)
{
    if (select->patterns++ % LOOK_EVERY == 0) {
        int64_t now_us = clock_thread_us();
        if (select->patterns > 1)
            select->budget->left_us -= now_us - select->looked_us;
        select->looked_us = now_us;
    }
    return select->budget->left_us <= 0;
}

static enum match_answer ask(struct select *select, const struct match *match, const char *text)
{
    if (match->pattern && is_spent(select))
        return MATCH_LIMIT;
    return match_value(match, text, NULL);
}

static enum match_answer answer_of(struct select *select, struct question *asked, size_t number,
                                   const struct finding *finding)
{
    const char *text = asked->value(select, number, finding, asked);
    if (asked->fleeting)
        return ask(select, asked->match, text);
    struct answer *memo = &asked->answers[((uintptr_t)text >> 3) % ANSWERS];
    if (memo->text != text)
        *memo = (struct answer){ text, ask(select, asked->match, text) };
    return memo->answer;
}

/* As match_ask has it: none says no, or one cannot say. */
static enum match_answer matches(struct select *select, size_t number)
{
    enum match_answer all = MATCH_YES;
    struct finding finding;
    view_outline(select->view, number, &finding);
    event_describe(&finding, view_names_catalogue(select->names, &finding));
    for (size_t i = 0; i < select->count; i++) {
        enum match_answer answer = answer_of(select, &select->asked[i], number, &finding);
        if (answer == MATCH_NO)
            return MATCH_NO;
        if (answer == MATCH_LIMIT)
            all = MATCH_LIMIT;
    }
    return all;
}

static bool choose(struct select *select, struct view *some, struct error *error)
{
    for (size_t number = 0; number < select->view->count; number++) {
        enum match_answer answer = matches(select, number);
        if (answer == MATCH_LIMIT)
            return error_set(error, ERROR_LIMIT, "the regular expressions take too long");
        if (answer == MATCH_YES)
            view_choose(some, number);
    }
    return true;
}

struct view *view_select(struct view *view, const struct match_list *matches,
                         const struct tag_labels *tags, struct match_budget *budget,
                         struct error *error)
{
    struct view *some = view_within(view);
    struct select select = {
        .view = view,
        .names = view_names_create(view),
        .asked = MEMORY_ARRAY(struct question, matches->count + 1),
        .count = matches->count,
        .budget = budget,
    };
    for (size_t i = 0; i < matches->count; i++)
        prepare(&select.asked[i], &matches->matches[i], tags);
    bool ok = choose(&select, some, error);
    view_names_destroy(select.names);
    free(select.asked);
    if (ok) {
        view_chosen(some);
        return some;
    }
    view_release(some);
    return NULL;
}
