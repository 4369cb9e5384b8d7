/* Requests answered from bytes, and what else the targets share. Linked in the place of
 * http_exchange and http_client_wait by --wrap. */
#include "core/log.h"
#include "fuzz.h"

bool __wrap_http_exchange(struct http_client *client, const struct http_request *request,
                          struct http_response *response, struct error *error);
bool __wrap_http_client_wait(struct http_client *client, int64_t duration_ms);

static struct {
    const uint8_t *bytes;
    size_t count;
    bool tokens;
    wire_asked *asked;
} line;

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const struct log_config quiet = { .level = LOG_ERROR };
    (void)count, (void)arguments;
    log_configure(&quiet);
    return 0;
}

/* The bytes up to one, which is taken away, too. */
static char *take(const uint8_t **bytes, size_t *count, int end, struct arena *arena,
                  size_t *length)
{
    const uint8_t *found = *count ? memchr(*bytes, end, *count) : NULL;
    *length = found ? (size_t)(found - *bytes) : *count;
    char *text = arena_copy(arena, (const char *)*bytes, *length);
    size_t used = *length + (found != NULL);
    *bytes += used;
    *count -= used;
    return text;
}

char *fuzz_line(const uint8_t **bytes, size_t *count, struct arena *arena)
{
    size_t length;
    return take(bytes, count, '\n', arena, &length);
}

char *fuzz_piece(const uint8_t **bytes, size_t *count, struct arena *arena, size_t *length)
{
    return *count ? take(bytes, count, 0x1e, arena, length) : NULL;
}

void fuzz_response(int status, const uint8_t *bytes, size_t count, struct http_response *response)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    response->status = status;
    while (count) {
        const char *header = fuzz_line(&bytes, &count, &arena);
        if (!*header)
            break;
        if (strchr(header, ':'))
            buf_printf(&response->headers, "%s\n", header);
    }
    buf_append(&response->body, bytes, count);
}

/* --- the wire ----------------------------------------------------------------------------------
 */

void wire_open(const uint8_t *bytes, size_t count, bool tokens, wire_asked *asked)
{
    line.bytes = bytes;
    line.count = count;
    line.tokens = tokens;
    line.asked = asked;
}

bool __wrap_http_exchange(struct http_client *client, const struct http_request *request,
                          struct http_response *response, struct error *error)
{
    static const char token[] = "{\"access_token\":\"a-token\",\"expires_in\":3600}";
    CLEANUP(arena_finish) struct arena arena = { 0 };
    size_t length;
    (void)client;
    http_response_reset(response, request->response_limit_bytes);
    if (!line.tokens && strstr(request->url, "/oauth2/")) {
        fuzz_response(200, (const uint8_t *)"\n", 1, response);
        buf_text(&response->body, token);
        return true;
    }
    if (line.asked)
        line.asked(request);
    const char *piece = fuzz_piece(&line.bytes, &line.count, &arena, &length);
    size_t digits = piece ? strspn(piece, "0123456789") : 0;
    if (digits != 3 || piece[3] != '\n' || *piece == '0')
        return error_set(error, ERROR_NETWORK, "no connection");
    fuzz_response(atoi(piece), (const uint8_t *)piece + 4, length - 4, response);
    return !response->body.overflowed || error_set(error, ERROR_LIMIT, "too long");
}

bool __wrap_http_client_wait(struct http_client *client, int64_t duration_ms)
{
    (void)client;
    FUZZ_CHECK(duration_ms >= 0);
    return false;
}

void wire_session_init(struct wire_session *wire, enum auth_method method)
{
    static char secret[] = "correct-horse-battery";
    struct error error = { 0 };
    const struct auth_config auth = {
        .method = method,
        .tenant_id = "t",
        .client_id = "c",
        .client_secret = { secret },
        .authority_host = "https://login.microsoftonline.com",
        .resource_manager = "https://management.azure.com",
        .imds_endpoint = "http://169.254.169.254",
    };
    wire->metrics = metric_store_create();
    wire->auth = auth_create(&auth, wire->metrics, &error);
    const struct arm_config arm = {
        .resource_manager = auth.resource_manager,
        .microsoft_graph = { auth.resource_manager, wire->auth },
        .endpoint_api = { auth.resource_manager, wire->auth },
    };
    wire->arm = arm_create(&arm, wire->auth, wire->metrics);
    wire->session = (struct arm_session){
        .arm = wire->arm,
        .deadline_ms = INT64_MAX / 2,
        .tries = 1,
    };
}

void wire_session_finish(struct wire_session *wire)
{
    arm_destroy(wire->arm);
    auth_destroy(wire->auth);
    metric_store_destroy(wire->metrics);
}
