#pragma once
/* What the API answers in, and how it says no. */
#include "alerts/view/view_write.h"
#include "exporter/web/web_route.h"

extern const char *const data_format_types[VIEW_FORMAT_COUNT]; /* for Content-Type */

/* By ?format=, else by what of ours is named in Accept; JSON else. -1 = an unknown word. */
int data_format_of(const struct web_request *request);

/* The place of a word in a list that ends with NULL; -1 = it is none of them. */
int data_format_place(const char *word, const char *const *words);

/* Answer with {"error":"..."}; 429 and 503 say when to ask again. */
void data_format_refuse(struct web_response *response, int status, const char *message);

/* Say where the next page is: a Link header with rel="next". prefix: before every path of ours.
 * cursor: what `after` has to be. source: RFC 8288. */
void data_format_link(struct web_response *response, const struct web_request *request,
                      const char *prefix, const char *cursor);
