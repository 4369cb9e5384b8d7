#include "collectors/compliance_controls.h"

#include <stdio.h>

#include "test.h"

enum { COUNT = 500 };

/* Every one of many is found, whatever its case, and none that is not there. */
TEST(titles_are_found_by_their_control)
{
    static char names[COUNT][8], titles[COUNT][16];
    static struct control list[COUNT + 1];
    struct controls controls = { list, COUNT + 1, COUNT + 1 };
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "AC-%d", i / 2);
        snprintf(titles[i], sizeof titles[i], "title %d", i);
        list[(i * 7) % COUNT] = (struct control){ i % 2 ? "nist" : "iso", names[i], titles[i] };
    }
    list[COUNT] = (struct control){ "iso", "ac-3", "another title" };
    compliance_controls_sort_titles(&controls);
    for (int i = 0; i < COUNT; i++) {
        const char *wanted = i == 6 ? "another title" : titles[i];
        names[i][0] = 'a';
        CHECK_TEXT(compliance_controls_title(&controls, i % 2 ? "nist" : "iso", names[i]), wanted);
    }
    CHECK_TEXT(compliance_controls_title(&controls, "iso", "AC-999"), "");
    CHECK_TEXT(compliance_controls_title(&controls, "cis", "AC-1"), "");
    CHECK_TEXT(compliance_controls_title(&(struct controls){ 0 }, "iso", "AC-1"), "");
}
