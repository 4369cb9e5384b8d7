#pragma once
/* One request to the API while it is answered: its parameters, its database, its errors. */
#include "alerts/api/api.h"

/* Of one request: matchers, and bytes of all of them. */
enum { API_CALL_MATCHERS_MAX = 64, API_CALL_MATCHER_BYTES_MAX = 16 * 1024 };

struct api_call {
    const struct api_context *context;
    const struct api_request *request;
    struct database *database;
    struct readers *readers; /* whose that is; NULL = ours */
    struct buf *out;
    bool fails_in_object;       /* errors are {"error":"..."}, not a text alone */
    struct arena arena;         /* of this request */
    struct match_budget budget; /* for all regular expressions of this request */
};

/* Open a database handle for this request. */
bool api_call_open(struct api_call *call, bool read_only, struct error *error) MUST_USE;

/* Close the handle and free the arena. */
void api_call_finish(struct api_call *call);

/* Answer with the message as JSON instead of a body. Returns the status. */
int api_call_fail(struct api_call *call, int status, const char *message);

/* Answer with the message of an error. Returns the status its code stands for. */
int api_call_error(struct api_call *call, const struct error *error);

/* The value of a query parameter, or NULL. */
const char *api_call_query(const struct api_call *call, const char *name);

/* A parameter that is true or false; false when it is neither. */
bool api_call_flag(const struct api_call *call, const char *name, bool otherwise, bool *value);

/* The parameter `limit`: 100 without it, at most 1000; 0 = it is no such number. */
int64_t api_call_limit(const struct api_call *call);

/* Compile every `filter`; false and a 400 when one is wrong, or all are too many or too long. */
bool api_call_filters(struct api_call *call, struct match_list *filters, int *status);

/* Read the silences as they are now. */
bool api_call_silences(struct api_call *call, struct silence_list *list,
                       struct error *error) MUST_USE;

/* ERROR_LIMIT, always false: a filter has no answer, or the budget is spent. */
bool api_call_too_expensive(struct error *error);
