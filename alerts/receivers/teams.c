#include "alerts/receivers/teams.h"

#include <string.h>

#include "alerts/receivers/layout.h"
#include "alerts/text/text.h"

enum { TITLE_POINTS = 512, TEXT_POINTS = 4000, FACT_POINTS = 500, ITEM_POINTS = 500 };

/* clang-format off */
const struct option teams_options[] = {
    { "url", OPTION_SECRET(struct teams_config, url),
      OPTION_LINE(struct teams_config, url_line), .required = true,
      .help = "URL of the flow \"when a Teams webhook request is received\"." },
    { "http", OPTION_SECTION(struct teams_config, http),
      .section = receiver_http_options, .help = "How to connect." },
    { 0 }
};
/* clang-format on */

/* --- text ------------------------------------------------------------------------------------- */
/* Append plain text so that the card's Markdown shows it as it is; single line breaks are kept. */
static void put_plain(struct buf *out, const char *text, size_t max_points)
{
    CLEANUP(buf_finish) struct buf cut = { 0 };
    text_cut(&cut, text, max_points);
    for (const char *c = buf_cstr(&cut); *c; c++) {
        if (strchr("\\*_[]`~#", *c))
            buf_char(out, '\\');
        if (*c == '\n' && c[1] != '\n')
            buf_text(out, "\n\n"); /* one break alone is a space in Markdown */
        else
            buf_char(out, *c);
    }
}

/* size: "" = a paragraph, else a heading. (A heading's `style` came with version 1.5.) */
static void add_block(struct json_writer *writer, const char *text, const char *size,
                      const char *color)
{
    if (!*text)
        return;
    json_open(writer, NULL, '{');
    json_add_text(writer, "type", "TextBlock");
    json_add_text(writer, "text", text);
    json_add_bool(writer, "wrap", true);
    if (*size) {
        json_add_text(writer, "weight", "bolder");
        json_add_text(writer, "size", size);
    }
    if (*color)
        json_add_text(writer, "color", color);
    json_close(writer, '}');
}

/* --- card ------------------------------------------------------------------------------------- */
static const char *color_of(const struct notification *notification)
{
    static const char *const colors[] = { "attention", "attention", "warning", "accent",
                                          "default" };
    if (notification->status == NOTIFICATION_RESOLVED)
        return notification_is_good_news(notification) ? "good" : "default";
    for (int i = 0; i < RISK_COUNT; i++)
        if (!strcmp(finding_risk_words[i], notification->risk_level))
            return colors[i];
    return "default";
}

static void add_plain(struct json_writer *writer, const char *text, size_t points, const char *size,
                      const char *color)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    put_plain(&out, text, points);
    add_block(writer, buf_cstr(&out), size, color);
}

static void add_facts(struct json_writer *writer, const struct layout *layout)
{
    if (!layout->fact_count)
        return;
    json_open(writer, NULL, '{');
    json_add_text(writer, "type", "FactSet");
    json_open(writer, "facts", '[');
    for (size_t i = 0; i < layout->fact_count; i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        put_plain(&out, layout->facts[i].text, FACT_POINTS);
        json_open(writer, NULL, '{');
        json_add_text(writer, "title", layout->facts[i].name);
        json_add_text(writer, "value", buf_cstr(&out));
        json_close(writer, '}');
    }
    json_close(writer, ']');
    json_close(writer, '}');
}

static void add_section(struct json_writer *writer, const struct layout_section *section)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    for (size_t i = 0; i < section->item_count; i++) {
        const struct layout_item *item = &section->items[i];
        buf_text(&out, i ? "\n- " : "- ");
        buf_text(&out, *item->link ? "[" : "");
        put_plain(&out, item->text, ITEM_POINTS);
        if (*item->link)
            buf_printf(&out, "](%s)", item->link);
    }
    if (!section->item_count)
        text_cut(&out, section->markdown, TEXT_POINTS);
    add_block(writer, section->title, "medium", "");
    add_block(writer, buf_cstr(&out), "", "");
}

static void add_actions(struct json_writer *writer, const struct layout *layout)
{
    if (!layout->link_count)
        return;
    json_open(writer, "actions", '[');
    for (size_t i = 0; i < layout->link_count; i++) {
        json_open(writer, NULL, '{');
        json_add_text(writer, "type", "Action.OpenUrl");
        json_add_text(writer, "title", layout->links[i].text);
        json_add_text(writer, "url", layout->links[i].link);
        json_close(writer, '}');
    }
    json_close(writer, ']');
}

static void add_card(struct json_writer *writer, const struct notification *notification)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    struct layout layout;
    layout_make(notification, &arena, &layout);
    json_open(writer, "content", '{');
    json_add_text(writer, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    json_add_text(writer, "type", "AdaptiveCard");
    json_add_text(writer, "version", "1.4");
    json_open(writer, "body", '[');
    add_plain(writer, layout.title, TITLE_POINTS, "large", color_of(notification));
    add_plain(writer, layout.text, TEXT_POINTS, "", "");
    add_facts(writer, &layout);
    for (size_t i = 0; i < layout.section_count; i++)
        add_section(writer, &layout.sections[i]);
    add_plain(writer, layout.footer, TEXT_POINTS, "", "");
    add_plain(writer, layout.truncated, TEXT_POINTS, "", "");
    json_close(writer, ']');
    add_actions(writer, &layout);
    json_open(writer, "msteams", '{');
    json_add_text(writer, "width", "Full");
    json_close(writer, '}');
    json_close(writer, '}');
}

static void write_body(const void *config, const struct receiver_context *context,
                       const struct notification *notification, struct buf *out)
{
    struct json_writer writer = { .out = out };
    (void)config;
    (void)context;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "type", "message");
    json_open(&writer, "attachments", '[');
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "contentType", "application/vnd.microsoft.card.adaptive");
    json_add_text(&writer, "contentUrl", NULL);
    add_card(&writer, notification);
    json_close(&writer, '}');
    json_close(&writer, ']');
    json_close(&writer, '}');
}

/* The flow writes the JSON again before Teams counts it: escapes and what is not plain ASCII then
 * take six bytes, code points beyond the first plane twelve. */
static size_t bytes_as_counted(const struct buf *body)
{
    size_t bytes = 0;
    for (size_t i = 0; i < body->length; i++) {
        unsigned char c = (unsigned char)body->data[i];
        if (c == '\\')
            i += body->data[i + 1] == 'u' ? 5 : 1;
        if (c == '\\' || strchr("<>&'+", c) || c >= 0xc0)
            bytes += c >= 0xf0 ? 12 : 6;
        else
            bytes += c < 0x80; /* the bytes after the first of a code point are counted with it */
    }
    return bytes;
}

static bool build(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error)
{
    const struct teams_config *teams = config;
    receiver_prepare(request, &teams->http, secret_text(&teams->url), "application/json");
    return receiver_fit(config, context, notification, write_body, bytes_as_counted,
                        TEAMS_BODY_BYTES, request, error) &&
           receiver_seal(request);
}

/* 412: the service asks for a pause. source: Microsoft Teams, rate limits of incoming webhooks. */
static struct receiver_verdict classify(const struct http_response *response,
                                        const struct error *error)
{
    static const struct receiver_answers answers = { .retry = 412, .reads_body = true };
    return receiver_judge(&answers, response, error);
}

static void check(const void *config, const char *file, int line, struct option_report *report)
{
    const struct teams_config *teams = config;
    receiver_check(&teams->http, file, line, report);
    receiver_check_url(&teams->http, "url", secret_text(&teams->url), file, teams->url_line,
                       report);
}

const struct receiver_kind teams_kind = {
    .name = "teams",
    .help = "Microsoft Teams, Workflows webhook.",
    .options = teams_options,
    .config_bytes = sizeof(struct teams_config),
    .expires_s = RECEIVER_CHAT_EXPIRES_S,
    .rate = 2,
    .burst = 4,
    .check = check,
    .build = build,
    .classify = classify,
};
