#include "alerts/rules/tag_labels.h"

#include <string.h>
#include <strings.h>

enum { TAG_BYTES_MAX = 512 }; /* of a name. source: Azure Resource Manager, limits of tags */

/* "tag_" and the name in lower case, "_" for each character that no label has. */
static void append_label(const char *tag, struct buf *out)
{
    buf_text(out, "tag_");
    for (const unsigned char *c = (const unsigned char *)tag; *c; c++) {
        bool upper = *c >= 'A' && *c <= 'Z';
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        if ((*c & 0xc0) != 0x80) /* not within a character of several bytes */
            buf_char(out, upper ? (char)(*c + ('a' - 'A')) : plain ? (char)*c : '_');
    }
}

static bool same_label(const char *left, const char *right)
{
    CLEANUP(buf_finish) struct buf one = { 0 }, other = { 0 };
    append_label(left, &one);
    append_label(right, &other);
    return !strcmp(buf_cstr(&one), buf_cstr(&other));
}

/* Names go into a query within quotes. */
static bool can_be_asked(const char *tag)
{
    for (const unsigned char *c = (const unsigned char *)tag; *c; c++)
        if (*c < ' ' || *c == 0x7f || strchr("'\"\\", *c))
            return false;
    return true;
}

bool tag_labels_check(const struct option_texts *tags, struct buf *wrong)
{
    size_t before = wrong->length;
    if (tags->count > TAGS_MAX)
        buf_printf(wrong, "at most %d are possible, these are %zu", TAGS_MAX, tags->count);
    for (size_t i = 0; i < tags->count && wrong->length == before; i++) {
        const char *tag = tags->texts[i];
        if (!*tag || strlen(tag) > TAG_BYTES_MAX)
            buf_printf(wrong, "a name must have 1 to %d bytes", TAG_BYTES_MAX);
        else if (!can_be_asked(tag))
            buf_printf(wrong, "\"%s\": quotes, backslashes and control characters are not possible",
                       tag);
        for (size_t n = 0; n < i && wrong->length == before; n++)
            if (!strcasecmp(tags->texts[n], tag))
                buf_printf(wrong, "\"%s\" stands there twice: case makes no difference", tag);
            else if (same_label(tags->texts[n], tag))
                buf_printf(wrong, "\"%s\" and \"%s\" would be the same label", tags->texts[n], tag);
    }
    return wrong->length == before;
}

void tag_labels_make(const struct tag_labels_wanted *wanted, struct arena *arena,
                     struct tag_labels *out)
{
    const struct option_texts *tags = wanted->tags;
    *out = (struct tag_labels){ 0 };
    for (size_t i = 0; tags && i < tags->count && out->count < TAGS_MAX; i++) {
        CLEANUP(buf_finish) struct buf name = { 0 };
        append_label(tags->texts[i], &name);
        out->items[out->count++] = (struct tag_label){ arena_text(arena, tags->texts[i]),
                                                       arena_text(arena, buf_cstr(&name)) };
    }
    if (wanted->owner)
        out->items[out->count++] = (struct tag_label){ NULL, TAG_LABELS_OWNER };
}
