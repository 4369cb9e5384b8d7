#include "platform.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/hash.h"
#include "token.h"

#define ARC_FOLDER "/var/opt/azcmagent/tokens" /* as its clients see it */

static void refuse(struct reply *reply, int status, const char *error, const char *what)
{
    struct json_writer writer = { .out = &reply->body };
    reply->status = status;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "error", error);
    json_add_text(&writer, "error_description", what);
    json_close(&writer, '}');
}

/* The token and its times, which are texts. relative: expires_in, too. */
static void answer(struct request *request, struct reply *reply, bool relative)
{
    const struct fake_options *options = &request->fake->options;
    const struct fault *skew = faults_state(&request->fake->faults, FAULT_SKEW);
    const struct fault *date = faults_state(&request->fake->faults, FAULT_EXPIRES_ON);
    const char *resource = request_parameter(request, "resource");
    int64_t now = clock_now_s() + (skew ? skew->seconds : 0);
    CLEANUP(buf_finish) struct buf token = { 0 };
    struct json_writer writer = { .out = &reply->body };
    char text[32];
    token_issue(request, "managed-identity", resource, &token);
    reply->status = 200;
    json_open(&writer, NULL, '{');
    json_add_text(&writer, "access_token", buf_cstr(&token));
    json_add_text(&writer, "client_id", options->client_id);
    snprintf(text, sizeof text, "%ld", options->token_lifetime_s);
    if (relative && !date) {
        json_add_text(&writer, "expires_in", text);
        json_add_text(&writer, "ext_expires_in", text);
    }
    snprintf(text, sizeof text, "%lld", (long long)now + options->token_lifetime_s);
    if (date) {
        time_t end = (time_t)(now + options->token_lifetime_s);
        struct tm parts;
        strftime(text, sizeof text,
                 strcmp(date->body, "us") == 0 ? "%m/%d/%Y %I:%M:%S %p +00:00" : "%FT%TZ",
                 gmtime_r(&end, &parts));
    }
    json_add_text(&writer, "expires_on", text);
    snprintf(text, sizeof text, "%lld", (long long)now - 300);
    json_add_text(&writer, "not_before", text);
    json_add_text(&writer, "resource", resource);
    json_add_text(&writer, "token_type", "Bearer");
    json_close(&writer, '}');
}

static bool is_foreign(const struct request *request)
{
    const char *client = request_parameter(request, "client_id");
    return client && strcasecmp(client, request->fake->options.client_id) != 0;
}

/* --- Azure Arc ------------------------------------------------------------------------------- */

/* Write a new key, which only who may read the folder can send back, and name its file. */
static void challenge(struct request *request, struct reply *reply)
{
    struct fake *fake = request->fake;
    char name[37], path[500];
    hash_uuid(name);
    hash_uuid(fake->arc_key);
    snprintf(path, sizeof path, "%s/%s.key", fake->options.arc_keys, name);
    FILE *file = fopen(path, "we");
    if (file) {
        fchmod(fileno(file), 0640);
        fputs(fake->arc_key, file);
        fclose(file);
    }
    refuse(reply, 401, "unauthorized_client", "Basic authorization is required.");
    reply_header(reply, "WWW-Authenticate", "Basic realm=" ARC_FOLDER "/%s.key", name);
}

static void answer_arc(struct request *request, struct reply *reply)
{
    const char *header = request_header(request, "Authorization");
    char *key = request->fake->arc_key;
    if (!header) {
        challenge(request, reply);
        return;
    }
    if (strncmp(header, "Basic ", 6) != 0 || !*key || strcmp(header + 6, key) != 0) {
        refuse(reply, 401, "unauthorized_client", "The key is not the one that was named.");
        return;
    }
    *key = 0; /* once */
    answer(request, reply, true);
}

/* --- what is asked --------------------------------------------------------------------------- */

void platform_local(struct request *request, struct reply *reply)
{
    const char *metadata = request_header(request, "Metadata");
    bool arc = request->fake->options.arc_keys;
    const char *version = request_parameter(request, "api-version");
    if (!metadata || strcmp(metadata, "true") != 0)
        refuse(reply, 400, "invalid_request", "Required metadata header not specified");
    else if (!request_parameter(request, "resource") || !version)
        refuse(reply, 400, "invalid_request",
               "Required query variable 'resource' or 'api-version' is missing");
    else if (arc && strcmp(version, "2019-11-01") != 0 && strcmp(version, "2020-06-01") != 0)
        refuse(reply, 400, "invalid_request", "The api-version is not supported");
    else if (is_foreign(request))
        refuse(reply, 400, "invalid_request", "Identity not found");
    else if (arc)
        answer_arc(request, reply);
    else
        answer(request, reply, true);
}

/* App Service's own form of an error. */
static void refuse_app_service(struct reply *reply, int status, const char *what)
{
    char id[37];
    reply->status = status;
    buf_printf(&reply->body, "{\"statusCode\":%d,\"message\":\"%s\",\"correlationId\":\"%s\"}",
               status, what, hash_uuid(id));
}

void platform_app_service(struct request *request, struct reply *reply)
{
    const char *header = request_header(request, "X-IDENTITY-HEADER");
    const char *version = request_parameter(request, "api-version");
    if (!header || strcmp(header, request->fake->options.identity_header) != 0)
        refuse_app_service(reply, 401, "Unauthorized");
    else if (!version || strcmp(version, "2019-08-01") != 0)
        refuse_app_service(reply, 400, "The api-version is not supported.");
    else if (!request_parameter(request, "resource"))
        refuse_app_service(reply, 400, "The resource parameter is missing.");
    else if (is_foreign(request))
        refuse_app_service(reply, 400,
                           "No User Assigned or Delegated Managed Identity found for specified "
                           "ClientId/ResourceId/PrincipalId.");
    else
        answer(request, reply, false);
}
