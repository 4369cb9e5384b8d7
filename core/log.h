#pragma once
/* One event, one line on stderr: logfmt or JSON, in the shape of Prometheus programs, secrets
 * redacted, repeats collapsed. Any thread.
 *
 *   log_info(MSG("collected"), TEXT("collector", c->name), INT("rows", n));
 *
 * error: someone must act. warn: it healed or will be retried. info: state changed. debug: rest.
 * Keys are fixed words: component collector subscription_id receiver rule err ... */
#include <stdbool.h>
#include <stdint.h>

#include "core/options.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* `log` of the configuration. */
struct log_config {
    enum log_level level;
    enum log_format format;
};
extern const struct option log_options[];

enum log_kind { LOG_END, LOG_MSG, LOG_TEXT, LOG_INT, LOG_NUM };
struct log_field {
    enum log_kind kind;
    const char *key, *text;
    int64_t integer;
    double number;
};

#define MSG(message) ((struct log_field){ .kind = LOG_MSG, .text = (message) })
#define TEXT(name, value) ((struct log_field){ .kind = LOG_TEXT, .key = (name), .text = (value) })
#define INT(name, value) ((struct log_field){ .kind = LOG_INT, .key = (name), .integer = (value) })
#define NUM(name, value) ((struct log_field){ .kind = LOG_NUM, .key = (name), .number = (value) })
#define ERR(error) TEXT("err", (error)->message)

#define log_at(level, ...)                                                                         \
    log_write((level), __FILE__, __LINE__,                                                         \
              (const struct log_field[]){ __VA_ARGS__, { .kind = LOG_END } })
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

/* Set what is written and how. Call before other threads start, or at a reload. */
void log_configure(const struct log_config *config);

/* Never let this text appear in a line, neither as it is nor percent-encoded: it becomes
 * "<secret>". Copied; texts under 6 bytes are refused (they would redact ordinary words). Each call
 * is one use of the text. */
void log_redact(const char *secret);

/* End one use. A text without uses stays hidden until 64 younger ones have ended too. */
void log_unredact(const char *secret);

/* A copy of text in out with every known secret replaced, the beginning of one at the very end of
 * the text too (a message that was cut); for pages and error texts that leave by another way than
 * the log. Returns out. */
char *log_redacted(const char *text, char *out, unsigned out_bytes);

/* Write one line, unless the level is too low or the same line was written less than 60 s ago and
 * no other since; the next one is then preceded by a line that says how many were left out.
 * file: its folders are removed. */
void log_write(enum log_level level, const char *file, int line, const struct log_field *fields);

/* The same at a given time; log_write without a clock. */
void log_write_at(int64_t now_ms, enum log_level level, const char *file, int line,
                  const struct log_field *fields);
