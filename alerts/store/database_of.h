#pragma once
/* Values for the parameters of statements, from what C has. */
#include <stddef.h>
#include <stdint.h>

/* What a parameter is given. */
enum database_type {
    DATABASE_NULL,
    DATABASE_INTEGER,
    DATABASE_NUMBER,
    DATABASE_TEXT,
    DATABASE_BLOB
};
struct database_value {
    enum database_type type;
    size_t count; /* bytes of a blob */
    union {
        int64_t integer;
        double number;
        const void *bytes; /* of a text, of a blob */
    };
};
struct database_value database_of_integer(int64_t value);
struct database_value database_of_number(double value);
struct database_value database_of_text(const char *text);                /* NULL is NULL */
struct database_value database_of_blob(const void *bytes, size_t count); /* likewise */
struct database_value database_of_value(struct database_value value);
