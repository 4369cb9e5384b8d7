#pragma once
/* The alerts of Alertmanager's API, all or in groups, as an answer that comes in pieces: a long one
 * costs no more memory than a short one, and between two pieces no transaction is open, however
 * slowly the client reads. One thread at a time.
 */
#include "alerts/api/api_call.h"

struct api_listing;

/* Whether a request asks for alerts or alerts/groups. */
bool api_listing_is(const struct api_request *request);

/* Begin to answer it. NULL: *status and out are the whole answer, an error. The context's settings
 * are kept, its texts borrowed; the request is not looked at again. */
struct api_listing *api_listing_open(const struct api_context *context,
                                     const struct api_request *request, struct buf *out,
                                     int *status) MUST_USE;

/* Append the first piece. Returns the status: when it is not 200, out is the whole answer. */
int api_listing_begin(struct api_listing *listing, struct buf *out, bool *more) MUST_USE;

/* Append the next piece, some 64 KiB; *more false after the last one. False: the answer cannot be
 * completed; what is sent already must not look whole. */
bool api_listing_next(struct api_listing *listing, struct buf *out, bool *more,
                      struct error *error) MUST_USE;

void api_listing_close(struct api_listing *listing); /* NULL is fine */
