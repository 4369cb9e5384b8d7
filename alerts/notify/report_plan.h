#pragma once
/* Reports that are sent by themselves: what of, to whom and when. */
#include "alerts/receivers/receivers.h"
#include "alerts/text/schedule.h"

/* What the numbers of a report are told apart by. */
enum report_by { REPORT_BY_SUBSCRIPTION, REPORT_BY_GROUP, REPORT_BY_OWNER, REPORT_BY_COUNT };
extern const char *const report_plan_by_words[]; /* "subscription", "management_group", "owner" */

/* As written; rows of an entry of `reports`. */
struct report_plan_config {
    const char *name;
    struct option_texts receivers;
    struct schedule_config schedule;
    int64_t since_ms;
    int by; /* enum report_by */
    int name_line, by_line;
    bool wrong; /* something in it could not be read */
};
extern const struct option report_plan_options[];

struct report_plan {
    const struct report_plan_config *config;
    const struct schedule *schedule;
    uint64_t schedule_hash; /* equal for schedules that are written alike */
};

/* What reports are checked against. */
struct report_plan_known {
    const struct receivers_config *receivers; /* receiver_count of them */
    size_t receiver_count;
    const char *const *receiver_names; /* NULL-terminated; NULL = some could not be read */
    bool owners;                       /* whether they may be told */
};

/* Compile a list of struct report_plan_config; it lives in the arena. Every mistake is a line of
 * the report. */
const struct report_plan *report_plan_compile(const struct option_items *plans,
                                              const struct report_plan_known *known,
                                              const char *file, struct arena *arena,
                                              struct option_report *report);
