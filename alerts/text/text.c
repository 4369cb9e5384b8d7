#include "alerts/text/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/utf8.h"

#define ELLIPSIS 0x2026

uint32_t text_decode(const char *text, size_t length, size_t *used)
{
    static const struct {
        uint8_t first, last, low, high; /* lead byte; range of the second. RFC 3629 section 4 */
        uint8_t length, bits;           /* bits: of the lead byte */
    } forms[] = {
        { 0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f }, { 0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f },
        { 0xe1, 0xec, 0x80, 0xbf, 3, 0x0f }, { 0xed, 0xed, 0x80, 0x9f, 3, 0x0f },
        { 0xee, 0xef, 0x80, 0xbf, 3, 0x0f }, { 0xf0, 0xf0, 0x90, 0xbf, 4, 0x07 },
        { 0xf1, 0xf3, 0x80, 0xbf, 4, 0x07 }, { 0xf4, 0xf4, 0x80, 0x8f, 4, 0x07 },
    };
    const uint8_t *bytes = (const uint8_t *)text;
    size_t i = 0;
    *used = 1;
    if (bytes[0] < 0x80)
        return bytes[0];
    while (i < ARRAY_COUNT(forms) && (bytes[0] < forms[i].first || bytes[0] > forms[i].last))
        i++;
    if (i == ARRAY_COUNT(forms) || forms[i].length > length)
        return TEXT_REPLACEMENT;
    uint32_t point = bytes[0] & forms[i].bits;
    for (size_t j = 1; j < forms[i].length; j++) {
        uint8_t low = j == 1 ? forms[i].low : 0x80, high = j == 1 ? forms[i].high : 0xbf;
        if (bytes[j] < low || bytes[j] > high)
            return TEXT_REPLACEMENT;
        point = point << 6 | (bytes[j] & 0x3f);
    }
    *used = forms[i].length;
    return point;
}

static size_t encoded_bytes(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

void text_encode(struct buf *out, uint32_t point)
{
    static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    size_t length = encoded_bytes(point);
    char bytes[4];
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        bytes[i] = (char)(0x80 | (point & 0x3f));
    bytes[0] = (char)(leads[length] | point);
    buf_append(out, bytes, length);
}

/* The first code point of a text; a NUL ends any sequence, so nothing behind it is read. */
static uint32_t first_point(const char *text, size_t *used)
{
    return text_decode(text, 4, used);
}

static bool is_utf8(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t plain = utf8_plain_length(text + i, length - i);
        size_t used = plain ? plain : utf8_length(text + i, length - i);
        if (!used)
            return false;
        i += used;
    }
    return true;
}

/* limit: in code points, or in bytes of what is appended. */
static bool cut(struct buf *out, const char *text, size_t limit, bool bytes)
{
    size_t whole_bytes = strlen(text);
    bool fits = whole_bytes <= limit, ascii = utf8_is_ascii(text, whole_bytes);
    if (fits && (ascii || is_utf8(text, whole_bytes))) { /* most are */
        buf_append(out, text, whole_bytes);
        return false;
    }
    size_t mark = bytes ? encoded_bytes(ELLIPSIS) : 1, total = 0, length;
    const char *keep = text, *at = text; /* keep: what goes in front of the ellipsis */
    while (*at) {
        uint32_t point = first_point(at, &length);
        total += bytes ? encoded_bytes(point) : 1;
        if (total > limit)
            break;
        at += length;
        if (total + mark <= limit)
            keep = at;
    }
    bool whole = !*at;
    for (const char *end = whole ? at : keep; text < end; text += length)
        text_encode(out, first_point(text, &length));
    if (!whole && mark <= limit)
        text_encode(out, ELLIPSIS);
    return !whole;
}

bool text_cut(struct buf *out, const char *text, size_t max_points)
{
    return cut(out, text, max_points, false);
}

/* Whether a point of valid UTF-8 begins with this byte. */
static bool begins(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

bool text_cut_middle(struct buf *out, const char *text, size_t max_points)
{
    CLEANUP(buf_finish) struct buf all = { 0 };
    size_t length = strlen(text);
    bool ascii = utf8_is_ascii(text, length);
    if ((ascii ? length : text_points(text)) <= max_points)
        return text_cut(out, text, max_points);
    if (!ascii)
        (void)text_cut(&all, text, SIZE_MAX); /* valid UTF-8 from here on */
    const char *begin = ascii ? text : buf_cstr(&all), *end = begin + (ascii ? length : all.length);
    const char *head = begin, *tail = end;
    size_t points = 0, behind = 0; /* of them: from tail on */
    for (const char *at = end; at > begin && points <= max_points / 2; points += begins(*--at))
        if (at[-1] == ' ' && at < end) {
            tail = at;
            behind = points;
        }
    points = behind + 2;
    for (const char *at = begin; at < tail && points <= max_points; points += begins(*at++))
        if (*at == ' ')
            head = at;
    while (head > begin && strchr(" ,;:(-", head[-1]))
        head--;
    if (tail == end || head == begin)
        return text_cut(out, text, max_points);
    buf_append(out, begin, (size_t)(head - begin));
    text_encode(out, ELLIPSIS);
    buf_char(out, ' ');
    buf_append(out, tail, (size_t)(end - tail));
    return true;
}

bool text_cut_bytes(struct buf *out, const char *text, size_t max_bytes)
{
    return cut(out, text, max_bytes, true);
}

void text_unlink(struct buf *out, const char *text)
{
    static const struct {
        const char *before, *after;
    } marks[] = { { "://", "[:]//" }, { "www.", "www[.]" }, { "mailto:", "mailto[:]" } };
    while (*text) {
        size_t plain = strcspn(text, ":wWmM"), i = 0; /* what marks begin with */
        buf_append(out, text, plain);
        text += plain;
        if (!*text)
            return;
        while (i < ARRAY_COUNT(marks) &&
               strncasecmp(text, marks[i].before, strlen(marks[i].before)) != 0)
            i++;
        if (i == ARRAY_COUNT(marks)) {
            buf_char(out, *text++);
            continue;
        }
        buf_text(out, marks[i].after);
        text += strlen(marks[i].before);
    }
}

size_t text_points(const char *text)
{
    size_t points = 0, whole_bytes = strlen(text);
    if (utf8_is_ascii(text, whole_bytes))
        return whole_bytes;
    for (size_t length; *text; text += length) {
        first_point(text, &length);
        points++;
    }
    return points;
}

static const struct {
    int64_t seconds;
    const char *name;
} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };

/* The largest unit in it. */
static size_t unit_of(int64_t seconds)
{
    size_t i = 0;
    while (i < ARRAY_COUNT(units) - 1 && seconds < units[i].seconds)
        i++;
    return i;
}

void text_age(struct buf *out, int64_t seconds)
{
    if (seconds < 0)
        seconds = 0;
    size_t i = unit_of(seconds);
    buf_printf(out, "%lld %s", (long long)(seconds / units[i].seconds), units[i].name);
    seconds %= units[i].seconds;
    if (++i < ARRAY_COUNT(units) && seconds >= units[i].seconds)
        buf_printf(out, " %lld %s", (long long)(seconds / units[i].seconds), units[i].name);
}

void text_about(struct buf *out, int64_t seconds)
{
    if (seconds < 0)
        seconds = 0;
    size_t i = unit_of(seconds);
    buf_printf(out, "%lld %s", (long long)(seconds / units[i].seconds), units[i].name);
}

void text_instant(struct buf *out, int64_t at, int64_t now)
{
    char instant[32];
    clock_format_rfc3339(at, instant);
    buf_append(out, instant, 10);
    buf_char(out, ' ');
    buf_append(out, instant + 11, 5);
    buf_text(out, " UTC");
    if (!now)
        return;
    if (at == now) {
        buf_text(out, ", now");
        return;
    }
    buf_text(out, at > now ? ", in " : ", ");
    text_about(out, at > now ? at - now : now - at);
    buf_text(out, at > now ? "" : " ago");
}

void text_due(struct buf *out, int64_t due_at, int64_t now)
{
    bool overdue = now && due_at < now;
    text_instant(out, due_at, overdue ? 0 : now);
    if (!overdue)
        return;
    buf_text(out, ", overdue ");
    text_about(out, now - due_at);
}

void text_words(struct buf *out, const char *word)
{
    if (strpbrk(word, " -_./:")) {
        buf_text(out, word);
        return;
    }
    for (const char *c = word; *c; c++) {
        bool upper = isupper((unsigned char)*c), next = islower((unsigned char)c[1]);
        bool starts = upper && c > word && (next || !isupper((unsigned char)c[-1]));
        if (starts)
            buf_char(out, ' ');
        buf_char(out, upper && next ? (char)tolower((unsigned char)*c) : *c);
    }
}
