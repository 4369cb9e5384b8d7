#pragma once
/* Pages are HTML for people: what the service knows of itself goes in as a view. Pure; every text
 * of others is escaped. */
#include "collectors/snapshot/snapshot.h"
#include "core/buf.h"

/* A line of the landing page that leads on. */
struct pages_link {
    const char *path, *text; /* path without the prefix */
};

/* What the landing page shows; everything is borrowed. */
struct pages_view {
    int64_t now;
    const char *prefix;   /* before every path: "" or "/defender" */
    const char *identity; /* how it signs in to Azure: "client secret" */
    const char *tenant_id;
    const char *cloud;
    const char *config_file;        /* "" = none */
    const char *alerts;             /* "2 receivers, 5 rules" */
    const char *reload_error;       /* of the last reload; "" = it worked */
    const struct pages_link *links; /* link_count of them */
    size_t link_count;
    const struct snapshot *snapshot;
    const char *const *variants; /* "graph": how each source is read; NULL = unknown */
};

/* Append the landing page. */
void pages_landing(const struct pages_view *view, struct buf *out);

/* Content-Security-Policy of every page: only our own style sheet. */
extern const char pages_policy[];

/* The style sheet all pages share, served at /style.css. */
extern const char pages_style[];

/* Append text with & < > " ' as entities. */
void pages_escape(struct buf *out, const char *text);
