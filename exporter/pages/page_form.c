#include "exporter/pages/page_form.h"

void page_form_hidden(struct page *page, const char *name, const char *value)
{
    buf_printf(page->out, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    page_text(page, value);
    page_html(page, "\">");
}

void page_form_begin(struct page *page, const struct page_forms *forms, const char *class,
                     const char *path, const char *segment)
{
    CLEANUP(buf_finish) struct buf act = { 0 };
    char seal[PAGE_FORM_SEAL_BYTES];
    buf_printf(&act, "%s%s", path, segment ? segment : "");
    buf_printf(page->out, "<form class=\"%s\" method=\"post\" action=\"", class);
    page_path(page, path, segment, true);
    page_html(page, "\">");
    page_form_hidden(page, PAGE_FORM_SEAL, forms->seal(forms->context, buf_cstr(&act), seal));
}

static void append_attributes(struct page *page, const struct page_field *field)
{
    buf_printf(page->out, " id=\"%s\" name=\"%s\"", field->name, field->name);
    if (*field->hint)
        buf_printf(page->out, " aria-describedby=\"%s-hint\"", field->name);
    page_html(page, field->required ? " required" : "");
    page_html(page, field->fixed ? " readonly" : "");
}

void page_form_field(struct page *page, const struct page_field *field)
{
    buf_printf(page->out, "<div class=\"field\"><label for=\"%s\">%s</label>", field->name,
               field->label);
    if (field->rows) {
        page_html(page, "<textarea");
        append_attributes(page, field);
        buf_printf(page->out, " rows=\"%d\" spellcheck=\"false\">\n", field->rows);
        page_text(page, field->value);
        page_html(page, "</textarea>");
    } else {
        page_html(page, "<input type=\"text\"");
        append_attributes(page, field);
        page_html(page, " autocomplete=\"off\" value=\"");
        page_text(page, field->value);
        page_html(page, "\">");
    }
    if (*field->hint) {
        buf_printf(page->out, "<small id=\"%s-hint\" class=\"soft\">", field->name);
        page_text(page, field->hint);
        page_html(page, "</small>");
    }
    page_html(page, "</div>\n");
}

void page_form_button(struct page *page, const char *act, const char *text, const char *about,
                      bool quiet)
{
    buf_printf(page->out, "<button name=\"" PAGE_FORM_ACT "\" value=\"%s\"%s>%s", act,
               quiet ? " class=\"quiet\"" : "", text);
    if (*about) {
        page_html(page, "<span class=\"unseen\"> ");
        page_text(page, about);
        page_html(page, "</span>");
    }
    page_html(page, "</button>\n");
}

void page_form_end(struct page *page)
{
    page_html(page, "</form>\n");
}

void page_form_denied(struct page *page, const struct page_forms *forms)
{
    if (!forms->denied)
        return;
    page_html(page, "<p class=\"soft\">You can look but not act here: ");
    page_text(page, forms->denied);
    page_html(page, ".</p>\n");
}

void page_form_done(struct page *page, const char *text)
{
    page_html(page, "<p class=\"note\" role=\"status\">");
    page_text(page, text);
    page_html(page, "</p>\n");
}

void page_form_wrong(struct page *page, const char *text)
{
    page_html(page, "<p class=\"note wrong\" role=\"alert\">");
    page_text(page, text);
    page_html(page, "</p>\n");
}
