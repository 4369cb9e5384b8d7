#pragma once
/* A table that binds a struct to its JSON, both ways, and to the fields templates may use: alerts
 * and notifications are described once. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/json.h"

enum record_type {
    RECORD_END,
    RECORD_TYPE_TEXT,     /* const char *; NULL counts as "" */
    RECORD_TYPE_CHARS,    /* char [capacity], printable ASCII */
    RECORD_TYPE_WORD,     /* an enum, `words` of it */
    RECORD_TYPE_BOOL,     /* bool */
    RECORD_TYPE_UNSIGNED, /* uint32_t */
    RECORD_TYPE_INTEGER,  /* int64_t */
    RECORD_TYPE_NUMBER,   /* double; JSON has neither NaN nor infinity: null, read as NaN */
    RECORD_TYPE_INSTANT,  /* int64_t, RFC 3339 in JSON and in templates; 0 is "" */
    RECORD_TYPE_DURATION, /* int64_t seconds; "3 d 4 h" in templates, a number in JSON */
    RECORD_TYPE_FINDING,  /* struct finding_id, its bool at count_offset: 32 hex digits in JSON, 16
                             in templates, "" without */
    RECORD_TYPE_LABELS,   /* struct match_label [capacity], a size_t at count_offset: an object in
                             JSON; {{name.key}} in templates */
    RECORD_TYPE_LIST,     /* a pointer to elements, a size_t at count_offset, `fields` of one
                             element */
};

struct record_field {
    const char *name;
    enum record_type type;
    size_t offset, count_offset;
    size_t capacity;      /* chars and labels */
    size_t element_bytes; /* lists */
    const struct record_field *fields;
    const char *const *words; /* NULL-terminated */
    bool derived;             /* made from other fields: for templates, not in JSON */
    bool sparse;              /* lists: members that are "", 0, false or empty are left out */
    bool measured;            /* numbers: 0 is a value like any other, NaN is none: left out where
                                 lists are sparse, nothing in templates */
    const char *help;
};

/* The type, the place and the check of a row, after its name:
 *   { "rule", RECORD_TEXT(struct alert, rule), .help = "The rule that made it." },
 * A member of another type than its row does not compile. */
/* clang-format off */
#define RECORD_(kind, type, member, wanted) RECORD_TYPE_##kind, MEMBER_OFFSET(type, member, wanted)
#define RECORD_TEXT(type, member) RECORD_(TEXT, type, member, const char *)
#define RECORD_CHARS(type, member) \
    RECORD_(CHARS, type, member, char[sizeof ((type *)0)->member]), \
    .capacity = sizeof ((type *)0)->member
#define RECORD_WORD(type, member) RECORD_TYPE_WORD, ENUM_OFFSET(type, member)
#define RECORD_BOOL(type, member) RECORD_(BOOL, type, member, bool)
#define RECORD_UNSIGNED(type, member) RECORD_(UNSIGNED, type, member, uint32_t)
#define RECORD_INTEGER(type, member) RECORD_(INTEGER, type, member, int64_t)
#define RECORD_NUMBER(type, member) RECORD_(NUMBER, type, member, double)
#define RECORD_INSTANT(type, member) RECORD_(INSTANT, type, member, int64_t)
#define RECORD_DURATION(type, member) RECORD_(DURATION, type, member, int64_t)
#define RECORD_FINDING(type, member, has) \
    RECORD_(FINDING, type, member, struct finding_id), MEMBER_OFFSET(type, has, bool)
#define RECORD_LABELS(type, member, count) \
    RECORD_(LABELS, type, member, struct match_label[ARRAY_COUNT(((type *)0)->member)]), \
    MEMBER_OFFSET(type, count, size_t), .capacity = ARRAY_COUNT(((type *)0)->member)
#define RECORD_LIST(type, member, count, element) \
    RECORD_TYPE_LIST, offsetof(type, member) + CHECKED_ZERO( \
        _Generic(((type *)0)->member, element *: 1, const element *: 1, default: 0), \
        #type "." #member " must be: " #element " *"), \
    MEMBER_OFFSET(type, count, size_t), .element_bytes = sizeof(element)
/* clang-format on */

/* Append the members of one object, in the order of the rows: equal structs, equal bytes. */
void record_write(const struct record_field *fields, const void *data, struct json_writer *writer);

/* Without members that reading an absent one gives back. */
void record_write_sparse(const struct record_field *fields, const void *data,
                         struct json_writer *writer);

/* Fill the zeroed struct at data; texts and lists go to the arena. arena: NULL = texts are those of
 * the object, and there is no list. A member that is absent or null is "", 0 or empty. ERROR_PARSE
 * names one of the wrong type. */
bool record_read(const struct record_field *fields, const struct json *object, struct arena *arena,
                 void *data, struct error *error) MUST_USE;

/* The same of what record_write_sparse wrote, in one pass over the object, in which texts are ended
 * where they stand and stay. False when there is more to it (an escape, a number, a list, any text
 * that others wrote): then a copy is for record_read, the struct to be zeroed again. */
bool record_read_sparse(const struct record_field *fields, char *object, size_t length,
                        void *data) MUST_USE;
