#include "core/http_mail.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/memory.h"

/* --- the greeting -------------------------------------------------------------------------- */

static bool is_qualified(const char *name)
{
    size_t length = strlen(name);
    const char *dot = strchr(name, '.');
    return dot && dot != name && dot[1] && strncasecmp(name, "localhost", 9) != 0 &&
           length == strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-");
}

const char *http_mail_hello(const char *from, char out[256])
{
    const char *at = strrchr(from, '@');
    if (gethostname(out, 255) != 0)
        *out = 0;
    out[255] = 0;
    if (!is_qualified(out) && at && at[1])
        snprintf(out, 256, "%s", at + 1);
    return out;
}

void http_mail_url(const char *relay_url, const char *hello, const char *from, struct buf *out)
{
    char host[256];
    buf_printf(out, "%s/%s", relay_url, hello ? hello : http_mail_hello(from, host));
}

/* --- what is handed over -------------------------------------------------------------------- */

bool http_mail_is_address(const char *address)
{
    return *address && !strpbrk(address, "\r\n<> ");
}

size_t http_mail_give(char *out, size_t size, size_t count, void *context)
{
    struct http_mail_letter *letter = context;
    size_t length = size * count < letter->left ? size * count : letter->left;
    memcpy(out, letter->at, length);
    letter->at += length;
    letter->left -= length;
    return length;
}

/* --- what the relay said ------------------------------------------------------------------- */

/* A reply's last line: its status and what follows up to the line's end. */
struct reply {
    int status;
    const char *line;
};

/* The replies in order; the caller frees them. */
static struct reply *read_replies(const char *lines, size_t *count)
{
    struct reply *replies = NULL;
    size_t room = 0;
    *count = 0;
    for (const char *line = lines; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (!isdigit((unsigned char)line[0]) || !isdigit((unsigned char)line[1]) ||
            !isdigit((unsigned char)line[2]) || line[3] == '-')
            continue;
        MEMORY_GROW(replies, *count, room);
        int status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
        replies[(*count)++] = (struct reply){ status, line };
    }
    return replies;
}

static bool is_accepted(const struct reply *reply)
{
    return reply->status / 100 == 2;
}

static void name_refused(const char *const *to, size_t to_count, const struct reply *replies,
                         struct http_response *response)
{
    for (size_t i = 0; i < to_count; i++) {
        if (is_accepted(&replies[i]))
            continue;
        buf_printf(&response->refused, "%s: %.*s\n", to[i], (int)strcspn(replies[i].line, "\n"),
                   replies[i].line);
        if (replies[i].status / 100 == 4)
            buf_printf(&response->later, "%s\n", to[i]);
        response->refused_count++;
    }
}

/* The reply with the last status; what follows it is the farewell. */
static size_t find_answer(const struct reply *replies, size_t count, int status)
{
    for (size_t i = count; i > 0; i--)
        if (replies[i - 1].status == status)
            return i - 1;
    return count;
}

/* All recipients were refused when each of the last replies refuses: the one that may be accepted
 * later decides. Returns which reply does. */
static size_t judge_refusal(const char *const *to, size_t to_count, const struct reply *replies,
                            size_t answer, struct http_response *response)
{
    size_t decides = answer;
    if (answer + 1 < to_count)
        return answer;
    size_t first = answer + 1 - to_count;
    for (size_t i = first; i <= answer; i++) {
        if (is_accepted(&replies[i]))
            return answer;
        if (replies[i].status / 100 == 4)
            decides = i;
    }
    name_refused(to, to_count, &replies[first], response);
    return decides;
}

void http_mail_read(const char *const *to, size_t to_count, struct http_response *response)
{
    size_t count, go = 0;
    struct reply *replies = read_replies(buf_cstr(&response->headers), &count);
    while (go < count && replies[go].status != 354) /* go on with the text */
        go++;
    size_t answer = find_answer(replies, count, response->status);
    if (go < count && go >= to_count)
        name_refused(to, to_count, &replies[go - to_count], response);
    else if (answer < count && response->status >= 400)
        answer = judge_refusal(to, to_count, replies, answer, response);
    if (answer < count) {
        response->status = replies[answer].status;
        buf_append(&response->body, replies[answer].line, strcspn(replies[answer].line, "\n"));
    }
    free(replies);
}
