#pragma once
/* Our own API over what the database has: alerts, messages, silences and receivers, row by row.
 * What describes it, in OpenAPI, reads the same tables. */
#include "alerts/api/api.h"
#include "alerts/text/record.h"
#include "alerts/view/view_table.h"

/* A parameter of a request. */
struct api_parameter {
    const char *name, *help;
    const char *const *words; /* it is one of; NULL-terminated. NULL = any text */
    bool number;              /* an integer from 1 on */
};

/* What may be asked of a list whatever it is of. */
extern const struct api_parameter api_own_limit, api_own_after, api_own_format;

/* What a path answers. */
struct api_own_path {
    const char *path; /* below /api/v1/: "outbox", "outbox/{id}" */
    const char *help; /* what a row is */
    const char *row;  /* its name in descriptions */
    const char *rows; /* member of the answer with rows; NULL = the answer is one */
    const struct view_column *columns; /* of a row; NULL = it is: */
    const struct record_field *fields;
    const char *raw; /* member beside the columns: an object that is kept; NULL = none */
    const struct api_parameter *const *parameters; /* NULL-terminated */
    const char *source; /* the built-in collector without which rows are lacking; NULL = none */
};
extern const struct api_own_path api_own_paths[]; /* ends with path NULL */

/* Answer our own GET alerts, outbox, outbox/<id>, silences, delivery and score_history; lists are
 * paged by limit and after. Errors are {"error":"..."}. */
int api_own(const struct api_context *context, const struct api_request *request, struct buf *out);
