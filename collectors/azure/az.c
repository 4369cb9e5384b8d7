#include "collectors/azure/az.h"

#include <stdio.h>
#include <string.h>

#include "collectors/azure/token.h"
#include "core/clock.h"
#include "core/command.h"
#include "core/json.h"

enum { TIMEOUT_MS = 30000, OUTPUT_LIMIT_BYTES = 64 << 10, SAID_MAX = 300 };

static bool set_up(struct credential *credential, const struct auth_config *config,
                   struct error *error)
{
    (void)config;
    const char *tenant = credential->tenant_id; /* an argument of a program: no option of it */
    return *tenant != '-' ||
           error_set(error, ERROR_CONFIG, "the tenant id is neither an id nor a domain name");
}

/* az says "accessToken", and in newer versions when it ends; "expiresOn" is in some local time. */
bool az_read(const char *text, size_t length, int64_t now, struct credential_token *token,
             struct error *error)
{
    CLEANUP(credential_wipe) struct buf body = { 0 };
    struct json_writer writer = { .out = &body };
    struct json *document = json_parse(text, length, error);
    if (!document)
        return error_wrap(error, "az");
    double at = json_number(json_get(document, "expires_on"), 0);
    buf_reserve(&body, OUTPUT_LIMIT_BYTES);
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "access_token", json_text(json_get(document, "accessToken")));
    if (at > 0)
        json_add_number(&writer, "expires_on", at);
    json_close(&writer, '}');
    json_free(document);
    return token_read(&body, now, &token->text, &token->life_s, error);
}

static bool goes_on(void *context)
{
    return http_client_wait(context, 0);
}

/* What it complained of, in a line. */
static bool failed(const struct buf *said, int status, struct error *error)
{
    const char *text = buf_cstr(said) + strspn(buf_cstr(said), " \r\n");
    if (!strncmp(text, "ERROR: ", 7))
        text += 7;
    size_t length = strcspn(text, "\r\n");
    while (length && (text[length - 1] == '.' || text[length - 1] == ' '))
        length--;
    if (length > SAID_MAX)
        length = SAID_MAX;
    return error_set(error, ERROR_AUTH, "az ended with %d%s%.*s", status, length ? ": " : "",
                     (int)length, text);
}

static bool fetch(struct credential *credential, const struct credential_ask *ask,
                  struct credential_token *token, struct error *error)
{
    CLEANUP(credential_wipe) struct buf out = { .limit_bytes = OUTPUT_LIMIT_BYTES };
    CLEANUP(buf_finish) struct buf said = { .limit_bytes = OUTPUT_LIMIT_BYTES };
    bool tenant = *credential->tenant_id;
    const char *const words[] = { "az",
                                  "account",
                                  "get-access-token",
                                  "--resource",
                                  credential->audience,
                                  "--output",
                                  "json",
                                  tenant ? "--tenant" : NULL,
                                  credential->tenant_id,
                                  NULL };
    int64_t most_ms = clock_monotonic_ms() + TIMEOUT_MS;
    const struct command command = {
        .words = words,
        .deadline_ms = ask->deadline_ms < most_ms ? ask->deadline_ms : most_ms,
        .goes_on = goes_on,
        .context = ask->client,
    };
    int status = 0;
    buf_reserve(&out, OUTPUT_LIMIT_BYTES);
    if (!command_run(&command, &out, &said, &status, error)) {
        token->absent = error->code == ERROR_NOT_FOUND;
        if (token->absent)
            error->code = ERROR_AUTH;
        return false;
    }
    return status ? failed(&said, status, error)
                  : az_read(buf_cstr(&out), out.length, clock_now_s(), token, error);
}

const struct credential_kind az_command_line = { "az command line", "token refused", set_up,
                                                 fetch };
