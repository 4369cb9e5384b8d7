#include "core/log.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/buf.h"
#include "test.h"

enum { NOW_MS = 1795280400 }; /* in seconds; see at() */

/* What log calls wrote to stderr since capture_start. */
static int saved_stderr = -1;
static FILE *captured;

static void capture_start(void)
{
    captured = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
}

static const char *capture_end(void)
{
    static char text[400000];
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    rewind(captured);
    text[fread(text, 1, sizeof text - 1, captured)] = '\0';
    fclose(captured);
    return text;
}

/* Milliseconds after 2026-11-21T17:00:00Z. A test begins where no other was, so that it has no
 * repeats of another one's lines. */
static int64_t at(int64_t ms)
{
    return NOW_MS * INT64_C(1000) + ms;
}

#define WRITE(ms, level, ...)                                                                      \
    log_write_at(at(ms), (level), "core/some/file.c", 12,                                          \
                 (const struct log_field[]){ __VA_ARGS__, { .kind = LOG_END } })

TEST(logfmt_line)
{
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    capture_start();
    WRITE(0, LOG_INFO, MSG("collected all"), TEXT("collector", "assessments"), INT("rows", -42),
          NUM("duration_seconds", 0.25));
    WRITE(7, LOG_ERROR, MSG("failed"), NUM("ratio", NAN), NUM("large", 1e300));
    CHECK_TEXT(capture_end(),
               "time=2026-11-21T17:00:00.000Z level=INFO source=file.c:12 msg=\"collected all\" "
               "collector=assessments rows=-42 duration_seconds=0.25\n"
               "time=2026-11-21T17:00:00.007Z level=ERROR source=file.c:12 msg=failed "
               "ratio=NaN large=1e+300\n");
}

TEST(json_line)
{
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_JSON });
    capture_start();
    WRITE(0, LOG_WARN, MSG("a \"b\" \\ \n\x01"), TEXT("k", "\xff\xc3\xa4"), INT("n", 7),
          NUM("x", 0.5), NUM("inf", INFINITY));
    CHECK_TEXT(capture_end(), "{\"time\":\"2026-11-21T17:00:00.000Z\",\"level\":\"WARN\","
                              "\"source\":\"file.c:12\",\"msg\":\"a \\\"b\\\" \\\\ \\n\\u0001\","
                              "\"k\":\"\\ufffd\xc3\xa4\",\"n\":7,\"x\":0.5,\"inf\":\"+Inf\"}\n");
}

TEST(values_are_quoted_when_they_must)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "\"\"" },
        { NULL, "\"\"" },
        { "plain", "plain" },
        { "back\\slash", "back\\slash" },
        { "a b", "\"a b\"" },
        { "a=b", "\"a=b\"" },
        { "a\"b", "\"a\\\"b\"" },
        { "a b\\c", "\"a b\\\\c\"" },
        { "a\nb\tc\r", "\"a\\nb\\tc\\r\"" },
        { "\x1b[31mred\x7f", "\"\\x1b[31mred\\x7f\"" },
        { "\v\a", "\"\\x0b\\x07\"" },
        { "Z\xc3\xbcrich", "Z\xc3\xbcrich" },
        { "\xc2\x85", "\"\\u0085\"" },             /* next line */
        { "\xe2\x80\xa8", "\"\\u2028\"" },         /* line separator */
        { "\xff", "\"\\xff\"" },                   /* no UTF-8 */
        { "\xc3", "\"\\xc3\"" },                   /* cut */
        { "\xc0\xaf", "\"\\xc0\\xaf\"" },          /* overlong */
        { "\xed\xa0\x80", "\"\\xed\\xa0\\x80\"" }, /* surrogate */
        { "\xf0\x9f\x94\x92", "\xf0\x9f\x94\x92" },
    };
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        capture_start();
        WRITE(0, LOG_INFO, TEXT("k", cases[i].text), INT("case", i));
        CLEANUP(buf_finish) struct buf want = { 0 };
        buf_printf(&want,
                   "time=2026-11-21T17:00:00.000Z level=INFO source=file.c:12 k=%s case=%zu\n",
                   cases[i].want, i);
        CHECK_TEXT(capture_end(), buf_cstr(&want));
    }
}

TEST(level_is_a_threshold)
{
    log_configure(&(struct log_config){ LOG_WARN, LOG_LOGFMT });
    capture_start();
    WRITE(0, LOG_DEBUG, MSG("debug"));
    WRITE(0, LOG_INFO, MSG("info"));
    WRITE(0, LOG_WARN, MSG("warn"));
    WRITE(0, LOG_ERROR, MSG("error"));
    CHECK_TEXT(capture_end(),
               "time=2026-11-21T17:00:00.000Z level=WARN source=file.c:12 msg=warn\n"
               "time=2026-11-21T17:00:00.000Z level=ERROR source=file.c:12 msg=error\n");
}

TEST(secrets_are_hidden_in_every_form)
{
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    log_redact("p/ss w\xc3\xb6rd");
    log_redact("p/ss w\xc3\xb6rd");
    log_redact("abcdef");
    log_redact("abcdefghij"); /* holds another one */
    log_redact("short");      /* refused */
    capture_start();
    WRITE(0, LOG_INFO, MSG("got p/ss w\xc3\xb6rd"), TEXT("raw", "(p/ss w\xc3\xb6rd)"),
          TEXT("url", "x?s=p%2Fss%20w%C3%B6rd&y"), TEXT("lower", "p%2fss%20w%c3%b6rd"),
          TEXT("both", "abcdefghijabcdefabcde"), TEXT("word", "short"));
    CHECK_TEXT(capture_end(),
               "time=2026-11-21T17:00:00.000Z level=INFO source=file.c:12 msg=\"got <secret>\" "
               "raw=(<secret>) url=\"x?s=<secret>&y\" lower=<secret> "
               "both=<secret><secret>abcde word=short\n");
    char out[32];
    CHECK_TEXT(log_redacted("x abcdef y", out, sizeof out), "x <secret> y");
    CHECK_TEXT(log_redacted("cut abcdefgh", out, sizeof out), "cut <secret>");
    CHECK_TEXT(log_redacted("abcdef and more than fits into it", out, 12), "<secret> an");
    CHECK_TEXT(log_redacted("", out, sizeof out), "");
    log_unredact("p/ss w\xc3\xb6rd");
    log_unredact("p/ss w\xc3\xb6rd");
    log_unredact("abcdef");
    log_unredact("abcdefghij");
}

TEST(beginning_of_a_secret_at_the_end_is_hidden)
{
    char out[64];
    log_redact("eyJ0eXAiOiJKV1QiLCJhbGciOi");
    CHECK_TEXT(log_redacted("token eyJ0eXAiOiJK", out, sizeof out), "token <secret>");
    CHECK_TEXT(log_redacted("token eyJ0eXA", out, sizeof out), "token eyJ0eXA");
    CHECK_TEXT(log_redacted("eyJ0eXAiOiJK token", out, sizeof out), "eyJ0eXAiOiJK token");
    log_unredact("eyJ0eXAiOiJKV1QiLCJhbGciOi");
}

TEST(ended_secrets_are_forgotten_late)
{
    char secret[32], out[64];
    log_redact("in-use-all-the-time");
    log_redact("the-first-token");
    log_redact("the-first-token");
    log_unredact("the-first-token");
    log_unredact("never-known");
    for (int i = 0; i < 200; i++) {
        snprintf(secret, sizeof secret, "token-number-%d", i);
        log_redact(secret);
        CHECK_TEXT(log_redacted(secret, out, sizeof out), "<secret>");
        log_unredact(secret);
    }
    CHECK_TEXT(log_redacted("in-use-all-the-time", out, sizeof out), "<secret>");
    CHECK_TEXT(log_redacted("the-first-token", out, sizeof out), "<secret>");
    CHECK_TEXT(log_redacted("token-number-199", out, sizeof out), "<secret>");
    CHECK_TEXT(log_redacted("token-number-136", out, sizeof out), "<secret>");
    CHECK_TEXT(log_redacted("(token-number-135)", out, sizeof out), "(token-number-135)");
    log_unredact("the-first-token");
    log_unredact("in-use-all-the-time");
}

TEST(repeats_are_counted_not_written)
{
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    capture_start();
    for (int i = 0; i < 4; i++)
        WRITE(i * 1000, LOG_WARN, MSG("refused"), INT("port", 80));
    WRITE(4000, LOG_WARN, MSG("refused"), INT("port", 81));
    WRITE(5000, LOG_WARN, MSG("refused"), INT("port", 80));
    const char *lines = capture_end();
    CHECK_CONTAINS(lines, "time=2026-11-21T17:00:00.000Z level=WARN source=file.c:12 msg=refused "
                          "port=80\ntime=2026-11-21T17:00:04.000Z level=WARN source=log.c:");
    CHECK_CONTAINS(
        lines, " msg=\"line before was repeated\" left_out=3\n"
               "time=2026-11-21T17:00:04.000Z level=WARN source=file.c:12 msg=refused port=81\n"
               "time=2026-11-21T17:00:05.000Z level=WARN source=file.c:12 msg=refused port=80\n");
}

TEST(repeats_are_written_again_after_a_minute)
{
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    capture_start();
    WRITE(0, LOG_WARN, MSG("again"));
    WRITE(59999, LOG_WARN, MSG("again"));
    WRITE(60000, LOG_WARN, MSG("again"));
    WRITE(61000, LOG_WARN, MSG("again"));
    WRITE(1000, LOG_WARN, MSG("again")); /* the clock was set back */
    const char *lines = capture_end();
    CHECK_CONTAINS(lines, "left_out=1\ntime=2026-11-21T17:01:00.000Z level=WARN "
                          "source=file.c:12 msg=again\n");
    CHECK_CONTAINS(lines, "left_out=1\ntime=2026-11-21T17:00:01.000Z level=WARN "
                          "source=file.c:12 msg=again\n");
}

TEST(macros_say_where_they_stand)
{
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    struct error error = { .message = "no route" };
    capture_start();
    log_debug(MSG("one"), ERR(&error));
    log_info(MSG("two"));
    log_warn(MSG("three"));
    log_error(MSG("four"));
    const char *lines = capture_end();
    CHECK_CONTAINS(lines, " level=DEBUG source=test_log.c:");
    CHECK_CONTAINS(lines, " msg=one err=\"no route\"\n");
    CHECK_CONTAINS(lines, " msg=four\n");
}

TEST(endless_values_are_cut)
{
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_JSON });
    capture_start();
    WRITE(0, LOG_INFO, MSG(text), INT("after", 1));
    const char *line = capture_end();
    CHECK(strlen(line) > 8000 && strlen(line) < 9000);
    CHECK_CONTAINS(line, "x\",\"after\":1}\n");
}

TEST(words_match_the_enums)
{
    const char *const *levels = log_options[0].words, *const *formats = log_options[1].words;
    CHECK_TEXT(levels[LOG_DEBUG], "debug");
    CHECK_TEXT(levels[LOG_ERROR], "error");
    CHECK_TEXT(levels[LOG_ERROR + 1], NULL);
    CHECK_TEXT(formats[LOG_JSON], "json");
    CHECK_TEXT(formats[LOG_JSON + 1], NULL);
}

static void *write_many(void *argument)
{
    int64_t thread = *(const int *)argument;
    for (int i = 0; i < 200; i++) {
        log_redact("a-shared-secret");
        WRITE(i, LOG_INFO, MSG("a-shared-secret"), INT("thread", thread), INT("line", i));
        log_unredact("a-shared-secret");
    }
    return NULL;
}

TEST(threads_write_whole_lines)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int numbers[THREADS];
    log_configure(&(struct log_config){ LOG_DEBUG, LOG_LOGFMT });
    capture_start();
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, write_many, &numbers[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    const char *line = capture_end();
    int whole = 0;
    for (; *line; line += strcspn(line, "\n") + 1) {
        int thread, number, end = 0;
        sscanf(line, "time=%*s level=INFO source=file.c:12 msg=<secret> thread=%d line=%d%n",
               &thread, &number, &end);
        whole += end && line[end] == '\n';
    }
    CHECK_INT(whole, THREADS * 200);
}
