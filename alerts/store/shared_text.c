#include "alerts/store/shared_text.h"

bool shared_text_number(struct database *database, const char *text, int64_t *number,
                        struct error *error)
{
    *number = 0;
    if (!*text)
        return true;
    struct database_statement *known =
        database_prepare(database, "SELECT number FROM shared_text WHERE text = $1");
    database_bind(known, text);
    if (!database_get_integer(known, number, error))
        return false;
    if (*number)
        return true;
    struct database_statement *last =
        database_prepare(database, "SELECT MAX(number) + 1 FROM shared_text");
    if (!database_get_integer(last, number, error))
        return false;
    struct database_statement *add =
        database_prepare(database, "INSERT INTO shared_text (number, text) VALUES ($1, $2)");
    database_bind(add, *number, text);
    return database_run(add, error);
}
