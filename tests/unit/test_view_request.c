#include "exporter/view_request.h"

#include "test.h"

TEST(two_filters_are_applied_at_once_and_no_third)
{
    struct view_request_source source = { .filtering = 2 };
    struct view_request request = { .filter = "cloud=\"azure\"" };
    const char *title = "";
    struct error error = { 0 };
    CHECK_INT(view_request_filter(&source, &request, NULL, &title, &error), 429);
    CHECK_TEXT(title, "Too many filters at once");
    CHECK_INT(source.filtering, 2);
    request.filter = "";
    CHECK_INT(view_request_filter(&source, &request, NULL, &title, &error), 200);
}
