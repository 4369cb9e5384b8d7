#include "alerts/text/template.h"

#include <math.h>

#include "alerts/rules/notification.h"
#include "alerts/text/match.h"
#include "test.h"

struct fruit {
    const char *name;
    int64_t weight;
};

struct basket {
    const char *owner, *note;
    char code[8];
    int kind;
    bool full;
    uint32_t episode;
    int64_t count, packed_at, age_s;
    double price;
    struct finding_id id;
    bool has_id;
    struct match_label labels[4];
    size_t label_count;
    const struct fruit *fruits;
    size_t fruit_count;
};

static const char *const kinds[] = { "round", "square", NULL };
static const struct record_field fruit_fields[] = {
    { "name", RECORD_TEXT(struct fruit, name), .help = "Its name." },
    { "weight", RECORD_INTEGER(struct fruit, weight), .help = "Its weight." },
    { 0 },
};
/* clang-format off */
static const struct record_field fields[] = {
    { "owner", RECORD_TEXT(struct basket, owner), .help = "Whose it is." },
    { "note", RECORD_TEXT(struct basket, note), .help = "A note." },
    { "code", RECORD_CHARS(struct basket, code), .help = "Its code." },
    { "kind", RECORD_WORD(struct basket, kind), .words = kinds, .help = "Its kind." },
    { "full", RECORD_BOOL(struct basket, full), .help = "Whether it is full." },
    { "episode", RECORD_UNSIGNED(struct basket, episode), .help = "A number." },
    { "count", RECORD_INTEGER(struct basket, count), .help = "A count." },
    { "packed_at", RECORD_INSTANT(struct basket, packed_at), .help = "When." },
    { "age", RECORD_DURATION(struct basket, age_s), .help = "How old." },
    { "price", RECORD_NUMBER(struct basket, price), .help = "What it costs." },
    { "id", RECORD_FINDING(struct basket, id, has_id),
      .help = "An id." },
    { "labels", RECORD_LABELS(struct basket, labels, label_count), .help = "Labels." },
    { "fruits", RECORD_LIST(struct basket, fruits, fruit_count, struct fruit),
      .fields = fruit_fields, .help = "What is in it:" },
    { 0 }
};
/* clang-format on */

static const struct fruit two_fruits[] = { { "apple", 3 }, { "plum", 0 } };
static const struct basket basket = {
    .owner = "Ann & <Bob>",
    .note = "",
    .code = "c1",
    .kind = 1,
    .full = true,
    .episode = 7,
    .count = -2,
    .packed_at = 1763726400,
    .age_s = 3 * 86400,
    .price = 1.0 / 3,
    .has_id = true,
    .id = { { 0xab, 1 } },
    .labels = { { "team", "cloud" }, { "zone", "" } },
    .label_count = 2,
    .fruits = two_fruits,
    .fruit_count = 2,
};

static void check_renders(const char *text, const char *want)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error = { 0 };
    const struct template *compiled = template_compile(text, fields, &arena, &error);
    CHECK_TEXT(error.message, "");
    if (!compiled)
        return;
    template_render(compiled, &basket, &out);
    CHECK_TEXT(buf_cstr(&out), want);
}

TEST(values_are_printed_by_their_type)
{
    check_renders("", "");
    check_renders("plain } { text", "plain } { text");
    check_renders("{{owner}}|{{ owner }}|{{note}}", "Ann & <Bob>|Ann & <Bob>|");
    check_renders("{{code}} {{kind}} {{full}} {{episode}} {{count}}", "c1 square true 7 -2");
    check_renders("{{packed_at}} {{age}}", "2025-11-21T12:00:00Z 3 d");
    check_renders("{{price}}", "0.3333");
    check_renders("{{id}}", "ab01000000000000");
    check_renders("{{labels.team}}|{{labels.zone}}|{{labels.none}}", "cloud||");
}

TEST(sections_ask_for_something)
{
    check_renders("{{#full}}full{{/full}}{{^full}}empty{{/full}}", "full");
    check_renders("{{#note}}note{{/note}}{{^note}}none{{/note}}", "none");
    check_renders("{{#owner}}{{owner}}'s{{/owner}}", "Ann & <Bob>'s");
    check_renders("{{#labels.team}}t{{/labels.team}}{{^labels.zone}}z{{/labels.zone}}", "tz");
    check_renders("{{#count}}c{{/count}}{{#packed_at}}p{{/packed_at}}{{#id}}i{{/id}}", "cpi");
    check_renders("{{#fruits}}{{name}} {{weight}} of {{owner}}; {{/fruits}}",
                  "apple 3 of Ann & <Bob>; plum 0 of Ann & <Bob>; ");
    check_renders("{{#fruits}}{{^weight}}{{name}} weighs nothing{{/weight}}{{/fruits}}",
                  "plum weighs nothing");
    check_renders("{{^fruits}}nothing{{/fruits}}", "");
    check_renders("{{#labels}}{{name}}={{value}},{{/labels}}", "team=cloud,zone=,");
    check_renders("{{#fruits}}{{#fruits}}x{{/fruits}}{{/fruits}}", "xxxx");
}

TEST(sections_compare)
{
    check_renders("{{#kind=square}}s{{/kind=square}}{{^kind=square}}no{{/kind}}", "s");
    check_renders("{{#kind=round}}r{{/kind}}{{^kind=round}}not round{{/kind}}", "not round");
    check_renders("{{#owner=Ann & <Bob>}}Ann{{/owner}}{{#note=}}empty{{/note}}", "Annempty");
    check_renders("{{#labels.team=cloud}}t{{/labels.team}}{{#labels.none=x}}n{{/labels.none}}",
                  "t");
    check_renders("{{#count=-2}}two{{/count}}{{#full=true}}f{{/full}}", "twof");
    check_renders("{{#fruits}}{{#name=plum}}{{weight}}{{/name}}{{/fruits}}", "0");
}

TEST(elements_know_their_place)
{
    check_renders("{{#fruits}}{{name}}{{^@last}}, {{/@last}}{{/fruits}}", "apple, plum");
    check_renders("{{#fruits}}{{#@first}}[{{/@first}}{{name}}{{#@last}}]{{/@last}}{{/fruits}}",
                  "[appleplum]");
    check_renders("{{#fruits}}{{#labels}}{{name}}{{^@last}}+{{/@last}}{{/labels}}"
                  "{{^@last}};{{/@last}}{{/fruits}}",
                  "team+zone;team+zone");
    check_renders("{{#labels}}{{@first}} {{/labels}}", "true false ");
}

TEST(a_section_is_cut)
{
    check_renders("{{#cut 10}}0123456789{{/cut}}", "0123456789");
    check_renders("{{#cut 10}}0123456789a{{/cut}}!", "0123456\xe2\x80\xa6!");
    check_renders("{{#cut 10}}0123456\xc3\xa9\xc3\xa9\xc3\xa9{{/cut}}", "0123456\xe2\x80\xa6");
    check_renders("{{#cut 10}}012345\xc3\xa9\xc3\xa9\xc3\xa9{{/cut}}", "012345\xe2\x80\xa6");
    check_renders("{{#cut 12}}{{#fruits}}{{name}} of {{owner}}{{/fruits}}{{/cut}}",
                  "apple of \xe2\x80\xa6");
    check_renders("{{#cut 10}}0123456\\\\\\{{/cut}}", "0123456\\\\\\");
}

TEST(lines_of_tags_alone_leave_no_line)
{
    check_renders("a\n{{#full}}\nb\n{{/full}}\nc\n", "a\nb\nc\n");
    check_renders("a\n  {{! said }}  \r\nb", "a\nb");
    check_renders("a {{! said }}\nb", "a \nb");
    check_renders("{{#full}}\nx{{/full}}", "x");
    check_renders("x {{#full}}\ny\n{{/full}}", "x \ny\n");
    check_renders("{{owner}}\n{{code}}\n", "Ann & <Bob>\nc1\n");
}

TEST(mistakes_are_named_with_their_line)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "{{ownr}}", "line 1: unknown field {{ownr}}; did you mean owner" },
        { "a\nb\n{{nothing_like_it}}", "line 3: unknown field {{nothing_like_it}}" },
        { "{{owner.name}}", "unknown field {{owner.name}}" },
        { "{{#fruits}}{{nam}}{{/fruits}}", "did you mean name" },
        { "{{owner", "line 1: {{ without }}" },
        { "{{}}", "a tag without a name" },
        { "{{# }}", "a tag without a name" },
        { "{{#full}}", "line 1: never closed: {{#full" },
        { "{{/full}}", "closes what is not open: {{/full" },
        { "{{#full}}{{/owner}}", "closes what is not open: {{/owner" },
        { "{{fruits}}", "holds several things, write {{#fruits" },
        { "{{labels}}", "holds several things" },
        { "{{{owner}}}", "not supported: {{{owner" },
        { "{{&owner}}", "not supported" },
        { "{{>file}}", "not supported" },
        { "{{=<% %>=}}", "not supported" },
        { "{{kind=square}}", "compares, write {{#kind=square" },
        { "{{#kind=oval}}x{{/kind}}", "no word of that field: {{kind=oval" },
        { "{{#fruits=x}}x{{/fruits}}", "unknown field {{fruits=x}}" },
        { "{{#full=true}}x{{/owner}}", "closes what is not open" },
        { "{{@last}}", "unknown field {{@last}}" },
        { "{{#fruits}}{{@third}}{{/fruits}}", "unknown field {{@third}}" },
        { "{{#cut 9}}x{{/cut}}", "not 10 to 32768 bytes: {{#cut 9" },
        { "{{#cut 32769}}x{{/cut}}", "not 10 to 32768 bytes" },
        { "{{#cut many}}x{{/cut}}", "not 10 to 32768 bytes" },
        { "{{#cut 10}}{{#cut 10}}x{{/cut}}{{/cut}}", "cuts no text in quotes" },
        { "a\n{{#cut 10}}x", "line 2: never closed: {{#cut" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct error error = { 0 };
        CHECK(!template_compile(cases[i].text, fields, &arena, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, cases[i].message);
    }
}

/* --- bodies ----------------------------------------------------------------------------------- */
static void check_body(const char *text, enum template_escape markup, size_t limit,
                       const struct basket *data, const char *want)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error = { 0 };
    const struct template *compiled = template_compile_json(text, fields, &arena, &error);
    CHECK_TEXT(error.message, "");
    if (!compiled)
        return;
    bool fits = template_render_json(compiled, markup, limit, data, &out);
    CHECK_INT(fits, want != NULL);
    CHECK_TEXT(want ? buf_cstr(&out) : "", want ? want : "");
}

static const struct basket odd_basket = {
    .owner = "\"a\" \\ <b>&'\n\t\x01 \xf0\x9f\x98\x80 \xff @all `*_~[](|#>",
    .note = "",
    .price = 2,
    .fruits = two_fruits,
    .fruit_count = 2,
};

TEST(values_of_a_body_are_escaped)
{
    static const struct {
        enum template_escape markup;
        const char *template, *want;
    } cases[] = {
        { TEMPLATE_ESCAPE_PLAIN, "{\"a\": \"{{owner}}\", \"b\": {{count}}, \"c\": {{full}}}",
          "{\"a\": \"\\\"a\\\" \\\\ <b>&'\\n\\t\\u0001 \xf0\x9f\x98\x80 \xef\xbf\xbd @all "
          "`*_~[](|#>\", \"b\": 0, \"c\": false}" },
        { TEMPLATE_ESCAPE_HTML, "[\"{{owner}}\"]",
          "[\"&quot;a&quot; \\\\ &lt;b&gt;&amp;&#39;<br>\\t\\u0001 \xf0\x9f\x98\x80 \xef\xbf\xbd "
          "@all `*_~[](|#&gt;\"]" },
        { TEMPLATE_ESCAPE_MARKDOWN, "[\"{{owner}}\"]",
          "[\"\\\"a\\\" \\\\\\\\ \\\\<b\\\\>&'\\n\\t\\u0001 \xf0\x9f\x98\x80 \xef\xbf\xbd "
          "@\xe2\x80\x8b"
          "all \\\\`\\\\*\\\\_\\\\~\\\\[\\\\](\\\\|\\\\#\\\\>\"]" },
        { TEMPLATE_ESCAPE_HTML, "[\"{{#cut 12}}<b>{{&owner}}</b>{{/cut}}\"]",
          "[\"<b>\\\"a\\\" \\\\ \xe2\x80\xa6\"]" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        check_body(cases[i].template, cases[i].markup, 1000, &odd_basket, cases[i].want);
}

TEST(line_breaks_in_quotes_are_for_the_writer)
{
    check_body("{\n  \"a\": \"one\n     {{#fruits}}\n  \\n{{name}}\n  {{/fruits}}\r\n end \"\n}\n",
               TEMPLATE_ESCAPE_PLAIN, 100, &basket, "{\n  \"a\": \"one\\napple\\nplumend \"\n}\n");
}

TEST(a_body_that_is_too_long_is_of_no_use)
{
    check_body("[\"{{#fruits}}{{name}}{{/fruits}}\"]", TEMPLATE_ESCAPE_PLAIN, 13, &basket,
               "[\"appleplum\"]");
    check_body("[\"{{#fruits}}{{name}}{{/fruits}}\"]", TEMPLATE_ESCAPE_PLAIN, 12, &basket, NULL);
    check_body("[\"{{#cut 10}}{{#fruits}}{{name}}{{name}}{{/fruits}}{{/cut}}\"]",
               TEMPLATE_ESCAPE_PLAIN, 14, &basket, "[\"appleap\xe2\x80\xa6\"]");
}

/* What is cut is the text, not what it is written as: no escape, character or entity is split. */
TEST(a_cut_splits_nothing)
{
    static const char *const texts[] = { "\"\"\"\"\"\"\"\"\"\"\"\"", "\x01\x01\x01\x01\x01\x01\x01",
                                         "&&&&&&&&&&&&&&&&&&",
                                         "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80" };
    static const char *const want[] = { "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\xe2\x80\xa6",
                                        "\\u0001\\u0001\xe2\x80\xa6", "&amp;\xe2\x80\xa6",
                                        "\xf0\x9f\x98\x80\xe2\x80\xa6" };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        CLEANUP(buf_finish) struct buf body = { 0 };
        const struct basket data = { .owner = texts[i], .note = "" };
        buf_printf(&body, "\"%s\"", want[i]);
        check_body("\"{{#cut 10}}{{owner}}{{/cut}}\"", i == 2 ? TEMPLATE_ESCAPE_HTML : 0, 100,
                   &data, buf_cstr(&body));
    }
    const struct basket pairs = { .owner = "", .note = "" };
    check_body("\"{{#cut 10}}123456\\ud83d\\ude00\\ud83d\\ude00{{/cut}}\"", 0, 100, &pairs,
               "\"123456\xe2\x80\xa6\"");
}

TEST(mistakes_of_a_body_are_named)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "{\n\"a\": {{owner}}}", "line 2: is a text and stands without quotes: {{owner" },
        { "{\"a\": {{packed_at}}}", "stands without quotes" },
        { "{\"a\": {{labels.team}}}", "stands without quotes" },
        { "{{#full}}\"{{/full}}", "line 1: a quote begins or ends inside of {{#full" },
        { "\"{{#full}}\"{{/full}}", "a quote begins or ends inside of {{#full" },
        { "{\"a", "a quote is never closed" },
        { "\"\t{{owner}}\"", "a control character in quotes" },
        { "\"\\{{owner}}\"", "a backslash without the character it escapes" },
        { "{{#cut 10}}1{{/cut}}", "cuts no text in quotes" },
        { "\"{{#cut 10}}\"{{/cut}}", "a quote inside of {{#cut}}" },
        { "\"{{&ownr}}\"", "unknown field {{ownr}}" },
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct error error = { 0 };
        CHECK(!template_compile_json(cases[i].text, fields, &arena, &error));
        CHECK_INT(error.code, ERROR_CONFIG);
        CHECK_CONTAINS(error.message, cases[i].message);
    }
}

TEST(nesting_and_length_end)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf text = { 0 };
    struct error error = { 0 };
    for (int i = 0; i < 8; i++)
        buf_text(&text, "{{#full}}");
    buf_text(&text, "deep");
    for (int i = 0; i < 8; i++)
        buf_text(&text, "{{/full}}");
    check_renders(buf_cstr(&text), "deep");
    buf_text(&text, "{{#full}}");
    for (int i = 0; i < 8; i++)
        buf_text(&text, "{{#full}}");
    CHECK(!template_compile(buf_cstr(&text), fields, &arena, &error));
    CHECK_CONTAINS(error.message, "nested too deep");
    buf_reset(&text);
    for (int i = 0; i < 16 * 1024 + 1; i++)
        buf_char(&text, 'x');
    CHECK(!template_compile(buf_cstr(&text), fields, &arena, &error));
    CHECK_CONTAINS(error.message, "longer than 16384 bytes");
}

/* Lists within lists multiply: neither the text nor the time may. */
TEST(output_is_bounded)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    struct error error = { 0 };
    struct fruit many[64];
    struct basket large = basket;
    for (int i = 0; i < 64; i++)
        many[i] = (struct fruit){ "0123456789", 1 };
    large.fruits = many;
    large.fruit_count = 64;
    const struct template *noisy = template_compile(
        "{{#fruits}}{{#fruits}}{{#fruits}}{{name}}{{/fruits}}{{/fruits}}{{/fruits}}", fields,
        &arena, &error);
    buf_text(&out, "before ");
    template_render(noisy, &large, &out);
    CHECK(out.length <= 7 + 32 * 1024);
    CHECK_CONTAINS(buf_cstr(&out) + out.length - 3, "\xe2\x80\xa6");
    const struct template *silent = template_compile(
        "{{#fruits}}{{#fruits}}{{#fruits}}{{#fruits}}{{#fruits}}{{#fruits}}{{#fruits}}{{#fruits}}"
        "{{note}}{{/fruits}}{{/fruits}}{{/fruits}}{{/fruits}}{{/fruits}}{{/fruits}}{{/fruits}}"
        "{{/fruits}}",
        fields, &arena, &error);
    buf_reset(&out);
    template_render(silent, &large, &out);
    CHECK_TEXT(buf_cstr(&out), "\xe2\x80\xa6");
}

/* What is left out is shown by an ellipsis, and only that. */
TEST(the_last_step_that_is_allowed_is_not_cut)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf out = { 0 };
    enum { STEPS_MAX = 100000, SIDE = 315, REST = STEPS_MAX - 1 - SIDE * (SIDE + 1) };
    static struct fruit many[SIDE];
    struct basket large = basket;
    large.fruits = many;
    large.fruit_count = SIDE;
    buf_text(&text, "{{#fruits}}{{#fruits}}{{note}}{{/fruits}}{{/fruits}}");
    for (int i = 0; i < REST; i++)
        buf_text(&text, "{{note}}");
    for (int more = 0; more < 2; more++) {
        CLEANUP(arena_finish) struct arena arena = { 0 };
        struct error error = { 0 };
        const struct template *compiled = template_compile(buf_cstr(&text), fields, &arena, &error);
        CHECK_TEXT(error.message, "");
        buf_reset(&out);
        buf_text(&out, "");
        template_render(compiled, &large, &out);
        CHECK_TEXT(buf_cstr(&out), more ? "\xe2\x80\xa6" : "");
        buf_text(&text, "{{note}}");
    }
}

TEST(reference_lists_every_field)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    template_document(fields, &out);
    CHECK_CONTAINS(buf_cstr(&out), "- `owner`: Whose it is.\n");
    CHECK_CONTAINS(buf_cstr(&out), "- `fruits`: What is in it:\n  - `name`: Its name.\n");
    buf_reset(&out);
    template_document(notification_fields, &out);
    CHECK_CONTAINS(buf_cstr(&out), "- `risk_level`: ");
    CHECK(!strstr(buf_cstr(&out), "(null)"));
}
