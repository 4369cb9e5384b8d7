#pragma once
/* One request to the API while it is answered; shared by api.c, api_alerts.c and api_silences.c. */
#include "alerts/api/api.h"

struct api_call {
    const struct api_context *context;
    const struct api_request *request;
    struct database *database;
    struct buf *out;
    struct arena arena; /* of this request */
};

/* An answer other than 200: the message as a JSON text. Returns the status. */
int api_call_fail(struct api_call *call, int status, const char *message);

/* The status an error of the floor stands for, and its message as above. */
int api_call_error(struct api_call *call, const struct error *error);

/* The value of a query parameter, or NULL. */
const char *api_call_query(const struct api_call *call, const char *name);

/* A parameter that is true or false; false when it is neither. */
bool api_call_flag(const struct api_call *call, const char *name, bool otherwise, bool *value);

/* The parameter `limit`: 100 without it, at most 1000; 0 = it is no such number. */
int64_t api_call_limit(const struct api_call *call);

/* Compile every `filter`; false and a 400 when one is wrong. */
bool api_call_filters(struct api_call *call, struct match_list *filters, int *status);

/* Answers of the other files; each returns the status. */
int api_call_alerts(struct api_call *call, bool grouped);
int api_call_own_alerts(struct api_call *call);
int api_call_silences(struct api_call *call);
int api_call_silence(struct api_call *call, const char *id);
int api_call_silence_put(struct api_call *call);
int api_call_silence_expire(struct api_call *call, const char *id);
