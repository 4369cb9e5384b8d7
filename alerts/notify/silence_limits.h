#pragma once
/* How far a silence may go: how long it lasts, and which alerts none may cover. Pure. Asked before
 * a silence is made or changed; those that are there stay. */
#include "alerts/notify/silence.h"
#include "alerts/rules/notification_silence.h"
#include "core/options.h"

/* As written: the section `silences` of `alerts`. */
struct silence_limits_config {
    int64_t max_duration_ms; /* 0 = any */
    struct option_texts never;
    struct {
        int max_duration, never;
    } line;
};
extern const struct option silence_limits_options[];

struct silence_limits; /* compiled, in the arena */

/* Compile them. labels: those alerts can have, NULL = any. NULL when the report got anything. */
const struct silence_limits *silence_limits_compile(const struct silence_limits_config *config,
                                                    const char *const *labels, const char *file,
                                                    struct arena *arena,
                                                    struct option_report *report);

/* Free what the arena does not: compiled patterns. NULL is fine. */
void silence_limits_finish(const struct silence_limits *limits);

/* The alerts that no silence may cover; NULL = there are none such. */
const struct silence_never *silence_limits_never(const struct silence_limits *limits);

/* How long a silence may last; 0 = as long as it likes. limits: NULL = none. */
int64_t silence_limits_longest_s(const struct silence_limits *limits);

/* Whether a silence keeps to them. One that could cover an alert like those of `never` does not,
 * also when no such alert exists: what no expression excludes, could be. ERROR_REQUEST says how to
 * narrow it. limits: NULL = none. */
bool silence_limits_allow(const struct silence_limits *limits, const struct silence *silence,
                          int64_t now, struct error *error) MUST_USE;
