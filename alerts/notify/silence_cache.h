#pragma once
/* The compiled matchers of silences, kept from one reading to the next: what a silence matches
 * never changes under its id, so each is compiled once. Any thread. */
#include "alerts/notify/silence_memo.h"
#include "alerts/text/match.h"

struct silence_cache;

/* Shared by those who read it; immutable. */
struct silence_matchers;

struct silence_cache *silence_cache_create(void);
void silence_cache_destroy(struct silence_cache *cache); /* NULL is fine */

/* What was found out with them; lives as long as the cache. */
struct silence_memo *silence_cache_memo(const struct silence_cache *cache);

/* The matchers of a silence, from the cache or compiled now; to be released. cache NULL: compiled
 * now. NULL and ERROR_CONFIG when the text cannot be read. */
struct silence_matchers *silence_cache_get(struct silence_cache *cache, const char *id,
                                           const char *text, struct error *error) MUST_USE;
const struct match_list *silence_cache_list(const struct silence_matchers *matchers);
void silence_cache_release(struct silence_matchers *matchers); /* NULL is fine */

/* Keep these and forget all others. */
void silence_cache_keep(struct silence_cache *cache, struct silence_matchers *const *matchers,
                        size_t count);
