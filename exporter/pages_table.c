#include "exporter/pages_table.h"

#include <string.h>

#include "exporter/alerts_page_routes.h"
#include "exporter/delivery_routes.h"
#include "exporter/finding_routes.h"
#include "exporter/pages_routes.h"
#include "exporter/silences_routes.h"

size_t pages_table(struct acting_source *acting, size_t body_bytes,
                   struct web_route out[PAGES_TABLE_MAX])
{
    enum { FORM = WEB_GET | WEB_POST };
    struct view_request_source *views = acting->views;
    /* clang-format off */
    const struct web_route routes[] = {
        { "/",          "overview", WEB_GET, 0, WEB_WORK, pages_routes_overview, views },
        { "/fix-first", "fix_first", WEB_GET, 0, WEB_WORK, pages_routes_fix_first, views },
        { "/recommendations",   "recommendations", WEB_GET, 0, WEB_WORK,
          pages_routes_recommendations, views },
        { "/recommendations/*", "recommendation", WEB_GET, 0, WEB_WORK,
          pages_routes_recommendation, views },
        { "/baselines",  "baselines",  WEB_GET, 0, WEB_WORK, pages_routes_baselines, views },
        { "/resources",  "resources",  WEB_GET, 0, WEB_WORK, pages_routes_resources, views },
        { "/resource",   "resource",   WEB_GET, 0, WEB_WORK, pages_routes_resource, views },
        { "/controls",   "controls",   WEB_GET, 0, WEB_WORK, pages_routes_controls, views },
        { "/compliance", "compliance", WEB_GET, 0, WEB_WORK, pages_routes_compliance, views },
        { "/alerts",     "alerts", WEB_GET, 0, WEB_WORK, alerts_page_routes_list, acting,
          .forms = true },
        { "/silences",   "silences", WEB_GET, 0, WEB_WORK, silences_routes_list, acting,
          .forms = true },
        { "/silences/*", "silence", FORM, body_bytes, WEB_WORK, silences_routes_one, acting,
          .forms = true },
        { "/delivery",   "delivery", WEB_GET, 0, WEB_WORK, delivery_routes_list, acting,
          .forms = true },
        { "/delivery/*", "message", FORM, body_bytes, WEB_WORK, delivery_routes_one, acting,
          .forms = true },
        { "/style.css", "style",   WEB_GET, 0, WEB_AT_ONCE, pages_routes_style, NULL },
        { "/f/*",       "finding", WEB_GET, 0, WEB_WORK, finding_routes_one, acting,
          .forms = true },
    };
    /* clang-format on */
    _Static_assert(ARRAY_COUNT(routes) <= PAGES_TABLE_MAX, "there is room for all");
    memcpy(out, routes, sizeof routes);
    return ARRAY_COUNT(routes);
}
