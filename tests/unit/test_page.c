#include "exporter/pages/page.h"

#include "sources.h"
#include "test.h"

/* A page that writes into out. */
#define PAGE(name, ...)                                                                            \
    CLEANUP(buf_finish) struct buf out = { 0 };                                                    \
    struct snapshot *snapshot = snapshot_create(test_sources());                                   \
    struct page name = { .out = &out,                                                              \
                         .prefix = "/d",                                                           \
                         .now = 1700000000,                                                        \
                         .snapshot = snapshot,                                                     \
                         .filter = "",                                                             \
                         __VA_ARGS__ }

TEST(text_leaves_nothing_to_interpret)
{
    PAGE(page);
    page_text(&page, "<a href=\"x\">'&'</a> ok");
    CHECK_TEXT(buf_cstr(&out), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt; ok");
    buf_reset(&out);
    page_text(&page, "");
    CHECK_INT(out.length, 0);
    snapshot_release(snapshot);
}

TEST(paths_carry_the_prefix_a_segment_and_the_filter)
{
    static const struct {
        const char *filter, *path, *segment;
        bool filtered;
        const char *wanted;
    } rows[] = {
        { "", "/status", NULL, true, "/d/status" },
        { "a=\"b\"", "/status", NULL, true, "/d/status?filter=a%3D%22b%22" },
        { "a=\"b\"", "/status", NULL, false, "/d/status" },
        { "a", "/r?from=3", NULL, true, "/d/r?from=3&amp;filter=a" },
        { "", "/r/", "a/../\"<b>?#%", true, "/d/r/a%2F..%2F%22%3Cb%3E%3F%23%25" },
        { "", "/r/", "k\xc3\xbc", true, "/d/r/k%C3%BC" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        PAGE(page);
        page.filter = rows[i].filter;
        page_path(&page, rows[i].path, rows[i].segment, rows[i].filtered);
        CHECK_TEXT(buf_cstr(&out), rows[i].wanted);
        snapshot_release(snapshot);
    }
}

TEST(numbers_have_their_thousands_apart)
{
    static const struct {
        uint64_t number;
        const char *wanted;
    } rows[] = {
        { 0, "0" }, { 999, "999" }, { 1000, "1\u202f000" }, { 1234567, "1\u202f234\u202f567" }
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        PAGE(page);
        page_number(&page, rows[i].number);
        CHECK_TEXT(buf_cstr(&out), rows[i].wanted);
        snapshot_release(snapshot);
    }
}

TEST(ages_and_due_dates_are_in_words_with_their_instant)
{
    PAGE(page);
    page_age(&page, 1700000000 - 3 * 86400);
    page_due(&page, 1700000000 - 86400 * 2);
    page_due(&page, 1700000000 + 7200);
    CHECK_TEXT(buf_cstr(&out),
               "<time datetime=\"2023-11-11T22:13:20Z\" title=\"2023-11-11T22:13:20Z\">3 d</time>"
               "<b class=\"bad\"><time datetime=\"2023-11-12T22:13:20Z\" "
               "title=\"2023-11-12T22:13:20Z\">overdue 2 d</time></b>"
               "<time datetime=\"2023-11-15T00:13:20Z\" title=\"2023-11-15T00:13:20Z\">in 2 "
               "h</time>");
    buf_reset(&out);
    page_due(&page, 0); /* never due */
    CHECK_TEXT(buf_cstr(&out), "");
    page_age(&page, 0); /* not known */
    CHECK_TEXT(buf_cstr(&out), "-");
    snapshot_release(snapshot);
}

TEST(levels_have_a_word_a_shape_and_a_colour_of_their_own)
{
    PAGE(page);
    for (int risk = 0; risk < RISK_COUNT; risk++) {
        CLEANUP(buf_finish) struct buf rule = { 0 };
        buf_reset(&out);
        page_risk(&page, (enum risk_level)risk);
        CHECK_CONTAINS(buf_cstr(&out), finding_risk_words[risk]);
        CHECK_CONTAINS(buf_cstr(&out), "aria-hidden=\"true\"");
        buf_printf(&rule, ".%s{color:", finding_risk_words[risk]);
        CHECK_CONTAINS(page_style, buf_cstr(&rule));
    }
    snapshot_release(snapshot);
}

TEST(tables_close_what_they_open)
{
    static const struct page_column columns[] = { { "Name", false },
                                                  { "Count", true },
                                                  { NULL, false } };
    PAGE(page);
    struct page_table table = { &page, columns };
    page_table_begin(&table, "A <list>");
    page_table_row(&table);
    page_table_cell(&table);
    page_text(&page, "a");
    page_table_cell(&table);
    page_number(&page, 1);
    page_table_row(&table);
    page_table_cell(&table);
    page_text(&page, "b");
    page_table_cell(&table);
    page_table_end(&table);
    CHECK_TEXT(buf_cstr(&out),
               "<div class=\"card\"><table>\n<caption>A &lt;list&gt;</caption>\n<thead><tr>"
               "<th scope=\"col\">Name</th><th scope=\"col\" class=\"number\">Count</th>"
               "</tr></thead>\n<tbody>\n"
               "<tr><th scope=\"row\">a</th><td class=\"number\" data-label=\"Count\">1</td></tr>\n"
               "<tr><th scope=\"row\">b</th><td class=\"number\" data-label=\"Count\"></td></tr>\n"
               "</tbody></table></div>\n");
    snapshot_release(snapshot);
}

TEST(long_lists_have_ways_to_and_fro)
{
    static const struct {
        size_t from;
        const char *wanted;
    } cases[] = {
        { 0, "1 to 10 of 25 <a rel=\"next\" href=\"/d/x?from=10\">Next</a></nav>\n" },
        { 5, "6 to 15 of 25 <a rel=\"prev\" href=\"/d/x\">Before</a>"
             " <a rel=\"next\" href=\"/d/x?from=15\">Next</a></nav>\n" },
        { 20, "21 to 25 of 25 <a rel=\"prev\" href=\"/d/x?from=10\">Before</a></nav>\n" },
        { 25, "25 <a rel=\"prev\" href=\"/d/x?from=15\">Before</a></nav>\n" },
    };
    PAGE(page);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        buf_reset(&out);
        page_more(&page, "/x", cases[i].from, 10, 25);
        CHECK_TEXT(buf_cstr(&out) + strcspn(buf_cstr(&out), ">") + 1, cases[i].wanted);
    }
    buf_reset(&out);
    page_more(&page, "/x", 0, 10, 10);
    CHECK_INT(out.length, 0);
    snapshot_release(snapshot);
}

TEST(the_frame_says_what_was_seen_and_how_old_it_is)
{
    PAGE(page);
    page_begin(&page, PAGE_STATUS, "A & B");
    CHECK_CONTAINS(buf_cstr(&out), "<title>A &amp; B - Defender exporter</title>");
    CHECK_CONTAINS(buf_cstr(&out), "<a href=\"/d/status\" aria-current=\"page\">");
    CHECK_CONTAINS(buf_cstr(&out), "<p class=\"scope wait\">no subscription seen yet");
    CHECK_CONTAINS(buf_cstr(&out), "no data yet");
    snapshot_release(snapshot);
}

TEST(policy_and_style_agree)
{
    CHECK_CONTAINS(page_policy, "default-src 'none'");
    CHECK_CONTAINS(page_policy, "style-src 'self'");
    CHECK(!strstr(page_style, "url("));
    CHECK_CONTAINS(page_style, "prefers-color-scheme:dark");
}
