#pragma once
/* The page of what the program knows of itself: its collectors, its tenant, its configuration.
 * Pure. */
#include "exporter/pages/page.h"

/* A line of the page that leads on. */
struct status_link {
    const char *path, *text; /* path without the prefix */
};

/* A tenant that is asked. */
struct status_tenant {
    const char *name;     /* "" = the first */
    const char *identity; /* how it signs in to Azure: "client secret" */
    const char *tenant_id;
    const char *cloud;
};

/* What it shows; everything is borrowed. */
struct status_view {
    const struct status_tenant *tenants; /* tenant_count of them */
    size_t tenant_count;
    const char *config_file;         /* "" = none */
    const char *alerts;              /* "2 receivers, 5 rules" */
    const char *reload_error;        /* of the last reload; "" = it worked */
    const struct status_link *links; /* link_count of them */
    size_t link_count;
    const char *const *variants; /* "graph": how each source is read; NULL = unknown */
};

void status_page(struct page *page, const struct status_view *view);
