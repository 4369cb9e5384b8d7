#pragma once
/* A first configuration: what was found to work, as commented YAML. Pure. */
#include "exporter/config.h"

enum { INIT_SETTINGS_MAX = 200, INIT_RECEIVERS_MAX = 12 };

/* A kind of receiver that can be named in a word. */
struct init_kind {
    const char *name;
    const char *what; /* its value is, for who is asked */
    const char *key;  /* of the file that its value names; NULL = see init_receiver */
};
extern const struct init_kind init_kinds[]; /* ends with name NULL */

struct init_receiver {
    const struct init_kind *kind;
    const char *value;
};

/* "slack=/file": which kind, and whether its value is one. The file is not read. ERROR_CONFIG. */
bool init_receiver(const char *text, struct init_receiver *receiver, struct error *error) MUST_USE;

/* What was found; texts are borrowed. */
struct init_found {
    const struct config *config;           /* it was looked with */
    const struct config_setting *settings; /* keys to write, setting_count of them */
    size_t setting_count;
    const char *signed_in; /* "client secret"; NULL = nobody could */
    const char *why;       /* then: why not */
    const char *rows;      /* of permissions_table, lines of JSON */
    const struct snapshot *snapshot;
    const struct init_receiver *receivers; /* receiver_count of them */
    size_t receiver_count;
};

/* Append the configuration. Secrets are named by their files or variables, never written. */
void init_write(const struct init_found *found, struct buf *out);

/* Rules to begin with, for the file that it names when there are receivers. */
extern const char init_rules[];

/* Whether it names a file with a secret. */
bool init_names_secrets(const struct init_found *found);
