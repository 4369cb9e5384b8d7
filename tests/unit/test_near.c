#include "core/near.h"

#include "test.h"

TEST(names_at_most_three)
{
    static const char *const words[] = { "finding.opened",  "finding.reopened", "finding.resolved",
                                         "finding.overdue", "digest",           NULL };
    CLEANUP(buf_finish) struct buf out = { 0 };
    near_append("finding.open", words, &out);
    CHECK_TEXT(buf_cstr(&out), "; did you mean finding.opened, finding.reopened?");
    buf_reset(&out);
    near_append("zzz", words, &out);
    CHECK_TEXT(buf_cstr(&out), "");
    buf_reset(&out);
    near_append("finding.o", words, &out);
    near_append("", words, &out);
    CHECK(strlen(buf_cstr(&out)) < 100);
}

TEST(edits_are_counted)
{
    CHECK_INT(near_edits("limit", "limit"), 0);
    CHECK_INT(near_edits("limt", "limit"), 1);
    CHECK_INT(near_edits("kitten", "sitting"), 3);
    CHECK(near_edits("a", "a word that is far longer than anybody would type by hand on a line") >
          40);
}
