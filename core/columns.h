#pragma once
/* A table that binds a JSON row to a struct:
 *   static const struct column score_columns[] = {
 *       COLUMN_TEXT  (struct score, subscription_id, "subscriptionId"),
 *       COLUMN_NUMBER(struct score, points,          "current"),
 *       { 0 }
 *   };
 * A path may name nested members ("properties.status.code") and alternatives, first found wins
 * ("properties.resourceDetails.Id|id"). Names are compared without case. A member of another type
 * than its column does not compile, nor does a struct that is larger than COLUMNS_ROW_BYTES_MAX. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/bounds.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/json.h"

/* Whoever binds rows of any table keeps a buffer of this size. */
enum { COLUMNS_ROW_BYTES_MAX = 512 };

enum column_type {
    COLUMN_END,
    COLUMN_TYPE_TEXT,    /* const char *: "" when absent or null; numbers and booleans as written */
    COLUMN_TYPE_NUMBER,  /* double: NAN when absent; also from a text that is a number. What is no
                            finite number (NaN, 1e999, "many") is absent: null is never 0 */
    COLUMN_TYPE_INTEGER, /* int64_t: likewise; COLUMN_ABSENT when absent */
    COLUMN_TYPE_BOOL,    /* bool: false when absent; also from "true" and "false" in any case */
    COLUMN_TYPE_TIME,    /* int64_t Unix seconds: 0 when absent, empty or year 0001 */
    COLUMN_TYPE_LIST,    /* const char *: texts, or ids of objects, joined with ",";
                            also from a text or null */
    COLUMN_TYPE_COUNT,   /* int64_t: the elements of an array; also from a number */
    COLUMN_TYPE_SWITCHES /* const char *: "name=true,other=false" of objects with a name and
                            isEnabled; also from a text or null */
};

#define COLUMN_ABSENT INT64_MIN

/* Why a row cannot be read as it should. */
enum columns_fault {
    COLUMNS_FINE,
    COLUMNS_MISSING, /* a key is absent, null, empty or no text */
    COLUMNS_TYPE,    /* a value has a type that cannot be read */
    COLUMNS_TIME     /* a text is no time */
};

struct column {
    enum column_type type;
    size_t offset, row_bytes; /* of the member in its struct, of the struct */
    const char *path;
    bool required;         /* absent, null or empty is an error */
    enum bound_text bound; /* of texts and lists */
};

#define COLUMN_(kind, type, member, wanted, path, must)                                            \
    {                                                                                              \
        kind, MEMBER_OFFSET(type, member, wanted), COLUMN_ROW_BYTES(type), path, must, BOUND_TITLE \
    }
#define COLUMN_BOUND_(kind, type, member, path, must, bound)                                       \
    {                                                                                              \
        kind, MEMBER_OFFSET(type, member, const char *), COLUMN_ROW_BYTES(type), path, must, bound \
    }
#define COLUMN_ROW_BYTES(type)                                                                     \
    (sizeof(type) + CHECKED_ZERO(sizeof(type) <= COLUMNS_ROW_BYTES_MAX,                            \
                                 #type " is larger than COLUMNS_ROW_BYTES_MAX"))
/* clang-format off */
#define COLUMN_TEXT(type, member, path) \
    COLUMN_(COLUMN_TYPE_TEXT, type, member, const char *, path, false)
#define COLUMN_KEY(type, member, path) \
    COLUMN_BOUND_(COLUMN_TYPE_TEXT, type, member, path, true, BOUND_ID)
#define COLUMN_ID(type, member, path) \
    COLUMN_BOUND_(COLUMN_TYPE_TEXT, type, member, path, false, BOUND_ID)
#define COLUMN_LONG(type, member, path) \
    COLUMN_BOUND_(COLUMN_TYPE_TEXT, type, member, path, false, BOUND_LONG)
#define COLUMN_NUMBER(type, member, path) \
    COLUMN_(COLUMN_TYPE_NUMBER, type, member, double, path, false)
#define COLUMN_INTEGER(type, member, path) \
    COLUMN_(COLUMN_TYPE_INTEGER, type, member, int64_t, path, false)
#define COLUMN_BOOL(type, member, path) \
    COLUMN_(COLUMN_TYPE_BOOL, type, member, bool, path, false)
#define COLUMN_TIME(type, member, path) \
    COLUMN_(COLUMN_TYPE_TIME, type, member, int64_t, path, false)
#define COLUMN_LIST(type, member, path) \
    COLUMN_BOUND_(COLUMN_TYPE_LIST, type, member, path, false, BOUND_LIST)
#define COLUMN_IDS(type, member, path) \
    COLUMN_BOUND_(COLUMN_TYPE_LIST, type, member, path, false, BOUND_IDS)
#define COLUMN_COUNT(type, member, path) \
    COLUMN_(COLUMN_TYPE_COUNT, type, member, int64_t, path, false)
#define COLUMN_SWITCHES(type, member, path) \
    COLUMN_BOUND_(COLUMN_TYPE_SWITCHES, type, member, path, false, BOUND_IDS)
/* clang-format on */

/* Fill the struct at `out` from a row, every text within its column's bound (core/bounds.h);
 * members without a column are zeroed. Texts live as long as the row, joined ones until scratch is
 * reset. What cannot be read is as if it were absent, all else is filled; the first fault is
 * returned, ERROR_PARSE names its column. */
enum columns_fault columns_bind(const struct column *columns, const struct json *row, void *out,
                                struct arena *scratch, struct error *error) MUST_USE;

/* The same for many rows: where to find what, made once. Zeroed is ready to be made and made again;
 * one thread at a time. */
struct columns_plan {
    const struct column *columns;
    struct columns_step *steps;
    int *ends; /* for each column the steps its paths end in, and a mark behind them */
    int first;
    size_t step_count, step_capacity, end_count, end_capacity;
};
void columns_plan_make(struct columns_plan *plan, const struct column *columns);
enum columns_fault columns_bind_by(struct columns_plan *plan, const struct json *row, void *out,
                                   struct arena *scratch, struct error *error) MUST_USE;
void columns_plan_finish(struct columns_plan *plan);
