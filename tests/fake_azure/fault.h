#pragma once
/* What can go wrong on purpose: --fault NAME[:key=value[,key=value]]. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_name {
    FAULT_401,
    FAULT_EXPIRED_TOKEN,
    FAULT_403,
    FAULT_NOT_REGISTERED,
    FAULT_429,
    FAULT_500,
    FAULT_502,
    FAULT_503,
    FAULT_504,
    FAULT_EMPTY_5XX,
    FAULT_REDIRECT,
    FAULT_HANG,
    FAULT_INVALID_JSON,
    FAULT_WRONG_TYPES,
    FAULT_ODD,
    FAULT_DEEP,
    FAULT_HUGE,
    FAULT_REPEAT_TOKEN,
    FAULT_SHIFT,
    FAULT_TRUNCATED,
    FAULT_TOTAL_DRIFT,
    FAULT_EMPTY,
    FAULT_BOM,
    FAULT_FOREIGN_NEXTLINK,
    FAULT_PARTIAL,
    FAULT_TOO_LARGE,
    FAULT_CUT,
    FAULT_SLOW,
    FAULT_MEMBERS,
    FAULT_SKEW,
    FAULT_GAP,
    FAULT_ENDED,
    FAULT_DENIED_ALL,
    FAULT_NO_SUBSCRIPTIONS,
    FAULT_RAW_NEXTLINK,
    FAULT_NEW_SECRET,
    FAULT_EXPIRES_ON,
    FAULT_CLAIMS,
    FAULT_NAME_COUNT
};

enum fault_stage {
    FAULT_ANSWER, /* instead of the answer */
    FAULT_BODY,   /* in the answer's body */
    FAULT_WIRE,   /* while it is sent */
    FAULT_STATE   /* true as long as it is there */
};

struct fault {
    enum fault_name name;
    enum fault_stage stage;
    char spec[200];
    char path[96], sub[48], body[48], from[48];
    long count, every, page; /* fire so often, at every n-th match, at that page; 0 = any */
    long retry_after, status, ms, seconds, depth, bytes, rows; /* retry_after -1: none */
    bool chunked;
    long seen, fired;
};

enum { FAULTS_MAX = 64 };

struct faults {
    struct fault list[FAULTS_MAX];
    size_t count;
};

/* False with a reason. Any spec of the table in README.md. */
bool faults_add(struct faults *faults, const char *spec, char *why, size_t why_bytes);
void faults_clear(struct faults *faults);

/* The first fault of a stage that fires for this request, copied to *fault. page counts from 1. */
bool faults_take(struct faults *faults, enum fault_stage stage, const char *path, long page,
                 struct fault *fault);

/* A state that is on; NULL when it is not. */
const struct fault *faults_state(const struct faults *faults, enum fault_name name);

/* True when a 403 names this subscription, by GUID or by its place among the sorted ids. */
bool faults_denies(const struct faults *faults, const char *subscription_id, size_t index);

/* True when a gap hides the security rows of this subscription. */
bool faults_hides(const struct faults *faults, const char *subscription_id, size_t index);

/* Another answer to this query is made: what ends in so many comes back after them, and what begins
 * with it begins. */
void faults_answer(struct faults *faults, const char *query);

/* True when what this query tells of this subscription has come to an end. */
bool faults_end(const struct faults *faults, const char *query, const char *subscription_id,
                size_t index);
