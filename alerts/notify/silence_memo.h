#pragma once
/* What was found out about alerts and silences, so that the expressions of silences are asked once:
 * by the labels of the alert, as long as the same silences are active. Holds 65,536 answers in
 * 1 MiB, then forgets some. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/text/match.h"
#include "core/compiler.h"

struct silence_memo;

struct silence_memo *silence_memo_create(void);
void silence_memo_destroy(struct silence_memo *memo); /* NULL is fine */

/* A number for a text that nobody can choose; of labels 0 when they are too long to be kept. */
uint64_t silence_memo_number(const struct silence_memo *memo, const char *text, size_t length);
uint64_t silence_memo_key(const struct silence_memo *memo, const struct match_label *labels,
                          size_t count);

/* The answer given before; false = none. generation: of the silences that are active. */
bool silence_memo_get(struct silence_memo *memo, uint64_t generation, uint64_t key,
                      uint32_t *answer) MUST_USE;
void silence_memo_put(struct silence_memo *memo, uint64_t generation, uint64_t key,
                      uint32_t answer);
