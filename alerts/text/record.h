#pragma once
/* A table that binds a struct to its JSON, both ways, and to the fields templates may use: alerts
 * and notifications are described once. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/error.h"
#include "core/json.h"

enum record_type {
    RECORD_END,
    RECORD_TEXT,     /* const char *; NULL counts as "" */
    RECORD_CHARS,    /* char [capacity], printable ASCII */
    RECORD_WORD,     /* an enum, `words` of it */
    RECORD_BOOL,     /* bool */
    RECORD_UNSIGNED, /* uint32_t */
    RECORD_INTEGER,  /* int64_t */
    RECORD_NUMBER,   /* double; JSON has neither NaN nor infinity: null, read as NaN */
    RECORD_INSTANT,  /* int64_t, RFC 3339 in JSON and in templates; 0 is "" */
    RECORD_DURATION, /* int64_t seconds; "3 d 4 h" in templates, a number in JSON */
    RECORD_FINDING,  /* struct finding_id, its bool at count_offset: 32 hex digits in JSON, 16 in
                        templates, "" without */
    RECORD_LABELS,   /* struct match_label [capacity], a size_t at count_offset: an object in JSON;
                        {{name.key}} in templates */
    RECORD_LIST,     /* a pointer to elements, a size_t at count_offset, `fields` of one element */
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
    const char *help;
};

/* Append the members of one object, in the order of the rows: equal structs, equal bytes. */
void record_write(const struct record_field *fields, const void *data, struct json_writer *writer);

/* Fill the zeroed struct at data; texts and lists go to the arena. A member that is absent or null
 * is "", 0 or empty. ERROR_PARSE names one of the wrong type. */
bool record_read(const struct record_field *fields, const struct json *object, struct arena *arena,
                 void *data, struct error *error) MUST_USE;
