#include "alerts/store/rows.h"

#include <assert.h>
#include <string.h>

#include "alerts/store/shared_text.h"

enum { FIELDS_MAX = 48 };

/* Kinds of statements, which differ by their addresses. */
static const char insert[] = "insert", insert_new[] = "insert new", upsert[] = "upsert",
                  update[] = "update";

/* --- the SQL -------------------------------------------------------------------------------- */

static int count_fields(const struct rows_table *table)
{
    int count = 0;
    while (table->fields[count].type)
        count++;
    assert(count <= FIELDS_MAX);
    return count;
}

/* The columns from number first on, before number end, each through this format. */
static void print_columns(const struct rows_table *table, int first, int end, const char *between,
                          const char *after, struct buf *sql)
{
    for (int i = first; i < end; i++)
        buf_printf(sql, "%s%s%s", i > first ? between : "", table->fields[i].column, after);
}

static void make_insert(const struct rows_table *table, const char *kind, struct buf *sql)
{
    int count = count_fields(table);
    buf_printf(sql, "INSERT INTO %s (", table->from);
    print_columns(table, 0, count, ", ", "", sql);
    buf_text(sql, ") VALUES (");
    for (int i = 0; i < count; i++)
        buf_printf(sql, "%s$%d", i ? ", " : "", i + 1);
    buf_char(sql, ')');
    if (kind == insert)
        return;
    buf_text(sql, " ON CONFLICT (");
    print_columns(table, 0, table->key_count, ", ", "", sql);
    buf_text(sql, kind == upsert ? ") DO UPDATE SET " : ") DO NOTHING");
    for (int i = table->key_count; kind == upsert && i < count; i++)
        buf_printf(sql, "%s%s = excluded.%s", i > table->key_count ? ", " : "",
                   table->fields[i].column, table->fields[i].column);
}

static void make_update(const struct rows_table *table, struct buf *sql)
{
    int count = count_fields(table), number = 1;
    buf_printf(sql, "UPDATE %s SET ", table->from);
    for (int i = table->key_count; i < count; i++, number++)
        buf_printf(sql, "%s%s = $%d", number > 1 ? ", " : "", table->fields[i].column, number);
    for (int i = 0; i < table->key_count; i++, number++)
        buf_printf(sql, "%s%s = $%d", i ? " AND " : " WHERE ", table->fields[i].column, number);
}

static void make_write(const void *owner, const char *kind, struct buf *sql)
{
    const struct rows_table *table = owner;
    assert(table->key_count);
    if (kind == update)
        make_update(table, sql);
    else
        make_insert(table, kind, sql);
}

/* kind: what follows the name of the table. */
static void make_select(const void *owner, const char *kind, struct buf *sql)
{
    const struct rows_table *table = owner;
    buf_text(sql, "SELECT ");
    print_columns(table, 0, count_fields(table), ", ", "", sql);
    buf_printf(sql, " FROM %s%s", table->from, kind);
}

/* --- writing -------------------------------------------------------------------------------- */

static struct database_value value_of(const struct row_field *field, const void *row)
{
    const char *at = (const char *)row + field->offset;
    switch (field->type) {
    case ROW_TYPE_TEXT:
        return database_of_text(*(const char *const *)at);
    case ROW_TYPE_CHARS:
        return database_of_text(at);
    case ROW_TYPE_WORD:
        return database_of_text(field->words[*(const unsigned *)at]);
    case ROW_TYPE_NUMBER:
        return database_of_number(*(const double *)at);
    case ROW_TYPE_BOOL:
        return database_of_integer(*(const bool *)at);
    case ROW_TYPE_INT:
        return database_of_integer(*(const int *)at);
    case ROW_TYPE_ENUM:
    case ROW_TYPE_UNSIGNED:
        return database_of_integer(*(const unsigned *)at);
    case ROW_TYPE_INT64:
        return database_of_integer(*(const int64_t *)at);
    case ROW_TYPE_SIZE:
        return database_of_integer((int64_t) * (const size_t *)at);
    case ROW_TYPE_BYTES:
        return database_of_blob(*((const bool *)row + field->has) ? at : NULL, field->size);
    case ROW_TYPE_SHARED: /* share_text */
    case ROW_END:
        break;
    }
    return database_of_text(NULL);
}

static bool share_text(struct database *database, const struct row_field *field, const void *row,
                       struct database_value *value, struct error *error)
{
    const char *text = *(const char *const *)((const char *)row + field->offset);
    int64_t number;
    if (!shared_text_number(database, text ? text : "", &number, error))
        return false;
    *value = database_of_integer(number);
    return true;
}

static bool write_row(struct database *database, const struct rows_table *table, const char *kind,
                      const void *row, struct error *error)
{
    struct database_value values[FIELDS_MAX];
    int count = count_fields(table), first = kind == update ? table->key_count : 0;
    for (int i = 0; i < count; i++) {
        const struct row_field *field = &table->fields[(first + i) % count];
        values[i] = value_of(field, row);
        if (field->type == ROW_TYPE_SHARED && !share_text(database, field, row, &values[i], error))
            return false;
    }
    struct database_statement *statement = database_prepare_made(database, table, kind, make_write);
    database_bind_values(statement, values, (size_t)count);
    return database_run(statement, error);
}

bool rows_insert(struct database *database, const struct rows_table *table, const void *row,
                 struct error *error)
{
    return write_row(database, table, insert, row, error);
}

bool rows_insert_new(struct database *database, const struct rows_table *table, const void *row,
                     struct error *error)
{
    return write_row(database, table, insert_new, row, error);
}

bool rows_upsert(struct database *database, const struct rows_table *table, const void *row,
                 struct error *error)
{
    return write_row(database, table, upsert, row, error);
}

bool rows_update(struct database *database, const struct rows_table *table, const void *row,
                 struct error *error)
{
    return write_row(database, table, update, row, error);
}

/* --- reading -------------------------------------------------------------------------------- */

struct database_statement *rows_select(struct database *database, const struct rows_table *table,
                                       const char *rest)
{
    return database_prepare_made(database, table, rest, make_select);
}

static unsigned read_word(const struct row_field *field, const char *word)
{
    for (unsigned number = 0; field->words[number]; number++)
        if (!strcmp(field->words[number], word))
            return number;
    return (unsigned)field->size;
}

static void read_bytes(struct database_statement *statement, int column,
                       const struct row_field *field, void *row)
{
    size_t count;
    const void *bytes = database_blob(statement, column, &count);
    bool has = count == field->size;
    *((bool *)row + field->has) = has;
    memset((char *)row + field->offset, 0, field->size);
    if (has)
        memcpy((char *)row + field->offset, bytes, count);
}

static void read_text(struct database_statement *statement, int column,
                      const struct row_field *field, struct arena *arena, char *at)
{
    const char *text = database_text(statement, column);
    if (field->type == ROW_TYPE_TEXT) {
        *(const char **)at = arena ? arena_text(arena, text) : text;
    } else if (field->type == ROW_TYPE_WORD) {
        *(unsigned *)at = read_word(field, text);
    } else {
        size_t length = strnlen(text, field->size - 1);
        memcpy(at, text, length);
        at[length] = 0;
    }
}

static void read_integer(int64_t value, const struct row_field *field, char *at)
{
    switch (field->type) {
    case ROW_TYPE_BOOL:
        *(bool *)at = value != 0;
        break;
    case ROW_TYPE_INT:
        *(int *)at = (int)value;
        break;
    case ROW_TYPE_ENUM:
        *(unsigned *)at =
            (unsigned)(value < 0 || value >= (int64_t)field->size ? (int64_t)field->size - 1
                                                                  : value);
        break;
    case ROW_TYPE_UNSIGNED:
        *(unsigned *)at = (unsigned)value;
        break;
    case ROW_TYPE_SIZE:
        *(size_t *)at = (size_t)value;
        break;
    default:
        *(int64_t *)at = value;
        break;
    }
}

static void read_row(struct database_statement *statement, const struct rows_table *table,
                     struct arena *arena, void *row)
{
    for (int i = 0; table->fields[i].type; i++) {
        const struct row_field *field = &table->fields[i];
        char *at = (char *)row + field->offset;
        if (field->type <= ROW_TYPE_WORD)
            read_text(statement, i, field, arena, at);
        else if (field->type == ROW_TYPE_NUMBER)
            *(double *)at = database_number(statement, i);
        else if (field->type == ROW_TYPE_BYTES)
            read_bytes(statement, i, field, row);
        else
            read_integer(database_integer(statement, i), field, at);
    }
}

bool rows_next(struct database_statement *statement, const struct rows_table *table,
               struct arena *arena, void *row, bool *found, struct error *error)
{
    if (!database_step(statement, found, error))
        return false;
    if (*found)
        read_row(statement, table, arena, row);
    return true;
}

bool rows_one(struct database_statement *statement, const struct rows_table *table,
              struct arena *arena, void *row, bool *found, struct error *error)
{
    if (!rows_next(statement, table, arena, row, found, error))
        return false;
    database_reset(statement);
    return true;
}

bool rows_read_keys(struct database_statement *statement, struct arena *arena,
                    struct rows_keys *keys, struct error *error)
{
    *keys = (struct rows_keys){ 0 };
    for (bool row = true;;) {
        if (!database_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        if (!(keys->count & (keys->count - 1))) { /* full at every power of two */
            const char **more =
                arena_alloc(arena, (keys->count ? keys->count * 2 : 1) * sizeof *more);
            memcpy(more, keys->count ? keys->keys : more, keys->count * sizeof *more);
            keys->keys = more;
        }
        keys->keys[keys->count++] = arena_text(arena, database_text(statement, 0));
    }
}
