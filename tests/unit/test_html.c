/* html: catalogue texts as plain text, Markdown and clean HTML. */
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
    { "&abcdefghijklmnopqrstuvwxyzabcdef; &abcdefghijklmnop;",
      "&abcdefghijklmnopqrstuvwxyzabcdef; &abcdefghijklmnop;",
      "\\&abcdefghijklmnopqrstuvwxyzabcdef; \\&abcdefghijklmnop;" },
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

/* clang-format off */
static const struct {
    const char *html, *clean;
} cleaned[] = {
    { "", "" },
    { "plain words", "<p>plain words</p>\n" },
    { "To fix:<br>1. Open <b>Settings</b>.<br />2. Click Save.",
      "<p>To fix:</p>\n<p>1. Open <strong>Settings</strong>.</p>\n<p>2. Click Save.</p>\n" },
    { "<ol><li>Open</li><li>Save</li></ol>after",
      "<ol><li>Open</li>\n<li>Save</li>\n</ol>\n<p>after</p>\n" },
    { "do:<ul><li>a<li>b<ol><li>c</ol>tail</ul>",
      "<p>do:</p>\n<ul><li>a</li>\n<li>b<ol><li>c</li>\n</ol>\n<p>tail</p>\n</li>\n</ul>\n" },
    { "<ul><li><ol><li>a</ol>tail</ul>",
      "<ul><li><ol><li>a</li>\n</ol>\n<p>tail</p>\n</li>\n</ul>\n" },
    { "<ul><li><p>a</p><p>b</p></li></ul>", "<ul><li>a<p>b</p>\n</li>\n</ul>\n" },
    { "<ul></ul><ol><li></li></ol><b></b>x", "<p>x</p>\n" },
    { "<ul>text<li>a</ul>", "<ul><li>text</li>\n<li>a</li>\n</ul>\n" },
    { "<li>loose<li>two</li>tail", "<ul><li>loose</li>\n<li>two</li>\n</ul>\n<p>tail</p>\n" },
    { "<h1>Title</h1>text", "<h3>Title</h3>\n<p>text</p>\n" },
    { "<b>x<p>y</b>z", "<p><strong>x</strong></p>\n<p><strong>y</strong>z</p>\n" },
    { "<b>x<ul><li>y", "<p><strong>x</strong></p>\n<ul><li><strong>y</strong></li>\n</ul>\n" },
    { "<i>a <b>b</i> c</b>", "<p><em>a</em> <strong><em>b</em></strong> <strong>c</strong></p>\n" },
    { "run <code>az &lt;login&gt;</code>", "<p>run <code>az &lt;login&gt;</code></p>\n" },
    { "do<pre>\na\n  b &amp; c\n</pre>end",
      "<p>do</p>\n<pre><code>a\n  b &amp; c</code></pre>\n<p>end</p>\n" },
    { "<ol><li>do<pre>x</pre></ol>", "<ol><li>do<pre><code>x</code></pre>\n</li>\n</ol>\n" },
    { "see <a href=\"https://x.y/?a=1&amp;b='2'\">the <b>docs</b></a>.",
      "<p>see <a href=\"https://x.y/?a=1&amp;b=&#39;2&#39;\" rel=\"noreferrer\">"
      "the <strong>docs</strong></a>.</p>\n" },
    { "<a href='https://x.y/'></a>",
      "<p><a href=\"https://x.y/\" rel=\"noreferrer\">https://x.y/</a></p>\n" },
    { "<a href='https://x.y/'>a<p>b",
      "<p><a href=\"https://x.y/\" rel=\"noreferrer\">a</a></p>\n<p>b</p>\n" },
    /* what somebody hostile would write */
    { "<script>alert(1)</script><style>p{}</style><!-- x -->ok", "<p>ok</p>\n" },
    { "<img src=x onerror=alert(1) alt='\"><script>'>", "<p>&quot;&gt;&lt;script&gt;</p>\n" },
    { "<p onclick=alert(1) style='x'>a</p>", "<p>a</p>\n" },
    { "<a href=\"javascript:alert(1)\">a</a><a href=\"data:text/html,x\">b</a>", "<p>ab</p>\n" },
    { "<a href=\"java&#10;script:alert(1)\">a</a><a href=\"//x.y\">b</a>", "<p>ab</p>\n" },
    { "<a href='https://x.y/\" onmouseover=\"alert(1)'>a</a>",
      "<p><a href=\"https://x.y/%22%20onmouseover=%22alert%281%29\" "
      "rel=\"noreferrer\">a</a></p>\n" },
    { "<a href=\"https://x.y/<script>\">a</a>",
      "<p><a href=\"https://x.y/%3Cscript%3E\" rel=\"noreferrer\">a</a></p>\n" },
    { "&lt;script&gt;alert('1')&lt;/script&gt;",
      "<p>&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;</p>\n" },
    { "<code></code><code><script>x</script></code>", "" },
    { "<code>&lt;/code&gt;<b>x</code>", "<p><code>&lt;/code&gt;x</code></p>\n" },
    { "</p></ul></div></main></body>x", "<p>x</p>\n" },
    { "<form action=x><input name=y><button>z</button></form>", "<p>z</p>\n" },
    { "<iframe src=x>y</iframe><object>y</object><svg onload=x>y</svg>z", "<p>z</p>\n" },
    { "<b title=\"open", "<p>&lt;b title=&quot;open</p>\n" },
    { "<scr<script>ipt>x", "<p>&lt;scr</p>\n" },
    { "a\xE2\x80\xAE\xFF", "<p>a\xEF\xBF\xBD</p>\n" },
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

TEST(html_becomes_clean_html)
{
    for (size_t i = 0; i < ARRAY_COUNT(cleaned); i++)
        check(cleaned[i].html, strlen(cleaned[i].html), HTML_TO_CLEAN, cleaned[i].clean);
}

/* The element that ends or begins at `at`, in `name`; what follows it. NULL: it is none of ours. */
static const char *read_element(const char *at, char name[8], bool *closing)
{
    static const char *const known[] = { "p",   "h3",   "ul",     "ol", "li",
                                         "pre", "code", "strong", "em", "a" };
    static const char before[] = " href=\"http", after[] = "\" rel=\"noreferrer\"";
    size_t length = 0;
    at += *closing = at[0] == '/';
    while (length < 7 && ((at[length] >= 'a' && at[length] <= 'z') || at[length] == '3'))
        length++;
    memcpy(name, at, length);
    name[length] = 0;
    at += length;
    if (!strcmp(name, "a") && !*closing) {
        if (strncmp(at, before, sizeof before - 1) != 0)
            return NULL;
        at += strcspn(at + 7, "\"<>") + 7;
        if (strncmp(at, after, sizeof after - 1) != 0)
            return NULL;
        at += sizeof after - 1;
    }
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (!strcmp(known[i], name))
            return *at == '>' ? at + 1 : NULL;
    return NULL;
}

/* Whether nothing but our elements is in it, each closed in order. */
static bool is_sound(const char *html)
{
    char open[256][8];
    size_t depth = 0;
    for (const char *at = html; (at = strchr(at, '<'));) {
        char name[8];
        bool closing;
        at = read_element(at + 1, name, &closing);
        if (!at || (closing ? !depth || strcmp(open[depth - 1], name) != 0 : depth == 256))
            return false;
        if (closing)
            depth--;
        else
            memcpy(open[depth++], name, sizeof name);
    }
    return depth == 0;
}

/* Pieces in any order, from a seed: what comes of them has nothing but what we know, well nested.
 */
TEST(clean_html_is_sound_whatever_came)
{
    static const char *const pieces[] = {
        "<ul>",
        "</ul>",
        "<ol>",
        "</ol>",
        "<li>",
        "</li>",
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
        "<a href='https://x.y/\"'>",
        "</a>",
        "<br>",
        "<h2>",
        "</h2>",
        "text",
        " ",
        "&lt;",
        "<script>x</script>",
        "<td>",
        "<img alt='<'>",
        "\"",
        "<div>",
        "</div>",
        "<unknown on=x>",
        "<a href=javascript:x>",
    };
    uint32_t seed = 1;
    for (int round = 0; round < 4000; round++) {
        CLEANUP(buf_finish) struct buf html = { 0 };
        CLEANUP(buf_finish) struct buf out = { 0 };
        for (int i = 0; i < 40; i++) {
            seed = seed * 1664525 + 1013904223;
            buf_text(&html, pieces[(seed >> 16) % ARRAY_COUNT(pieces)]);
        }
        html_convert(html.data, html.length, HTML_TO_CLEAN, &out);
        if (!is_sound(buf_cstr(&out)))
            CHECK_TEXT(buf_cstr(&html), buf_cstr(&out));
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
        "<a ",   "<a href=\"", "<",           "&",         "<!--",
        "<ul>",  "<ol><li>",   "<br>x",       "<b>",       "<i><b>x",
        "<pre>", "<code>`",    "<script>",    "</",        "<a href='https://x'>y",
        "&#x",   "<p>",        "<a b=\"<\" ", "<b x='>' ", "<li>",
    };
    for (size_t i = 0; i < ARRAY_COUNT(pieces); i++) {
        CLEANUP(buf_finish) struct buf html = { 0 };
        while (html.length < 300 * 1024)
            buf_text(&html, pieces[i]);
        for (int form = HTML_TO_TEXT; form <= HTML_TO_CLEAN; form++) {
            CLEANUP(buf_finish) struct buf out = { 0 };
            int64_t started = clock_monotonic_ms();
            html_convert(html.data, html.length, (enum html_form)form, &out);
            CHECK(out.length < 8 * 1024 * 1024);
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
