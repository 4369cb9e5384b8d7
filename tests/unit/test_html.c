/* html: catalogue texts as plain text and Markdown. */
#include "alerts/text/html.h"
#include "test.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/compiler.h"

/* clang-format off */
static const struct {
    const char *html, *text, *markdown;
} cases[] = {
    { "", "", "" },
    { "plain words", "plain words", "plain words" },
    { "  a \n\t b  ", "a b", "a b" },
    { "To fix:<br>1. Open <b>Settings</b>.<br />2. Click Save.",
      "To fix:\n1. Open Settings.\n2. Click Save.",
      "To fix:  \n1. Open **Settings**.  \n2. Click Save." },
    { "a<br><br>b", "a\n\nb", "a\n\nb" },
    { "<p>one</p><p>two</p>", "one\n\ntwo", "one\n\ntwo" },
    { "<ol><li>Open</li><li>Save</li></ol>after",
      "1. Open\n2. Save\n\nafter", "1. Open\n2. Save\n\nafter" },
    { "do:<ul><li>a</li><li>b<ol><li>c</li><li>d</ol></li><li>e</ul>",
      "do:\n\n- a\n- b\n  1. c\n  2. d\n- e", "do:\n\n- a\n- b\n  1. c\n  2. d\n- e" },
    { "<ul><li>a<ul><li>b</ul>tail</ul>end", "- a\n  - b\n  tail\n\nend",
      "- a\n  - b  \n  tail\n\nend" },
    { "<ul><li><p>a</p></li><li><p>b</p><p>c</p></li></ul>",
      "- a\n- b\n\n  c", "- a\n- b\n\n  c" },
    { "<ul><li></li><li>x</li></ul>", "- x", "- x" },
    { "<li>loose</li>tail", "- loose\ntail", "- loose  \ntail" },
    { "see <a href=\"https://aka.ms/x?a=1&amp;b=2\">the <b>docs</b></a>.",
      "see the docs (https://aka.ms/x?a=1&b=2).",
      "see [the **docs**](https://aka.ms/x?a=1&b=2)." },
    { "<a href='https://x.y/'>https://x.y/</a>", "https://x.y/", "[https://x.y/](https://x.y/)" },
    { "<a href=https://x.y/z target=_blank>z</a>", "z (https://x.y/z)", "[z](https://x.y/z)" },
    { "<a href=\"https://x.y/\"></a>", "https://x.y/", "<https://x.y/>" },
    { "<a href=\"javascript:alert(1)\">click</a>", "click", "click" },
    { "<a href=\" JavaScript:x\">click</a> <a href=\"/local\">l</a>", "click l", "click l" },
    { "<a href=\"https://x.y/a) [b](c\">t</a>",
      "t (https://x.y/a%29%20%5Bb%5D%28c)", "[t](https://x.y/a%29%20%5Bb%5D%28c)" },
    { "<a href=\"https://x.y/1\">a<p>b</p>", "a (https://x.y/1)\n\nb", "[a](https://x.y/1)\n\nb" },
    { "run <code>az login</code> now", "run az login now", "run `az login` now" },
    { "<code>a`b</code>", "a`b", "`` a`b ``" },
    { "<code>*x* &lt;b&gt;</code>", "*x* <b>", "`*x* <b>`" },
    { "<pre>\nif x:\n    y &amp; z\n</pre>end",
      "if x:\n    y & z\n\nend", "```\nif x:\n    y & z\n```\n\nend" },
    { "<ol><li>do<pre><code>a\nb</code></pre></li><li>c</ol>",
      "1. do\n\n   a\n   b\n2. c", "1. do\n\n   ```\n   a\n   b\n   ```\n2. c" },
    { "<code>open<p>next</p>", "open\n\nnext", "`open`\n\nnext" },
    { "<b>a <i>b</i></b> c<strong> </strong>d", "a b c d", "**a** ***b*** c d" },
    { "<b>x<p>y</b>z", "x\n\nyz", "**x**\n\n**y**z" },
    { "<h2>Title</h2>text", "Title\n\ntext", "**Title**\n\ntext" },
    { "a<script>alert('<b>')</script>b<style>p{}</style>c", "abc", "abc" },
    { "a<SCRIPT src=x>x</scripty>y</script >b", "ab", "ab" },
    { "a<script>never closed", "a", "a" },
    { "a<!-- <b>x</b> -->b<!DOCTYPE html>c<?php x ?>d", "abcd", "abcd" },
    { "a<!-- never closed", "a", "a" },
    { "<foo>x</foo><b-ar>y</b-ar>", "xy", "xy" },
    { "1 < 2 && 3 > 2", "1 < 2 && 3 > 2", "1 \\< 2 \\&\\& 3 \\> 2" },
    { "a <b", "a <b", "a \\<b" },
    { "<b title=\"open", "<b title=\"open", "\\<b title=\"open" },
    { "&lt;script&gt; &quot;x&quot; &#39;&#x27; &nbsp;&hellip;&#8364;",
      "<script> \"x\" '' \xE2\x80\xA6\xE2\x82\xAC",
      "\\<script\\> \"x\" '' \xE2\x80\xA6\xE2\x82\xAC" },
    { "&bogus; &amp &#0; &#xD800; &#99999999999; &;",
      "&bogus; &amp &#0; \xEF\xBF\xBD \xEF\xBF\xBD &;",
      "\\&bogus; \\&amp \\&#0; \xEF\xBF\xBD \xEF\xBF\xBD \\&;" },
    { "&amp;lt;b&amp;gt;", "&lt;b&gt;", "\\&lt;b\\&gt;" },
    { "*a* _b_ [c](d) `e` # f \\", "*a* _b_ [c](d) `e` # f \\",
      "\\*a\\* \\_b\\_ \\[c\\](d) \\`e\\` # f \\\\" },
    { "# no title<br>- no list<br>+ x<br>===", "# no title\n- no list\n+ x\n===",
      "\\# no title  \n\\- no list  \n\\+ x  \n\\===" },
    { "a\x1b[31m\x07z\xE2\x80\xAEq\xE2\x80\x8B.", "a[31mzq.", "a\\[31mzq." },
    { "\xFF\xC3", "\xEF\xBF\xBD\xEF\xBF\xBD", "\xEF\xBF\xBD\xEF\xBF\xBD" },
    { "<img src=x onerror=alert(1) alt='a diagram'>", "a diagram", "a diagram" },
    { "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
      "a b\nc", "a b  \nc" },
    { "</ul></b></a></li></code></pre>x", "x", "x" },
};
/* clang-format on */

static void check(const char *html, size_t length, enum html_form form, const char *wanted)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    buf_text(&out, "before|");
    html_convert(html, length, form, &out);
    CHECK_TEXT(buf_cstr(&out) + 7, wanted);
}

TEST(html_becomes_text_and_markdown)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        check(cases[i].html, strlen(cases[i].html), HTML_TO_TEXT, cases[i].text);
        check(cases[i].html, strlen(cases[i].html), HTML_TO_MARKDOWN, cases[i].markdown);
    }
}

/* Every prefix of every case: nothing is read beyond the end (the sanitizer would tell). */
TEST(html_may_end_anywhere)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        for (size_t length = 0; length <= strlen(cases[i].html); length++) {
            char *exact = malloc(length + 1);
            CLEANUP(buf_finish) struct buf out = { 0 };
            memcpy(exact, cases[i].html, length);
            char *tight = realloc(exact, length ? length : 1);
            html_convert(tight, length, HTML_TO_MARKDOWN, &out);
            free(tight);
            CHECK(!memchr(buf_cstr(&out), 0, out.length));
        }
}

/* What costs time in a careless reader: a quarter of a megabyte of each must take no time. */
TEST(hostile_html_is_linear)
{
    static const char *const pieces[] = {
        "<a ", "<a href=\"", "<", "&", "<!--", "<ul>", "<ol><li>", "<br>x", "<b>", "<i><b>x",
        "<pre>", "<code>`", "<script>", "</", "<a href='https://x'>y", "&#x", "<p>", "<a b=\"<\" ",
        "<b x='>' ", "<li>",
    };
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        CLEANUP(buf_finish) struct buf html = { 0 };
        while (html.length < 300 * 1024)
            buf_text(&html, pieces[i]);
        for (int form = HTML_TO_TEXT; form <= HTML_TO_MARKDOWN; form++) {
            CLEANUP(buf_finish) struct buf out = { 0 };
            int64_t started = clock_monotonic_ms();
            html_convert(html.data, html.length, (enum html_form)form, &out);
            CHECK(out.length < 4 * 1024 * 1024);
            CHECK(clock_monotonic_ms() - started < 20000); /* careless: minutes */
        }
    }
}

TEST(long_html_is_cut)
{
    CLEANUP(buf_finish) struct buf html = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    while (html.length < 300 * 1024)
        buf_char(&html, 'x');
    html_convert(html.data, html.length, HTML_TO_TEXT, &out);
    CHECK_INT(out.length, 256 * 1024);
}
