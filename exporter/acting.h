#pragma once
/* A request for a page on which one can act: what it reads, who asks, and what was posted. Reading
 * takes no view, so that these pages are there before anything is put in order. */
#include "alerts/api/api.h"
#include "alerts/notify/inhibit.h"
#include "exporter/pages/alert_row.h"
#include "exporter/pages/page_form.h"
#include "exporter/view_request.h"
#include "exporter/web/seal.h"

/* What all of them read; borrowed. */
struct acting_source {
    struct view_request_source *views;
    struct seal seal;
};

struct acting {
    const struct acting_source *source;
    const struct web_request *request;
    struct web_response *response;
    struct api_context context; /* its settings are held */
    struct snapshot *snapshot;
    struct database *database;
    struct readers *readers; /* whose that is; NULL = ours */
    struct silence_list silences;
    struct inhibit_view *inhibits;
    struct match_budget budget;
    struct alert_row_context rows;
    struct page page;
    struct page_forms forms;
    const struct web_pair *fields; /* of what was posted, field_count of them */
    size_t field_count;
    struct arena arena;
    struct buf out;
};

/* Begin, and open the database: to write when something was posted. False: it is answered. */
bool acting_begin(const struct acting_source *source, const struct web_request *request,
                  struct web_response *response, struct acting *acting);
void acting_finish(struct acting *acting);

/* Read silences and inhibitions. False: it is answered. */
bool acting_read_mutes(struct acting *acting);

/* The value of a posted field, without blanks around it; "" = it is not there. */
const char *acting_field(const struct acting *acting, const char *name);

/* Whether what was posted came from a form of ours for this path. */
bool acting_is_sealed(const struct acting *acting);
#define ACTING_NOT_SEALED                                                                          \
    "nothing was done: this form is from before the program started anew, or of somebody else;"    \
    " look at it and send it again"

/* Who acts, for the audit. */
struct audit_by acting_by(const struct acting *acting, const char *author);

/* Answer with the page as it is; with one that says why there is none; by leading on to a path of
 * ours, which says what was done. */
void acting_respond(struct acting *acting, int status);
void acting_refuse(struct acting *acting, int status, const char *title, const char *why);
void acting_fail(struct acting *acting, const struct error *error);
void acting_lead(struct acting *acting, const char *path);
