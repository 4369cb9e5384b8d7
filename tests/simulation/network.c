/* Azure and the receivers, as a simulated life reaches them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/compiler.h"
#include "core/json.h"
#include "route.h"
#include "world.h"

enum { PAIRS_MAX = 40, WIRE_BYTES = 64, HANDFUL_MS = 200, SLOW_MS = 25000, RETRY_AFTER_S = 300 };
enum { SURELY_MS = 4000 }; /* no receiver is given up so soon */

/* What stands in request->connection. */
struct connection {
    struct {
        const char *name, *value;
    } parameters[PAIRS_MAX], headers[PAIRS_MAX];
    size_t parameter_count, header_count;
};

const char *request_parameter(const struct request *request, const char *name)
{
    const struct connection *of = request->connection;
    for (size_t i = 0; i < of->parameter_count; i++)
        if (!strcmp(of->parameters[i].name, name))
            return of->parameters[i].value;
    return NULL;
}

const char *request_header(const struct request *request, const char *name)
{
    const struct connection *of = request->connection;
    for (size_t i = 0; i < of->header_count; i++)
        if (!strcasecmp(of->headers[i].name, name))
            return of->headers[i].value;
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c - 'A' + 10;
}

/* Decode %20 in place. */
static char *decode(char *text)
{
    char *out = text;
    for (const char *at = text; *at; at++)
        if (*at == '%' && at[1] && at[2]) {
            *out++ = (char)(digit_of(at[1]) * 16 + digit_of(at[2]));
            at += 2;
        } else {
            *out++ = *at == '+' ? ' ' : *at;
        }
    *out = 0;
    return text;
}

/* Cut the text at the first of these letters; what follows, or NULL. */
static char *cut_at(char *text, char letter)
{
    char *at = text ? strchr(text, letter) : NULL;
    if (!at)
        return NULL;
    *at = 0;
    return at + 1;
}

static void read_parameters(struct connection *of, char *query)
{
    for (char *next; query && *query && of->parameter_count < PAIRS_MAX; query = next) {
        next = cut_at(query, '&');
        char *value = cut_at(query, '=');
        of->parameters[of->parameter_count].name = decode(query);
        of->parameters[of->parameter_count++].value = value ? decode(value) : "";
    }
}

/* Returns where the body begins. */
static const char *read_headers(struct connection *of, char *line)
{
    while (line && *line != '\n') {
        char *next = cut_at(line, '\n');
        char *value = cut_at(line, ':');
        if (value && of->header_count < PAIRS_MAX) {
            of->headers[of->header_count].name = line;
            of->headers[of->header_count++].value = value + strspn(value, " ");
        }
        line = next;
    }
    return line ? line + 1 : "";
}

/* --- Azure ------------------------------------------------------------------------------------ */

static void take_file(FILE *file, struct buf *out)
{
    char piece[4096];
    size_t count;
    rewind(file);
    while ((count = fread(piece, 1, sizeof piece, file)) > 0)
        buf_append(out, piece, count);
    fclose(file);
}

/* A body that is sent with a fault. */
static void wire(const struct fault *fault, struct stage_answer *answer, const struct buf *body)
{
    if (fault->name == FAULT_CUT)
        answer->outcome = STAGE_BROKEN;
    else
        answer->delay_ms += fault->ms * (int64_t)(body->length / WIRE_BYTES + 1);
}

static void ask_azure(struct world *world, struct request *request, struct stage_answer *answer,
                      struct buf *headers, struct buf *body)
{
    struct answer given = { 0 };
    char date[32];
    route_answer(request, &given);
    world->requests++;
    if (given.reply.file)
        take_file(given.reply.file, &given.reply.body);
    answer->outcome = given.hang ? STAGE_SILENT : STAGE_ANSWERED;
    answer->status = (uint32_t)given.reply.status;
    if (given.wired)
        wire(&given.wire, answer, &given.reply.body);
    buf_printf(headers, "Content-Type: %s\nx-ms-request-id: %llu\nx-now: %s\n", given.reply.type,
               (unsigned long long)world->requests, clock_format_rfc3339(clock_now_s(), date));
    for (size_t i = 0; i < given.reply.header_count; i++)
        buf_printf(headers, "%s: %s\n", given.reply.headers[i].name, given.reply.headers[i].value);
    buf_append(body, given.reply.body.data, given.reply.body.length);
    buf_finish(&given.reply.body);
}

/* --- receivers -------------------------------------------------------------------------------- */

/* Whether it took the message, and what it says. */
static bool receive(struct world *world, enum mood mood, struct stage_answer *answer,
                    struct buf *headers, uint64_t *retry_after_s)
{
    if (mood == MOOD_FLAPPING)
        mood = (enum mood)world_dice(world, MOOD_FLAPPING);
    answer->status = mood == MOOD_BUSY ? 503 : mood == MOOD_THROTTLED ? 429 : 200;
    answer->outcome = mood == MOOD_SILENT   ? STAGE_SILENT
                      : mood == MOOD_BROKEN ? STAGE_BROKEN
                      : mood == MOOD_GONE   ? STAGE_REFUSED
                                            : STAGE_ANSWERED;
    if (mood == MOOD_SLOW)
        answer->delay_ms += (int64_t)world_dice(world, SLOW_MS);
    *retry_after_s = mood == MOOD_THROTTLED ? world_dice(world, RETRY_AFTER_S) : 0;
    if (mood == MOOD_THROTTLED)
        buf_printf(headers, "Retry-After: %llu\n", (unsigned long long)*retry_after_s);
    return mood != MOOD_BUSY && mood != MOOD_THROTTLED && mood != MOOD_GONE;
}

static void ask_receiver(struct world *world, const struct request *request, const char *host,
                         struct stage_answer *answer, struct buf *headers, struct buf *body)
{
    const char *id = request_header(request, "webhook-id");
    uint64_t retry_after_s;
    bool taken = receive(world, world->mood, answer, headers, &retry_after_s);
    bool answered = answer->outcome == STAGE_ANSWERED && answer->delay_ms < SURELY_MS;
    world->messages += taken;
    world_note(world, "message",
               "\"receiver\":\"%s\",\"id\":\"%s\",\"taken\":%s,\"answered\":%s,"
               "\"retry_after\":%llu,\"body\":%s",
               host, id ? id : "", taken ? "true" : "false", answered ? "true" : "false",
               (unsigned long long)retry_after_s,
               request->body.length ? buf_cstr(&request->body) : "null");
    buf_text(body, "ok");
}

/* --- both ------------------------------------------------------------------------------------- */

void network_answer(struct world *world, const struct buf *question, struct stage_answer *answer,
                    struct buf *headers, struct buf *body)
{
    struct connection connection = { 0 };
    char *text = strdup(buf_cstr(question));
    char *head = cut_at(text, '\n'), *url = cut_at(text, ' ');
    const char *rest = read_headers(&connection, head);
    char *host = url ? strstr(url, "://") : NULL;
    host = host ? host + 3 : text;
    char *path = cut_at(host, '/');
    char *query = cut_at(path, '?');
    CLEANUP(buf_finish) struct buf full = { 0 };
    buf_printf(&full, "/%s", path ? path : "");
    read_parameters(&connection, query);
    struct request request = {
        .fake = world->fake,
        .connection = &connection,
        .method = text,
        .path = decode(full.data),
    };
    size_t before = (size_t)(rest - text);
    if (rest >= text && before <= question->length)
        buf_append(&request.body, question->data + before, question->length - before);
    snprintf(request.origin, sizeof request.origin, "http://%s", host);
    *answer = (struct stage_answer){ .delay_ms = 20 + (int64_t)world_dice(world, HANDFUL_MS) };
    if (!strncmp(host, "127.0.0.1", 9))
        ask_azure(world, &request, answer, headers, body);
    else
        ask_receiver(world, &request, host, answer, headers, body);
    buf_finish(&request.body);
    free(text);
}
