#pragma once
/* A table that binds a row of the database to a struct:
 *   static const struct row_field note_fields[] = {
 *       ROW_CHARS  (struct note, id,       "id"),
 *       ROW_TEXT   (struct note, text,     "text"),
 *       ROW_INTEGER(struct note, told_at,  "told_at"),
 *       { 0 }
 *   };
 *   static const struct rows_table notes = { "note", 1, note_fields };
 * The SQL that writes and reads whole rows is made from it; conditions are written by hand. A
 * member of another type than its field's does not compile. What is written by ROW_SHARED is read
 * by ROW_TEXT of a view that has the texts. */
#include <stddef.h>
#include <stdint.h>

#include "alerts/store/database.h"
#include "core/compiler.h"

enum row_type {
    ROW_END,
    ROW_TYPE_TEXT,  /* const char *: NULL is NULL, and is read as "" */
    ROW_TYPE_CHARS, /* char[]: cut when longer */
    ROW_TYPE_WORD,  /* an enum kept as its word; an unknown word is read as the value given */
    ROW_TYPE_ENUM,  /* an enum kept as its number; what is outside is read as the last one */
    ROW_TYPE_NUMBER,
    ROW_TYPE_BOOL,
    ROW_TYPE_INT,
    ROW_TYPE_UNSIGNED,
    ROW_TYPE_INT64,
    ROW_TYPE_SIZE,
    ROW_TYPE_SHARED, /* const char *: only written, as its number in shared_text; NULL is "" */
    ROW_TYPE_BYTES, /* uint8_t[]: NULL, and read as zeros, unless the bool beside it says so */
};

struct row_field {
    enum row_type type;
    size_t offset;
    const char *column;
    size_t size;              /* bytes of an array, values of an enum, value of unknown words */
    size_t has;               /* offset of the bool that says whether the bytes are there */
    const char *const *words; /* of the enum, NULL-terminated */
};

/* clang-format off */
#define ROW_BYTES_(type, member) sizeof(((type *)0)->member)
#define ROW_ARRAY_(type, member, element) \
    (offsetof(type, member) + \
     CHECKED_ZERO(HAS_TYPE(((type *)0)->member, element[ROW_BYTES_(type, member)]), \
                  #type "." #member " must be: array of " #element))
#define ROW_KIND_(type, member) \
    _Generic(((type *)0)->member, bool: ROW_TYPE_BOOL, int: ROW_TYPE_INT, \
             unsigned: ROW_TYPE_UNSIGNED, int64_t: ROW_TYPE_INT64, size_t: ROW_TYPE_SIZE, \
             default: ROW_END)

#define ROW_TEXT(type, member, name) \
    { ROW_TYPE_TEXT, MEMBER_OFFSET(type, member, const char *), name, 0, 0, NULL }
#define ROW_SHARED(type, member, name) \
    { ROW_TYPE_SHARED, MEMBER_OFFSET(type, member, const char *), name, 0, 0, NULL }
#define ROW_CHARS(type, member, name) \
    { ROW_TYPE_CHARS, ROW_ARRAY_(type, member, char), name, ROW_BYTES_(type, member), 0, NULL }
#define ROW_WORD(type, member, name, of, unknown) \
    { ROW_TYPE_WORD, ENUM_OFFSET(type, member), name, unknown, 0, of }
#define ROW_ENUM(type, member, name, count) \
    { ROW_TYPE_ENUM, ENUM_OFFSET(type, member), name, count, 0, NULL }
#define ROW_NUMBER(type, member, name) \
    { ROW_TYPE_NUMBER, MEMBER_OFFSET(type, member, double), name, 0, 0, NULL }
#define ROW_INTEGER(type, member, name) \
    { ROW_KIND_(type, member), \
      offsetof(type, member) + CHECKED_ZERO(ROW_KIND_(type, member) != ROW_END, \
                                            #type "." #member " must be: an integer"), \
      name, 0, 0, NULL }
#define ROW_BYTES(type, member, name, present) \
    { ROW_TYPE_BYTES, ROW_ARRAY_(type, member, uint8_t), name, ROW_BYTES_(type, member), \
      MEMBER_OFFSET(type, present, bool), NULL }
/* clang-format on */

struct rows_table {
    const char *from; /* its name; for reading also "a JOIN b ON ..." */
    int key_count;    /* the first fields are its key; 0 = it is only read */
    const struct row_field *fields;
};

/* Write one row from the struct. Texts are borrowed for the call. */
bool rows_insert(struct database *database, const struct rows_table *table, const void *row,
                 struct error *error) MUST_USE;
/* Nothing when there is one of this key. */
bool rows_insert_new(struct database *database, const struct rows_table *table, const void *row,
                     struct error *error) MUST_USE;
/* Instead of the one of this key, if any: columns without a field stay as they are. */
bool rows_upsert(struct database *database, const struct rows_table *table, const void *row,
                 struct error *error) MUST_USE;
/* Only when there is one of this key. */
bool rows_update(struct database *database, const struct rows_table *table, const void *row,
                 struct error *error) MUST_USE;

/* SELECT of the table's columns, ready to be bound. rest: what follows FROM, " WHERE ..."; kept by
 * its address: pass literals. */
struct database_statement *rows_select(struct database *database, const struct rows_table *table,
                                       const char *rest);

/* Fill the struct from the next row: true and *found, or true and not *found at the end. Members
 * without a field stay as they are. Texts go to the arena; with NULL they live until the next row.
 * Errors as database_step. */
bool rows_next(struct database_statement *statement, const struct rows_table *table,
               struct arena *arena, void *row, bool *found, struct error *error) MUST_USE;

/* The same of the first row, and no more; needs an arena when there are texts. */
bool rows_one(struct database_statement *statement, const struct rows_table *table,
              struct arena *arena, void *row, bool *found, struct error *error) MUST_USE;

/* The first column of every row of a statement, read to the end, so that the rows may be written
 * meanwhile. In the arena. */
struct rows_keys {
    const char **keys;
    size_t count;
};
bool rows_read_keys(struct database_statement *statement, struct arena *arena,
                    struct rows_keys *keys, struct error *error) MUST_USE;
