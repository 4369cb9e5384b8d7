#include "core/log.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/memory.h"

enum {
    SECRET_MIN_BYTES = 6,
    CUT_MIN_BYTES = 8,      /* the beginning of a secret at the end of a cut text */
    ENDED_MAX = 64,         /* secrets without uses that are still hidden */
    VALUE_MAX_BYTES = 8192, /* of one value; the rest is dropped */
    REPEAT_MS = 60000,
};

static const char *const level_words[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_words[] = { "logfmt", "json", NULL };
/* clang-format off */
const struct option log_options[] = {
    { "level", OPTION_WORD(struct log_config, level), .otherwise = "info",
      .words = level_words, .help = "The least important lines to write." },
    { "format", OPTION_WORD(struct log_config, format), .otherwise = "logfmt",
      .words = format_words, .help = "How lines are written." },
    { 0 }
};
/* clang-format on */

static const char *const level_names[] = { "DEBUG", "INFO", "WARN", "ERROR" };

struct hidden {
    char *text;
    size_t length;
    unsigned uses;
    uint64_t ended_at; /* ordinal of the moment the last use ended */
};

static struct {
    atomic_int level;
    atomic_int format;
    pthread_mutex_t lock;  /* guards the rest */
    struct hidden *hidden; /* longest first: a secret may contain another one */
    size_t hidden_count;
    uint64_t ends;
    struct buf last; /* the line written last, without its time */
    int64_t last_at_ms;
    int64_t left_out;
    enum log_level left_out_level;
} state = { .level = LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER };

void log_configure(const struct log_config *config)
{
    state.level = (int)config->level;
    state.format = (int)config->format;
}

/* --- secrets ------------------------------------------------------------------------------- */

static struct hidden *find_hidden(const char *text)
{
    for (size_t i = 0; i < state.hidden_count; i++) {
        if (!strcmp(state.hidden[i].text, text))
            return &state.hidden[i];
    }
    return NULL;
}

static void hide(const char *text)
{
    struct hidden *known = find_hidden(text);
    if (known) {
        known->uses++;
        return;
    }
    struct hidden new = { .text = memory_copy(text), .length = strlen(text), .uses = 1 };
    MEMORY_EXTEND(state.hidden, state.hidden_count, state.hidden_count + 1);
    size_t at = state.hidden_count++;
    for (; at && state.hidden[at - 1].length < new.length; at--)
        state.hidden[at] = state.hidden[at - 1];
    state.hidden[at] = new;
}

static void forget_oldest_ended(void)
{
    struct hidden *oldest = NULL;
    size_t ended = 0;
    for (struct hidden *it = state.hidden; it < state.hidden + state.hidden_count; it++) {
        if (it->uses)
            continue;
        ended++;
        if (!oldest || it->ended_at < oldest->ended_at)
            oldest = it;
    }
    if (ended <= ENDED_MAX)
        return;
    explicit_bzero(oldest->text, oldest->length);
    free(oldest->text);
    size_t after = (size_t)(state.hidden + --state.hidden_count - oldest);
    memmove(oldest, oldest + 1, after * sizeof *oldest);
}

static void unhide(const char *text)
{
    struct hidden *known = find_hidden(text);
    if (!known || !known->uses || --known->uses)
        return;
    known->ended_at = ++state.ends;
    forget_oldest_ended();
}

/* The text as it stands in a URL or form body (RFC 3986 section 2.1). */
static void percent_encode(const char *text, const char *digits, struct buf *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (isalnum(c) || strchr("-._~", c)) {
            buf_char(out, *text);
        } else {
            buf_char(out, '%');
            buf_char(out, digits[c >> 4]);
            buf_char(out, digits[c & 15]);
        }
    }
}

static void wipe_buf(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->length);
    buf_finish(buf);
}

/* Call `apply` with every form the secret may appear in. */
static void for_each_form(const char *secret, void (*apply)(const char *text))
{
    if (strlen(secret) < SECRET_MIN_BYTES)
        return;
    CLEANUP(wipe_buf) struct buf upper = { 0 };
    CLEANUP(wipe_buf) struct buf lower = { 0 };
    percent_encode(secret, "0123456789ABCDEF", &upper);
    percent_encode(secret, "0123456789abcdef", &lower);
    pthread_mutex_lock(&state.lock);
    apply(secret);
    if (strcmp(secret, upper.data))
        apply(upper.data);
    if (strcmp(upper.data, lower.data))
        apply(lower.data);
    pthread_mutex_unlock(&state.lock);
}

void log_redact(const char *secret)
{
    for_each_form(secret, hide);
}

void log_unredact(const char *secret)
{
    for_each_form(secret, unhide);
}

/* How many bytes at text belong to a secret. */
static size_t secret_length(const char *text, size_t length)
{
    for (size_t i = 0; i < state.hidden_count; i++) {
        const struct hidden *hidden = &state.hidden[i];
        size_t compared = hidden->length < length ? hidden->length : length;
        bool enough = compared == hidden->length || compared >= CUT_MIN_BYTES;
        if (enough && !memcmp(text, hidden->text, compared))
            return compared;
    }
    return 0;
}

/* Caller holds the lock. */
static void append_redacted(struct buf *out, const char *text)
{
    size_t length = strlen(text);
    while (length) {
        size_t secret = secret_length(text, length);
        size_t step = secret ? secret : 1;
        if (secret)
            buf_text(out, "<secret>");
        else
            buf_char(out, *text);
        text += step;
        length -= step;
    }
}

char *log_redacted(const char *text, char *out, unsigned out_bytes)
{
    CLEANUP(buf_finish) struct buf redacted = { 0 };
    pthread_mutex_lock(&state.lock);
    append_redacted(&redacted, text);
    pthread_mutex_unlock(&state.lock);
    if (!out_bytes)
        return out;
    size_t count = redacted.length < out_bytes ? redacted.length : out_bytes - 1;
    if (count)
        memcpy(out, redacted.data, count);
    out[count] = '\0';
    return out;
}

/* --- values -------------------------------------------------------------------------------- */

/* The length of the UTF-8 sequence at text and its code point; 0 when it is none (RFC 3629). */
static size_t decode_utf8(const char *text, size_t length, unsigned *code)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)*text;
    size_t count = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (!count || count > length || first > 0xf4)
        return 0;
    *code = count == 1 ? first : first & (0x7fU >> count);
    for (size_t i = 1; i < count; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)text[i] & 0x3f);
    }
    if (*code < least[count] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
        return 0;
    return count;
}

/* Characters that move a cursor or end a line somewhere. */
static bool is_control(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static bool needs_quotes(const char *text, size_t length)
{
    unsigned code = 0;
    for (size_t i = 0, step; i < length; i += step) {
        step = decode_utf8(text + i, length - i, &code);
        if (!step || is_control(code) || strchr(" =\"", (int)code))
            return true;
    }
    return length == 0;
}

/* A quoted string as Go's strconv.Quote or as JSON writes it; they differ where JSON has no \x. */
static void append_quoted(struct buf *out, const char *text, size_t length, bool json)
{
    static const char letters[] = "btn?fr"; /* from U+0008 on; \v is not in JSON */
    unsigned code = 0;
    buf_char(out, '"');
    for (size_t i = 0, step; i < length; i += step) {
        step = decode_utf8(text + i, length - i, &code);
        if (!step) {
            if (json)
                buf_text(out, "\\ufffd");
            else
                buf_printf(out, "\\x%02x", (unsigned char)text[i]);
            step = 1;
        } else if (code == '"' || code == '\\') {
            buf_char(out, '\\');
            buf_char(out, (char)code);
        } else if (code >= '\b' && code <= '\r' && code != '\v') {
            buf_char(out, '\\');
            buf_char(out, letters[code - '\b']);
        } else if (is_control(code)) {
            buf_printf(out, json || code > 0x7f ? "\\u%04x" : "\\x%02x", code);
        } else {
            buf_append(out, text + i, step);
        }
    }
    buf_char(out, '"');
}

static void append_text(struct buf *out, const char *text, bool json)
{
    CLEANUP(buf_finish) struct buf value = { .limit_bytes = VALUE_MAX_BYTES };
    append_redacted(&value, text ? text : "");
    const char *data = buf_cstr(&value);
    if (json || needs_quotes(data, value.length))
        append_quoted(out, data, value.length, json);
    else
        buf_append(out, data, value.length);
}

static void append_key(struct buf *out, const char *key, bool json)
{
    buf_text(out, json ? ",\"" : " ");
    buf_text(out, key);
    buf_text(out, json ? "\":" : "=");
}

static void append_field(struct buf *out, const struct log_field *field, bool json)
{
    append_key(out, field->kind == LOG_MSG ? "msg" : field->key, json);
    switch (field->kind) {
    case LOG_MSG:
    case LOG_TEXT:
        append_text(out, field->text, json);
        break;
    case LOG_INT:
        buf_integer(out, field->integer);
        break;
    case LOG_NUM:
        if (json && !isfinite(field->number)) {
            buf_char(out, '"');
            buf_number(out, field->number);
            buf_char(out, '"');
        } else {
            buf_number(out, field->number);
        }
        break;
    case LOG_END:
        break;
    }
}

/* --- lines --------------------------------------------------------------------------------- */

static void append_body(struct buf *out, enum log_level level, const char *file, int line,
                        const struct log_field *fields, bool json)
{
    const char *slash = strrchr(file, '/');
    append_key(out, "level", json);
    append_text(out, level_names[level], json);
    append_key(out, "source", json);
    CLEANUP(buf_finish) struct buf source = { 0 };
    buf_text(&source, slash ? slash + 1 : file);
    buf_char(&source, ':');
    buf_integer(&source, line);
    append_text(out, source.data, json);
    for (; fields->kind != LOG_END; fields++)
        append_field(out, fields, json);
}

/* One write(2) a line, so that lines of several programs do not mix. A log that cannot be written
 * is nobody's reason to stop. */
static void write_line(int64_t now_ms, const struct buf *body, bool json)
{
    CLEANUP(buf_finish) struct buf line = { 0 };
    char time[32];
    buf_text(&line, json ? "{\"time\":\"" : "time=");
    buf_text(&line, clock_format_rfc3339_ms(now_ms, time));
    buf_text(&line, json ? "\"" : "");
    buf_append(&line, body->data, body->length);
    buf_text(&line, json ? "}\n" : "\n");
    size_t written = 0;
    while (written < line.length) {
        ssize_t count = write(STDERR_FILENO, line.data + written, line.length - written);
        if (count < 0 && errno != EINTR)
            return;
        written += count > 0 ? (size_t)count : 0;
    }
}

static void write_left_out(int64_t now_ms, bool json)
{
    const struct log_field fields[] = { MSG("line before was repeated"),
                                        INT("left_out", state.left_out),
                                        { .kind = LOG_END } };
    CLEANUP(buf_finish) struct buf body = { 0 };
    append_body(&body, state.left_out_level, __FILE__, __LINE__, fields, json);
    write_line(now_ms, &body, json);
    state.left_out = 0;
}

/* Caller holds the lock. */
static void write_or_count(int64_t now_ms, enum log_level level, const struct buf *body, bool json)
{
    bool same =
        state.last.length == body->length && !memcmp(state.last.data, body->data, body->length);
    int64_t age_ms = now_ms - state.last_at_ms;
    if (same && age_ms >= 0 && age_ms < REPEAT_MS) {
        state.left_out++;
        state.left_out_level = level;
        return;
    }
    if (state.left_out)
        write_left_out(now_ms, json);
    write_line(now_ms, body, json);
    buf_reset(&state.last);
    buf_append(&state.last, body->data, body->length);
    state.last_at_ms = now_ms;
}

void log_write_at(int64_t now_ms, enum log_level level, const char *file, int line,
                  const struct log_field *fields)
{
    if ((int)level < state.level)
        return;
    bool json = state.format == LOG_JSON;
    CLEANUP(buf_finish) struct buf body = { 0 };
    pthread_mutex_lock(&state.lock);
    append_body(&body, level, file, line, fields, json);
    write_or_count(now_ms, level, &body, json);
    pthread_mutex_unlock(&state.lock);
}

void log_write(enum log_level level, const char *file, int line, const struct log_field *fields)
{
    log_write_at(clock_wall_ms(), level, file, line, fields);
}
