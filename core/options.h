#pragma once
/* A table that binds YAML to a struct: defaults, ranges, unknown keys, secrets from files, and
 * one message "file:line: key.path: reason" for every wrong value, not only the first.
 *
 *   static const struct option azure_options[] = {
 *       { "tenant_id", OPTION_TEXT(struct azure_config, tenant_id),
 *         .help = "Directory (tenant) id." },
 *       { "interval", OPTION_DURATION(struct x, interval_ms), .otherwise = "15m",
 *         .min = 1000, .max = 86400e3 },
 *       { 0 }
 *   };
 * A member of another type than its row does not compile. The same rows print the configuration
 * reference. An empty text is a valid configuration, and a key without a value counts as absent.
 * YAML itself is options_yaml's business. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/compiler.h"
#include "core/error.h"
#include "core/secret.h"

enum option_type {
    OPTION_END,
    OPTION_TYPE_TEXT,      /* const char *, in the arena; NULL when absent and without default */
    OPTION_TYPE_BOOL,      /* bool */
    OPTION_TYPE_INTEGER,   /* int64_t, min..max */
    OPTION_TYPE_NUMBER,    /* double, min..max */
    OPTION_TYPE_DURATION,  /* int64_t milliseconds, min..max in ms; "15m" */
    OPTION_TYPE_SIZE,      /* int64_t bytes; "512MB", "1GiB" */
    OPTION_TYPE_WORD,      /* an int or enum: index into words */
    OPTION_TYPE_URL,       /* const char *: http(s) with a host; trailing slashes removed */
    OPTION_TYPE_SECRET,    /* struct secret; key <name> or <name>_file, not both */
    OPTION_TYPE_PATH,      /* const char *: a file name, relative to the folder of the file read */
    OPTION_TYPE_TEXT_LIST, /* struct option_texts; a single scalar counts as a list of one, but
                              defaults and options_set split at commas; each one of words when
                              there are any */
    OPTION_TYPE_TEXT_MAP,  /* struct option_pairs */
    OPTION_TYPE_SECTION,   /* a nested struct at the offset, rows in `section` */
    OPTION_TYPE_ITEMS,     /* struct option_items: a list of mappings, item_bytes each */
    OPTION_TYPE_NAMED,     /* struct option_items: a mapping of name -> mapping; the item's first
                              member is `const char *name` */
};

struct option_texts {
    const char **texts;
    size_t count;
    const int *lines; /* of each; NULL = not from a file */
};
struct option_pair {
    const char *name, *value;
    int line;
};
struct option_pairs {
    struct option_pair *pairs;
    size_t count;
};
struct option_items {
    void *items; /* count structs of item_bytes */
    size_t count;
};

struct option {
    const char *name;
    enum option_type type;
    size_t offset;
    const char *otherwise;    /* default, as it would be written; NULL = zero */
    double min, max;          /* both 0 = unbounded; max below min = no upper bound */
    const char *const *words; /* NULL-terminated */
    const struct option *section;
    size_t item_bytes;
    size_t line_offset;  /* when not 0: an int in the same struct that gets the key's line */
    size_t wrong_offset; /* when not 0: a bool that is set when something in it is wrong: of a
                            section in the same struct, of items in the item */
    bool required;       /* in a section that is absent only when the section is required too */
    bool restart;        /* a change has no effect before a restart */
    /* Called with the value's address after it was set; returns NULL or the reason it is wrong. */
    const char *(*check)(const void *value);
    const char *help;
};

/* The type, the place and the check of a row, after its name. */
/* clang-format off */
#define OPTION_(kind, type, member, wanted) OPTION_TYPE_##kind, MEMBER_OFFSET(type, member, wanted)
#define OPTION_TEXT(type, member) OPTION_(TEXT, type, member, const char *)
#define OPTION_BOOL(type, member) OPTION_(BOOL, type, member, bool)
#define OPTION_INTEGER(type, member) OPTION_(INTEGER, type, member, int64_t)
#define OPTION_NUMBER(type, member) OPTION_(NUMBER, type, member, double)
#define OPTION_DURATION(type, member) OPTION_(DURATION, type, member, int64_t)
#define OPTION_SIZE(type, member) OPTION_(SIZE, type, member, int64_t)
#define OPTION_WORD(type, member) OPTION_TYPE_WORD, ENUM_OFFSET(type, member)
#define OPTION_URL(type, member) OPTION_(URL, type, member, const char *)
#define OPTION_SECRET(type, member) OPTION_(SECRET, type, member, struct secret)
#define OPTION_PATH(type, member) OPTION_(PATH, type, member, const char *)
#define OPTION_TEXT_LIST(type, member) OPTION_(TEXT_LIST, type, member, struct option_texts)
#define OPTION_TEXT_MAP(type, member) OPTION_(TEXT_MAP, type, member, struct option_pairs)
/* The rows of a section, of items and of named items stand in `.section`. */
#define OPTION_SECTION(type, member) OPTION_TYPE_SECTION, offsetof(type, member)
#define OPTION_GROUP OPTION_TYPE_SECTION, 0 /* a section whose members stand in the same struct */
#define OPTION_ITEMS(type, member, item) \
    OPTION_(ITEMS, type, member, struct option_items), .item_bytes = sizeof(item)
#define OPTION_NAMED(type, member, item) \
    OPTION_(NAMED, type, member, struct option_items) + \
        CHECKED_ZERO(!offsetof(item, name) && HAS_TYPE(((item *)0)->name, const char *), \
                     #item " must begin with: const char *name"), \
    .item_bytes = sizeof(item)
/* After them, where it is wanted: the int in the same struct that gets the key's line. */
#define OPTION_LINE(type, member) .line_offset = MEMBER_OFFSET(type, member, int)
#define OPTION_WRONG(type, member) .wrong_offset = MEMBER_OFFSET(type, member, bool)
/* clang-format on */

/* What was wrong: one text a line, "file:line: path: reason". */
struct option_report {
    struct buf text;
    size_t count;
    bool unread;     /* a text was no YAML, or too large: its values are those from before */
    struct buf keys; /* "file:line:key" of the values that could not be read: nobody complains about
                        what was made of them */
};

/* Set every default. out: the zeroed struct the rows describe. arena: owns the texts. */
void options_default(const struct option *options, void *out, struct arena *arena);

/* Read a YAML text. name: for messages (a path; relative OPTION_PATHs resolve against its folder).
 * The struct must hold defaults already. False when the report got anything. Nothing is read from
 * the network; secret files are read here. */
bool options_read(const struct option *options, const char *name, const char *text, size_t length,
                  void *out, struct arena *arena, struct option_report *report) MUST_USE;

/* The bytes of a file, at most those that options_read takes and one more. 0, or the errno. */
int options_file(const char *path, struct buf *out) MUST_USE;

/* Where the text at an index stands; 0 = in no file. */
int options_line(const struct option_texts *texts, size_t index);

/* The same from a file. A file that cannot be read is a report line of its own. */
bool options_read_file(const struct option *options, const char *path, void *out,
                       struct arena *arena, struct option_report *report) MUST_USE;

/* Set one value from text (a flag or environment variable), by dotted path: "azure.tenant_id",
 * "azure.client_secret_file", "collectors.assessments.interval" (the item is made when it is not
 * there). origin names it in messages: "--log.level". */
bool options_set(const struct option *options, const char *path, const char *text,
                 const char *origin, void *out, struct arena *arena,
                 struct option_report *report) MUST_USE;

/* Append "file:line: path: reason" for a check the table cannot express; not again for a value that
 * could not be read. line 0 and path "" are left out; after 100 reasons the rest is only counted.
 */
void options_complain(struct option_report *report, const char *name, int line, const char *path,
                      const char *format, ...) PRINTF_LIKE(5, 6);

/* Append the configuration reference: a YAML skeleton with the help as comments. Reading it gives
 * the defaults; rows without one are commented out. */
void options_document(const struct option *options, struct buf *out);

/* Append what the reference says of one row, in sentences; and its default as it would be written,
 * "<duration>" and the like where it has none: not of sections and items. */
void options_document_help(const struct option *option, struct buf *out);
void options_document_value(const struct option *option, struct buf *out);

/* Append a text that sets this row, as a value of YAML; option: NULL = the name of a file. */
void options_document_text(const struct option *option, const char *text, struct buf *out);

/* Whose eyes a hash is for: one that others see has of a secret no more than a byte. */
enum options_hash_use { OPTIONS_HASH_OURS, OPTIONS_HASH_SHOWN };

/* A number for all that the rows describe: equal values give equal ones, whatever the lines and
 * comments they were written in. Not cryptographic. */
uint64_t options_hash(const struct option *options, const void *values, enum options_hash_use use);

/* One number for two. */
uint64_t options_hash_join(uint64_t left, uint64_t right);

/* Append the rows with `restart` whose values differ, comma-separated: "web.listen_address".
 * section: the name before theirs; "" = none. */
void options_restart(const struct option *options, const char *section, const void *running,
                     const void *wanted, struct buf *out);

/* Read the files of its secrets again, because one was refused. True when one is another than
 * before. Any thread; see secret_refresh. */
bool options_refresh(const struct option *options, const void *values);

/* Wipe the secrets in a struct that options_read filled. */
void options_finish(const struct option *options, void *out);

/* Give the report's memory back. */
void options_report_finish(struct option_report *report);
