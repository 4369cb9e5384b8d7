#include "collectors/azure/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collectors/azure/token.h"
#include "core/bounds.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/memory.h"

enum { REQUEST_TIMEOUT_MS = 30000, ANSWER_LIMIT_BYTES = 256 << 10, DESCRIPTION_MAX = 400 };

/* --- life ---------------------------------------------------------------------------------- */

static char *without_slashes(const char *text)
{
    char *copy = memory_copy(text);
    for (size_t length = strlen(copy); length && copy[length - 1] == '/';)
        copy[--length] = 0;
    return copy;
}

bool credential_init(struct credential *credential, const struct credential_kind *kind,
                     const struct auth_config *config, struct error *error)
{
    *credential = (struct credential){
        .kind = kind,
        .algorithm = config->algorithm,
        .tenant_id = memory_copy(auth_config_tenant_id(config)),
        .client_id = memory_copy(auth_config_text(config->client_id, "AZURE_CLIENT_ID", "")),
        .authority_host = without_slashes(auth_config_authority(config)),
        .audience = memory_copy(auth_config_audience(config)),
    };
    return kind->set_up(credential, config, error);
}

void credential_finish(struct credential *credential)
{
    char *texts[] = { credential->tenant_id, credential->client_id, credential->authority_host,
                      credential->audience,  credential->file,      credential->endpoint,
                      credential->key_folder };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        free(texts[i]);
    secret_finish(&credential->secret);
    *credential = (struct credential){ 0 };
}

/* What changes when a file is written anew or replaced, also by a link to another. */
static uint64_t file_stamp(const char *path)
{
    struct stat now;
    if (!path || stat(path, &now))
        return 0;
    const int64_t parts[] = { (int64_t)now.st_ino, now.st_size, now.st_mtim.tv_sec,
                              now.st_mtim.tv_nsec };
    return hash_bytes(parts, sizeof parts);
}

uint64_t credential_stamp(const struct credential *credential)
{
    return file_stamp(credential->file) ^ file_stamp(credential->secret.file);
}

void credential_wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->capacity);
    buf_finish(buf);
}

void credential_wipe_response(struct http_response *response)
{
    credential_wipe(&response->body);
    http_response_finish(response);
}

/* --- answers ------------------------------------------------------------------------------- */

/* What the common refusals mean. source: Microsoft Entra authentication error codes. */
static const struct {
    const char *code, *meaning;
} refusals[] = {
    { "AADSTS7000215:", "client secret refused" },
    { "AADSTS7000222:", "client secret expired" },
    { "AADSTS7000218:", "client secret missing" },
    { "AADSTS700016:", "application not found in the tenant" },
    { "AADSTS7000112:", "application disabled" },
    { "AADSTS90002:", "tenant not found" },
    { "AADSTS900023:", "tenant id not valid" },
    { "AADSTS900021:", "tenant id not valid" },
    { "AADSTS70021:", "federated token refused" },
    { "AADSTS700211:", "federated token refused: unknown issuer" },
    { "AADSTS700212:", "federated token refused: unknown audience" },
    { "AADSTS700213:", "federated token refused: unknown subject" },
    { "AADSTS700023:", "client certificate refused: wrong authority host or tenant" },
    { "AADSTS700024:", "assertion expired, or a clock is wrong" },
    { "AADSTS700027:", "client certificate refused: not one of the application's" },
    { "AADSTS500011:", "audience not known in the tenant" },
    { "AADSTS53003:", "blocked by a conditional access policy" },
    { "AADSTS530003:", "blocked by a conditional access policy" },
};

static const char *refusal_meaning(const struct credential *credential, const char *description)
{
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++)
        if (!strncmp(description, refusals[i].code, strlen(refusals[i].code)))
            return refusals[i].meaning;
    return credential->kind->refused;
}

/* The first line without the ids that differ each time and without its full stop. */
static void trim_description(char *text)
{
    char *trace = strstr(text, " Trace ID:");
    if (trace)
        *trace = 0;
    size_t length = strcspn(text, "\r\n");
    while (length && (text[length - 1] == '.' || text[length - 1] == ' '))
        length--;
    text[length] = 0;
}

/* The sentence in an answer: Entra ID and IMDS have one member for it, App Service another. */
static const char *description_of(const struct json *body)
{
    const char *text = json_text(json_get(body, "error_description"));
    text = text ? text : json_text(json_get(body, "message"));
    return text ? text : "";
}

static bool refused(const struct credential *credential, const struct http_response *response,
                    bool is_local, struct error *error)
{
    int status = response->status;
    enum error_code code = status == 429 ? ERROR_THROTTLED
                           : status >= 500 || (is_local && (status == 404 || status == 410))
                               ? ERROR_SERVER
                               : ERROR_AUTH;
    struct error ignored;
    struct json *body = json_parse(buf_cstr(&response->body), response->body.length, &ignored);
    const char *word = json_text(json_get(body, "error"));
    char text[DESCRIPTION_MAX];
    snprintf(text, sizeof text, "%s", description_of(body));
    trim_description(text);
    if (code == ERROR_AUTH && *text)
        error_set(error, code, "%s: %s", refusal_meaning(credential, text), text);
    else
        error_set(error, code, "token endpoint answered %d%s%.60s%s%s", status, word ? " " : "",
                  word ? word : "", *text ? ": " : "", text);
    json_free(body);
    error->http_status = status;
    error->retry_after_s =
        bounds_integer(BOUND_RETRY_AFTER_S, http_retry_after_s(response, clock_now_s()));
    return false;
}

/* --- requests ------------------------------------------------------------------------------ */

void credential_add_field(struct buf *out, const char *name, const char *value)
{
    if (out->length)
        buf_char(out, '&');
    buf_text(out, name);
    buf_char(out, '=');
    http_escape(out, value);
}

bool credential_send(const struct credential_ask *ask, struct http_request *request,
                     struct http_response *response, struct error *error)
{
    int64_t left_ms = ask->endpoints_ms - clock_monotonic_ms();
    if (left_ms <= 0)
        return error_set(error, ERROR_TIMEOUT, "no time left to ask for a token");
    request->timeout_ms = left_ms < REQUEST_TIMEOUT_MS ? left_ms : REQUEST_TIMEOUT_MS;
    request->response_limit_bytes = ANSWER_LIMIT_BYTES;
    bool answered = http_exchange(ask->client, request, response, error);
    if (answered || error->code == ERROR_NETWORK || error->code == ERROR_TIMEOUT)
        meter_request(ask->meter, METER_TOKEN, response->status, response->duration_ms);
    return answered;
}

bool credential_take(const struct credential *credential, const struct http_response *response,
                     bool is_local, struct credential_token *token, struct error *error)
{
    if (response->status != 200)
        return refused(credential, response, is_local, error);
    return token_read(&response->body, http_sent_at(response, clock_now_s()), &token->text,
                      &token->life_s, error);
}
