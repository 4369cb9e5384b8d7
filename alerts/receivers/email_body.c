#include "alerts/receivers/email_body.h"

#include <string.h>

#include "alerts/rules/notification_words.h"

#define FONT "font-family:Arial,Helvetica,sans-serif;"
#define TEXT FONT "font-size:14px;line-height:20px;color:#1f2328;"
#define CELL "padding:3px 12px 3px 0;vertical-align:top;" TEXT

/* --- plain ------------------------------------------------------------------------------------ */
static void put_item(struct buf *out, const struct layout_item *item)
{
    buf_printf(out, "- %s\n", item->text);
    if (*item->link)
        buf_printf(out, "  %s\n", item->link);
}

void email_body_text(const struct layout *layout, struct buf *out)
{
    buf_printf(out, "%s\n\n", layout->title);
    if (*layout->text)
        buf_printf(out, "%s\n\n", layout->text);
    for (size_t i = 0; i < layout->fact_count; i++)
        buf_printf(out, "%s: %s\n", layout->facts[i].name, layout->facts[i].text);
    for (size_t i = 0; i < layout->section_count; i++) {
        const struct layout_section *section = &layout->sections[i];
        buf_printf(out, "%s%s\n", i || layout->fact_count ? "\n" : "", section->title);
        if (*section->text)
            buf_printf(out, "%s\n", section->text);
        for (size_t j = 0; j < section->item_count; j++)
            put_item(out, &section->items[j]);
    }
    if (layout->fact_count || layout->section_count)
        buf_char(out, '\n');
    for (size_t i = 0; i < layout->link_count; i++)
        buf_printf(out, "%s: %s\n", layout->links[i].text, layout->links[i].link);
    if (*layout->footer)
        buf_printf(out, "\n%s\n", layout->footer);
    if (*layout->truncated)
        buf_printf(out, "\n%s\n", layout->truncated);
}

/* --- HTML: texts ------------------------------------------------------------------------------ */
/* Append text so that it is nothing but text; line breaks are kept. */
static void escape(struct buf *out, const char *text, size_t length)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = { { '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
                     { '"', "&quot;" }, { '\'', "&#39;" }, { '\n', "<br>\n" } };
    for (const char *end = text + length; text < end; text++) {
        size_t i = 0;
        while (i < ARRAY_COUNT(entities) && entities[i].c != *text)
            i++;
        if (i < ARRAY_COUNT(entities))
            buf_text(out, entities[i].entity);
        else
            buf_char(out, *text);
    }
}

static bool is_address(const char *text)
{
    return !strncmp(text, "https://", 8) || !strncmp(text, "http://", 7);
}

static void put_link(struct buf *out, const char *link, size_t length, const char *text,
                     size_t text_length, const char *style)
{
    buf_text(out, "<a href=\"");
    escape(out, link, length);
    buf_printf(out, "\" style=\"%s\">", style);
    escape(out, text, text_length);
    buf_text(out, "</a>");
}

/* Text in which web addresses can be clicked. */
static void put_text(struct buf *out, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "h");
        escape(out, text, length);
        text += length;
        length = is_address(text) ? strcspn(text, " \t\r\n<>|\"'`)") : *text != 0;
        if (!is_address(text)) {
            escape(out, text, length);
        } else {
            while (length > 8 && strchr(".,;:", text[length - 1]))
                length--;
            put_link(out, text, length, text, length, "color:#0969da;");
        }
        text += length;
    }
}

static void put_item_html(struct buf *out, const struct layout_item *item)
{
    if (is_address(item->link))
        put_link(out, item->link, strlen(item->link), item->text, strlen(item->text),
                 "color:#0969da;");
    else
        put_text(out, item->text);
}

static void put_element(struct buf *out, const char *before, const char *text, const char *after)
{
    if (!*text)
        return;
    buf_text(out, before);
    put_text(out, text);
    buf_text(out, after);
}

/* --- HTML: colour ----------------------------------------------------------------------------- */
/* White on each of them can be read. source: WCAG 2.1, 1.4.3: at least 4.5 to 1. */
#define RED "#b00020"
#define ORANGE "#bc4c00"
#define AMBER "#9a6700"
#define BLUE "#0969da"
#define GREY "#57606a"
#define GREEN "#1a7f37"

/* Of what fires, by its risk level; by the label severity where there is none. */
static const char *colour_of_firing(const struct notification *notification)
{
    static const struct {
        const char *word, *colour;
    } colours[] = { { "critical", RED }, { "high", ORANGE },   { "error", ORANGE },
                    { "medium", AMBER }, { "warning", AMBER }, { "low", BLUE },
                    { "info", BLUE } };
    const char *words[] = { notification->risk_level, notification->severity };
    for (size_t i = 0; i < ARRAY_COUNT(words); i++)
        for (size_t j = 0; j < ARRAY_COUNT(colours); j++)
            if (!strcmp(colours[j].word, words[i]))
                return colours[j].colour;
    return notification->resource_total ? GREY : AMBER;
}

/* Green is only what is mended; what nobody looks at any more may still be there. */
static const char *colour_of(const struct notification *notification)
{
    static const char *const unknown[] = { "no_longer_assessed", "plan_off" };
    bool first_run = !strcmp(notification->event, "digest") && !notification->count_count;
    if (notification->test || first_run || notification->report_count ||
        !strcmp(notification->event, "ruler.changed"))
        return BLUE;
    if (notification->status != NOTIFICATION_RESOLVED)
        return colour_of_firing(notification);
    for (size_t i = 0; i < ARRAY_COUNT(unknown); i++)
        if (!strcmp(unknown[i], notification->reason))
            return AMBER;
    return notification_is_good_news(notification) ? GREEN : GREY;
}

/* What the colour says, for those who do not see it. */
static const char *word_of(const struct notification *notification)
{
    if (notification->status == NOTIFICATION_RESOLVED)
        return notification_words_ended(notification->reason);
    return notification->resource_total ? notification_words_risk(notification->risk_level) : "";
}

/* --- HTML: parts ------------------------------------------------------------------------------ */
static void put_head(const struct notification *notification, const struct layout *layout,
                     struct buf *out)
{
    const char *colour = colour_of(notification);
    buf_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head>"
                  "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n");
    put_element(out, "<title>", layout->title, "</title>");
    buf_text(out, "</head>\n<body style=\"margin:0;padding:0;background-color:#f6f8fa;\">\n"
                  "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" "
                  "cellspacing=\"0\" border=\"0\" bgcolor=\"#f6f8fa\"><tr>"
                  "<td align=\"center\" style=\"padding:12px;\">\n"
                  "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" "
                  "cellspacing=\"0\" border=\"0\" bgcolor=\"#ffffff\" "
                  "style=\"max-width:680px;text-align:left;\">\n");
    buf_printf(out,
               "<tr><td bgcolor=\"%s\" style=\"background-color:%s;padding:6px 20px;" FONT
               "font-size:13px;line-height:18px;font-weight:bold;color:#ffffff;\">",
               colour, colour);
    put_text(out, word_of(notification));
    buf_text(out, *word_of(notification) ? "" : "&nbsp;");
    buf_text(out, "</td></tr>\n<tr><td style=\"padding:16px 20px;" TEXT "\">\n");
    put_element(out,
                "<h2 style=\"margin:0 0 12px 0;" FONT "font-size:18px;line-height:24px;"
                "color:#1f2328;\">",
                layout->title, "</h2>\n");
    put_element(out, "<p style=\"margin:0 0 12px 0;\">", layout->text, "</p>\n");
}

static void put_facts(const struct layout *layout, struct buf *out)
{
    if (!layout->fact_count)
        return;
    buf_text(out, "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" "
                  "border=\"0\">\n");
    for (size_t i = 0; i < layout->fact_count; i++) {
        put_element(out, "<tr><td style=\"" CELL "font-weight:bold;white-space:nowrap;\">",
                    layout->facts[i].name, "</td>");
        put_element(out, "<td style=\"" CELL "word-break:break-word;\">", layout->facts[i].text,
                    "</td></tr>\n");
    }
    buf_text(out, "</table>\n");
}

static void put_section(const struct layout_section *section, struct buf *out)
{
    put_element(out,
                "<h3 style=\"margin:16px 0 4px 0;" FONT "font-size:15px;line-height:20px;"
                "color:#1f2328;\">",
                section->title, "</h3>\n");
    put_element(out, "<p style=\"margin:0;\">", section->text, "</p>\n");
    if (!section->item_count)
        return;
    buf_text(out, "<ul style=\"margin:0;padding:0 0 0 20px;\">\n");
    for (size_t i = 0; i < section->item_count; i++) {
        buf_text(out, "<li style=\"word-break:break-word;\">");
        put_item_html(out, &section->items[i]);
        buf_text(out, "</li>\n");
    }
    buf_text(out, "</ul>\n");
}

/* Links as buttons that are cells, so that every program shows them. */
static void put_links(const struct layout *layout, struct buf *out)
{
    if (!layout->link_count)
        return;
    buf_text(out, "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"6\" "
                  "border=\"0\" style=\"margin:16px 0 0 -6px;\"><tr>\n");
    for (size_t i = 0; i < layout->link_count; i++) {
        const struct layout_item *link = &layout->links[i];
        if (!is_address(link->link))
            continue;
        buf_text(out,
                 "<td bgcolor=\"#0969da\" style=\"padding:8px 14px;" FONT "font-size:14px;\">");
        put_link(out, link->link, strlen(link->link), link->text, strlen(link->text),
                 "color:#ffffff;text-decoration:none;");
        buf_text(out, "</td>\n");
    }
    buf_text(out, "</tr></table>\n");
}

void email_body_html(const struct notification *notification, const struct layout *layout,
                     struct buf *out)
{
    static const char small[] =
        "<p style=\"margin:12px 0 0 0;" FONT "font-size:12px;line-height:18px;color:#57606a;"
        "word-break:break-word;\">";
    put_head(notification, layout, out);
    put_facts(layout, out);
    for (size_t i = 0; i < layout->section_count; i++)
        put_section(&layout->sections[i], out);
    put_links(layout, out);
    put_element(out, small, layout->footer, "</p>\n");
    put_element(out, small, layout->truncated, "</p>\n");
    buf_text(out, "</td></tr></table>\n</td></tr></table>\n</body></html>\n");
}
