#include "alerts/store/database_of.h"

struct database_value database_of_integer(int64_t value)
{
    return (struct database_value){ .type = DATABASE_INTEGER, .integer = value };
}

struct database_value database_of_number(double value)
{
    return (struct database_value){ .type = DATABASE_NUMBER, .number = value };
}

struct database_value database_of_text(const char *text)
{
    return (struct database_value){ .type = text ? DATABASE_TEXT : DATABASE_NULL, .bytes = text };
}

struct database_value database_of_blob(const void *bytes, size_t count)
{
    return (struct database_value){ .type = bytes ? DATABASE_BLOB : DATABASE_NULL,
                                    .count = count,
                                    .bytes = bytes };
}

struct database_value database_of_value(struct database_value value)
{
    return value;
}
