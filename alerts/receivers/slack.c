#include "alerts/receivers/slack.h"

#include <string.h>

#include "alerts/receivers/layout.h"
#include "alerts/receivers/slack_bot.h"
#include "alerts/text/text.h"

enum {
    BODY_POINTS = 10000, /* of all blocks; above 13,200 Slack refuses without saying why */
    FALLBACK_POINTS = 4000,
    HEADER_POINTS = 150,
    SECTION_POINTS = 3000,
    FIELDS_MAX = 10,
    FIELD_POINTS = 2000,
    CONTEXT_POINTS = 2000,
    ITEM_POINTS = 500,
};

static const char ellipsis[] = "\xe2\x80\xa6";

/* source: Slack, "Object types": public and private channels, conversations of one. */
static const char *check_channel(const void *value)
{
    const char *channel = *(const char *const *)value;
    if (!channel)
        return NULL;
    size_t length = strspn(channel, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    bool is_id = length >= 9 && length < 32 && !channel[length] && strchr("CGD", *channel);
    return is_id ? NULL : "not the id of a channel (C0123456789)";
}

/* clang-format off */
const struct option slack_options[] = {
    { "url", OPTION_SECRET(struct slack_config, url),
      OPTION_LINE(struct slack_config, url_line),
      .help = "URL of the incoming webhook." },
    { "bot_token", OPTION_SECRET(struct slack_config, bot_token),
      .help = "Instead of url: token of a bot (xoxb-...) with the scope chat:write, and "
              "channels:history or groups:history to look for what had no answer. One thread tells "
              "all there is about an alert or a group." },
    { "channel", OPTION_TEXT(struct slack_config, channel), .check = check_channel,
      .help = "With bot_token: id of the channel, which the bot is in." },
    { "api_url", OPTION_URL(struct slack_config, api_url),
      OPTION_LINE(struct slack_config, api_line),
      .otherwise = "https://slack.com/api", .help = "With bot_token: where Slack's methods are." },
    { "http", OPTION_SECTION(struct slack_config, http),
      .section = receiver_http_options, .help = "How to connect." },
    { 0 }
};
/* clang-format on */

/* --- text ------------------------------------------------------------------------------------- */
static void escape_char(struct buf *out, char c)
{
    if (c == '&')
        buf_text(out, "&amp;");
    else if (c == '<')
        buf_text(out, "&lt;");
    else if (c == '>')
        buf_text(out, "&gt;");
    else
        buf_char(out, c);
}

void slack_escape(struct buf *out, const char *text)
{
    for (; *text; text++)
        escape_char(out, *text);
}

/* The next piece that must not be cut: a code point, or a web address when links are wanted. */
static size_t next_piece(const char *text, bool links, struct buf *piece)
{
    size_t length = 1;
    buf_reset(piece);
    if (links && (!strncmp(text, "https://", 8) || !strncmp(text, "http://", 7))) {
        length = strcspn(text, " \t\r\n<>|\"'`)");
        while (length > 8 && strchr(".,;:", text[length - 1]))
            length--;
        buf_char(piece, '<');
        for (size_t i = 0; i < length; i++)
            escape_char(piece, text[i]);
        buf_char(piece, '>');
        return length;
    }
    while (((unsigned char)text[length] & 0xc0) == 0x80)
        length++;
    if (length == 1)
        escape_char(piece, *text);
    else
        buf_append(piece, text, length);
    return length;
}

/* Append text escaped, at most max_points code points of it as sent; true when it was cut. */
static bool put_cut(struct buf *out, const char *text, size_t max_points, bool links)
{
    CLEANUP(buf_finish) struct buf valid = { 0 };
    CLEANUP(buf_finish) struct buf piece = { 0 };
    size_t points = 0, kept = out->length;          /* kept: where an ellipsis still fits */
    text_cut_bytes(&valid, text, strlen(text) * 3); /* whatever is no UTF-8 */
    for (const char *c = buf_cstr(&valid); *c;) {
        c += next_piece(c, links, &piece);
        points += text_points(buf_cstr(&piece));
        if (points > max_points) {
            if (out->length > kept)
                out->data[out->length = kept] = 0;
            buf_text(out, ellipsis);
            return true;
        }
        buf_append(out, piece.data, piece.length);
        if (points < max_points)
            kept = out->length;
    }
    return false;
}

static void add_text(struct json_writer *writer, const char *name, const char *type,
                     const char *text)
{
    json_open(writer, name, '{');
    json_add_text(writer, "type", type);
    json_add_text(writer, "text", text);
    if (!strcmp(type, "mrkdwn"))
        json_add_bool(writer, "verbatim", true); /* no names or channels made into links */
    else
        json_add_bool(writer, "emoji", true);
    json_close(writer, '}');
}

/* --- blocks ----------------------------------------------------------------------------------- */
static void open_block(struct json_writer *writer, const char *type)
{
    json_open(writer, NULL, '{');
    json_add_text(writer, "type", type);
}

static void add_mrkdwn(struct json_writer *writer, const char *text)
{
    open_block(writer, "section");
    add_text(writer, "text", "mrkdwn", text);
    json_close(writer, '}');
}

static void add_section(struct json_writer *writer, const char *heading, const char *text)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    if (!*text)
        return;
    if (*heading) {
        buf_char(&out, '*');
        slack_escape(&out, heading);
        buf_text(&out, "*\n");
    }
    put_cut(&out, text, SECTION_POINTS - text_points(buf_cstr(&out)), true);
    add_mrkdwn(writer, buf_cstr(&out));
}

/* Append <link|text>, or the text alone when there is none. */
static void put_link(struct buf *out, const struct layout_item *item)
{
    if (*item->link)
        buf_char(out, '<');
    for (const char *c = item->link; *c; c++) {
        if (*c == '|')
            buf_text(out, "%7C");
        else
            escape_char(out, *c);
    }
    if (*item->link)
        buf_char(out, '|');
    put_cut(out, item->text, ITEM_POINTS, false);
    if (*item->link)
        buf_char(out, '>');
}

/* Lines that are links, in as many blocks as they take: what is too much for a message is left out
 * before, and counted. */
static void add_items(struct json_writer *writer, const struct layout_section *section)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf line = { 0 };
    buf_char(&out, '*');
    slack_escape(&out, section->title);
    buf_char(&out, '*');
    for (size_t i = 0; i < section->item_count; i++) {
        buf_reset(&line);
        buf_text(&line, "\n\xe2\x80\xa2 ");
        put_link(&line, &section->items[i]);
        bool full = text_points(buf_cstr(&out)) + text_points(buf_cstr(&line)) > SECTION_POINTS;
        if (full) {
            add_mrkdwn(writer, buf_cstr(&out));
            buf_reset(&out);
        }
        buf_text(&out, buf_cstr(&line) + full); /* a block begins with no empty line */
    }
    add_mrkdwn(writer, buf_cstr(&out));
}

/* As many blocks of fields as it takes. */
static void add_fields(struct json_writer *writer, const struct layout *layout)
{
    for (size_t i = 0; i < layout->fact_count; i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        if (i % FIELDS_MAX == 0) {
            open_block(writer, "section");
            json_open(writer, "fields", '[');
        }
        buf_printf(&out, "*%s*\n", layout->facts[i].name);
        put_cut(&out, layout->facts[i].text, FIELD_POINTS - text_points(buf_cstr(&out)), false);
        add_text(writer, NULL, "mrkdwn", buf_cstr(&out));
        if (i % FIELDS_MAX == FIELDS_MAX - 1 || i + 1 == layout->fact_count) {
            json_close(writer, ']');
            json_close(writer, '}');
        }
    }
}

static void add_context(struct json_writer *writer, const struct layout *layout)
{
    const char *lines[] = { layout->footer, layout->truncated };
    open_block(writer, "context");
    json_open(writer, "elements", '[');
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        CLEANUP(buf_finish) struct buf out = { 0 };
        put_cut(&out, lines[i], CONTEXT_POINTS, false);
        if (out.length)
            add_text(writer, NULL, "plain_text", buf_cstr(&out));
    }
    json_close(writer, ']');
    json_close(writer, '}');
}

/* Links as text: a button would ask every workspace for an address that takes its clicks. */
static void add_links(struct json_writer *writer, const struct layout *layout)
{
    CLEANUP(buf_finish) struct buf out = { 0 };
    CLEANUP(buf_finish) struct buf link = { 0 };
    for (size_t i = 0; i < layout->link_count; i++) {
        buf_reset(&link);
        buf_text(&link, out.length ? "  \xc2\xb7  " : "");
        put_link(&link, &layout->links[i]);
        if (text_points(buf_cstr(&out)) + text_points(buf_cstr(&link)) <= SECTION_POINTS)
            buf_append(&out, link.data, link.length);
    }
    if (!out.length)
        return;
    add_mrkdwn(writer, buf_cstr(&out));
}

/* --- body ------------------------------------------------------------------------------------- */
/* A coloured mark in front of the title, which says the same for those who see colours. */
static const char *mark_of(const struct notification *notification)
{
    static const char *const marks[] = { "\xf0\x9f\x94\xb4 ", "\xf0\x9f\x9f\xa0 ",
                                         "\xf0\x9f\x9f\xa1 ", "\xf0\x9f\x94\xb5 ", "" };
    if (notification->status == NOTIFICATION_RESOLVED) /* a green tick, or a grey dot */
        return notification_is_good_news(notification) ? "\xe2\x9c\x85 " : "\xe2\x9a\xaa ";
    for (int i = 0; i < RISK_COUNT; i++)
        if (!strcmp(finding_risk_words[i], notification->risk_level))
            return marks[i];
    return "";
}

/* Whether what is new is worth a sound: not what ended, nor a risk that fell. */
static bool is_heard(const struct notification *notification)
{
    static const unsigned quiet =
        1u << EVENT_RESOLVED | 1u << EVENT_SCORE_RECOVERED | 1u << EVENT_DATA_RECOVERED;
    const struct event_name *name = event_name_find(notification->event);
    if (notification->status != NOTIFICATION_FIRING || (name && name->kinds & quiet) ||
        !strcmp(notification->event, "rule.resolved"))
        return false;
    const struct notification_block *block = notification->blocks;
    bool fell = notification->block_count && *block->risk_before &&
                finding_risk(block->risk_level) > finding_risk(block->risk_before);
    return !fell || strcmp(notification->event, "finding.risk_changed") != 0;
}

static bool is_bot(const void *config)
{
    const struct slack_config *slack = config;
    return secret_text(&slack->bot_token);
}

static void add_details(struct json_writer *writer, const struct layout *layout)
{
    add_fields(writer, layout);
    for (size_t i = 0; i < layout->section_count; i++) {
        if (layout->sections[i].item_count)
            add_items(writer, &layout->sections[i]);
        else
            add_section(writer, layout->sections[i].title, layout->sections[i].text);
    }
    add_links(writer, layout);
    if (*layout->footer || *layout->truncated)
        add_context(writer, layout);
}

static void write_body(const void *config, const struct receiver_context *context,
                       const struct notification *notification, struct buf *out)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(buf_finish) struct buf title = { 0 };
    CLEANUP(buf_finish) struct buf fallback = { 0 };
    struct json_writer writer = { .out = out };
    struct layout layout;
    layout_make(notification, &arena, &layout);
    buf_text(&title, mark_of(notification));
    bool cut =
        put_cut(&title, notification->title, HEADER_POINTS - text_points(buf_cstr(&title)), false);
    put_cut(&fallback, notification->title, FALLBACK_POINTS, false);
    json_open(&writer, NULL, '{');
    if (is_bot(config))
        slack_bot_address(config, context, notification, is_heard(notification), &writer);
    json_add_text(&writer, "text", buf_cstr(&fallback));
    json_open(&writer, "blocks", '[');
    open_block(&writer, "header");
    add_text(&writer, "text", "plain_text", buf_cstr(&title));
    json_close(&writer, '}');
    add_section(&writer, "", cut ? layout.title : ""); /* the whole of it all the same */
    add_section(&writer, "", layout.text);
    if (context->step == RECEIVER_REPLY) /* the first message has the rest */
        add_links(&writer, &layout);
    else
        add_details(&writer, &layout);
    json_close(&writer, ']');
    json_add_bool(&writer, "unfurl_links", false);
    json_add_bool(&writer, "unfurl_media", false);
    json_close(&writer, '}');
}

static size_t code_points(const struct buf *body)
{
    return text_points(buf_cstr(body));
}

static bool build(const void *config, const struct receiver_context *context,
                  struct notification *notification, struct receiver_request *request,
                  struct error *error)
{
    const struct slack_config *slack = config;
    if (is_bot(config))
        slack_bot_prepare(slack, context, request);
    else
        receiver_prepare(request, &slack->http, secret_text(&slack->url), "application/json");
    if (context->step != RECEIVER_SEEK && !receiver_fit(config, context, notification, write_body,
                                                        code_points, BODY_POINTS, request, error))
        return false;
    receiver_seal(request);
    if (context->step == RECEIVER_SEEK)
        request->http.body = NULL; /* it asks */
    return true;
}

/* A webhook answers with a text, a method with an object. */
static struct receiver_verdict classify(const struct http_response *response,
                                        const struct error *error)
{
    static const struct receiver_answers answers = { .reads_body = true };
    bool unused;
    return strstr(buf_cstr(&response->body), "\"ok\"") ? slack_bot_judge(response, error, &unused)
                                                       : receiver_judge(&answers, response, error);
}

static void check(const void *config, const char *file, int line, struct option_report *report)
{
    const struct slack_config *slack = config;
    bool has_url = secret_text(&slack->url), has_token = is_bot(config);
    receiver_check(&slack->http, file, line, report);
    receiver_check_url(&slack->http, "url", secret_text(&slack->url), file, slack->url_line,
                       report);
    receiver_check_url(&slack->http, "api_url", slack->api_url, file, slack->api_line, report);
    if (has_url == has_token)
        options_complain(report, file, line, "slack", "needs url or bot_token, not both");
    if (has_token != (slack->channel != NULL))
        options_complain(report, file, line, "channel", "bot_token and channel need each other");
    if (has_token && (secret_text(&slack->http.bearer_token) || slack->http.basic_user))
        options_complain(report, file, line, "bot_token", "excludes bearer_token and basic_user");
}

const struct receiver_kind slack_kind = {
    .name = "slack",
    .help = "Slack, by incoming webhook or bot.",
    .options = slack_options,
    .config_bytes = sizeof(struct slack_config),
    .expires_s = RECEIVER_CHAT_EXPIRES_S,
    .rate = 1,
    .burst = 5,
    .check = check,
    .build = build,
    .threads = is_bot,
    .read = slack_bot_read,
    .classify = classify,
};
