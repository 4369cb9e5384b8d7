#pragma once
/* The Azure clouds and their hosts. source: Microsoft Learn, national clouds. */

struct cloud {
    const char *name, *authority_host, *resource_manager, *audience, *portal;
    const char *microsoft_graph;                  /* its audience is the host */
    const char *endpoint_api, *defender_audience; /* of Defender for Endpoint; NULL = not known */
};

/* The rows, in the order of cloud_words: one for every name a cloud goes by; the first is the
 * default. */
extern const struct cloud cloud_table[];

/* Their names for `azure.cloud`, NULL-terminated. */
extern const char *const cloud_words[];
