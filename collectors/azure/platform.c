#include "collectors/azure/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

enum { LOCAL_CONNECT_TIMEOUT_MS = 2000, KEY_LIMIT_BYTES = 4096 }; /* it answers at once or not */

#define IMDS_ENDPOINT "http://169.254.169.254"
#define IMDS_PATH "/metadata/identity/oauth2/token?api-version=2018-02-01"
#define APP_SERVICE_QUERY "?api-version=2019-08-01"
#define ARC_QUERY "?api-version=2020-06-01"
#define ARC_FOLDER "/var/opt/azcmagent/tokens"

/* https, loopback, or the link-local addresses the platform answers on: nothing that could carry a
 * token over a network in clear. */
static bool is_identity_endpoint(const char *url)
{
    char origin[300], rest;
    unsigned third, fourth, port;
    return http_url_is_safe(url) ||
           (http_origin(url, origin) &&
            sscanf(origin, "http://169.254.%3u.%3u:%5u%c", &third, &fourth, &port, &rest) == 3);
}

static void put_imds(const struct auth_config *config, struct buf *url)
{
    const char *host =
        auth_config_text(config->imds_endpoint, "AZURE_POD_IDENTITY_AUTHORITY_HOST", IMDS_ENDPOINT);
    size_t length = strlen(host);
    while (length && host[length - 1] == '/')
        length--;
    buf_append(url, host, length);
    buf_text(url, IMDS_PATH);
}

static bool set_up(struct credential *credential, const struct auth_config *config,
                   struct error *error)
{
    const char *endpoint = auth_config_text(NULL, "IDENTITY_ENDPOINT", "");
    const char *header = auth_config_text(NULL, "IDENTITY_HEADER", "");
    const char *arc = auth_config_text(NULL, "IMDS_ENDPOINT", "");
    CLEANUP(buf_finish) struct buf url = { 0 };
    bool elsewhere = *endpoint && !config->imds_endpoint;
    if (elsewhere && *header) {
        secret_set(&credential->secret, header);
        buf_printf(&url, "%s" APP_SERVICE_QUERY, endpoint);
    } else if (elsewhere && *arc) {
        credential->key_folder = memory_copy(config->arc_folder ? config->arc_folder : ARC_FOLDER);
        buf_printf(&url, "%s" ARC_QUERY, endpoint);
    } else {
        put_imds(config, &url);
    }
    credential->endpoint = memory_copy(buf_cstr(&url));
    if (!is_identity_endpoint(credential->endpoint))
        return error_set(error, ERROR_CONFIG,
                         "the managed identity endpoint must be https, loopback or link-local");
    if (credential->key_folder && *credential->client_id)
        return error_set(error, ERROR_CONFIG,
                         "a machine of Azure Arc has one identity: remove azure.client_id and "
                         "AZURE_CLIENT_ID");
    return true;
}

static bool ask(const struct credential *credential, const struct credential_ask *ask,
                const char *name, const char *value, struct http_response *response,
                struct error *error)
{
    CLEANUP(buf_finish) struct buf url = { 0 };
    buf_text(&url, credential->endpoint);
    credential_add_field(&url, "resource", credential->audience);
    if (*credential->client_id)
        credential_add_field(&url, "client_id", credential->client_id);
    const struct http_header headers[] = { { name, value }, { "Metadata", "true" } };
    struct http_request request = {
        .method = "GET",
        .url = buf_cstr(&url),
        .headers = headers,
        .header_count = 1 + (credential->key_folder && strcmp(name, "Metadata") != 0),
        .connect_timeout_ms = LOCAL_CONNECT_TIMEOUT_MS,
        .no_proxy = true,
    };
    return credential_send(ask, &request, response, error);
}

/* --- Azure Arc ----------------------------------------------------------------------------- */

static void close_file(int *file)
{
    if (*file >= 0)
        close(*file);
}

/* The name of a file right in the folder, or NULL. */
static const char *name_in(const char *folder, const char *path)
{
    static const char end[] = ".key";
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0 || path[length] != '/')
        return NULL;
    const char *name = path + length + 1;
    size_t bytes = strlen(name);
    return bytes >= sizeof end && *name != '.' && !strchr(name, '/') &&
                   strcmp(name + bytes - (sizeof end - 1), end) == 0
               ? name
               : NULL;
}

/* Open what may be sent; -1 and *error when it is something else. */
static int open_key(const char *folder, const char *path, struct error *error)
{
    struct stat own = { 0 }, its = { 0 };
    const char *name = name_in(folder, path);
    if (!name) {
        error_set(error, ERROR_AUTH, "azure arc names a key file that is no .key right in %s",
                  folder);
        return -1;
    }
    CLEANUP(close_file) int place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = place < 0 || fstat(place, &its)
                   ? -1
                   : openat(place, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &own)) {
        error_set(error, ERROR_AUTH, "key file of azure arc %s: %s%s", path, strerror(errno),
                  errno == EACCES ? "; add the user to the group himds" : "");
        close_file(&file);
        return -1;
    }
    if (S_ISREG(own.st_mode) && own.st_size <= KEY_LIMIT_BYTES &&
        (own.st_uid == 0 || own.st_uid == its.st_uid))
        return file;
    error_set(error, ERROR_AUTH, "key file of azure arc %s: %s", path,
              !S_ISREG(own.st_mode)           ? "is no plain file"
              : own.st_size > KEY_LIMIT_BYTES ? "is larger than 4096 bytes"
                                              : "is of another owner than its folder");
    close(file);
    return -1;
}

bool platform_read_key(const char *folder, const char *path, struct secret *key,
                       struct error *error)
{
    char text[KEY_LIMIT_BYTES + 1];
    CLEANUP(close_file) int file = open_key(folder, path, error);
    if (file < 0)
        return false;
    ssize_t got = read(file, text, KEY_LIMIT_BYTES);
    if (got > 0) {
        text[got] = 0;
        text[strcspn(text, "\r\n")] = 0;
        secret_set(key, text);
    }
    explicit_bzero(text, sizeof text);
    return got > 0 || error_set(error, ERROR_AUTH, "key file of azure arc %s: %s", path,
                                got ? strerror(errno) : "is empty");
}

/* The file named by "Basic realm=...", or NULL. */
static const char *realm_of(char *header)
{
    static const char start[] = "Basic realm=";
    if (strncasecmp(header, start, sizeof start - 1) != 0)
        return NULL;
    char *path = header + sizeof start - 1;
    path += *path == '"';
    path[strcspn(path, "\", ")] = 0;
    return path;
}

/* Arc proves that we may read its folder: its 401 names a file, whose text is asked with again. */
static bool answer_challenge(const struct credential *credential,
                             const struct credential_ask *arguments, struct http_response *response,
                             struct error *error)
{
    char header[1024];
    CLEANUP(secret_finish) struct secret key = { 0 };
    CLEANUP(credential_wipe) struct buf basic = { 0 };
    const char *path =
        http_header(response, "WWW-Authenticate", header, sizeof header) ? realm_of(header) : NULL;
    if (!path)
        return error_set(error, ERROR_AUTH, "azure arc answered 401 without a key file's name");
    if (!platform_read_key(credential->key_folder, path, &key, error))
        return false;
    buf_reserve(&basic, KEY_LIMIT_BYTES + 16);
    buf_printf(&basic, "Basic %s", secret_text(&key));
    return ask(credential, arguments, "Authorization", buf_cstr(&basic), response, error);
}

/* --- a token ------------------------------------------------------------------------------- */

/* Whether nothing here has an identity, so that another way may be tried: nobody answers where IMDS
 * would, or it knows none. What the environment names is there. source: Azure Identity. */
static bool is_absent(const struct credential *credential, const struct http_response *response,
                      const struct error *error)
{
    bool imds = !credential->key_folder && !secret_text(&credential->secret);
    return imds && (!response->status ? error->code == ERROR_NETWORK || error->code == ERROR_TIMEOUT
                                      : response->status == 400 || response->status == 403);
}

static bool fetch(struct credential *credential, const struct credential_ask *arguments,
                  struct credential_token *token, struct error *error)
{
    CLEANUP(credential_wipe_response) struct http_response response = { 0 };
    const char *key = secret_text(&credential->secret);
    bool answered = ask(credential, arguments, key ? "X-IDENTITY-HEADER" : "Metadata",
                        key ? key : "true", &response, error);
    if (answered && credential->key_folder && response.status == 401)
        answered = answer_challenge(credential, arguments, &response, error);
    bool ok = answered && credential_take(credential, &response, true, token, error);
    token->absent = !ok && is_absent(credential, &response, error);
    return answered ? ok : error_wrap(error, "managed identity");
}

const struct credential_kind platform_managed_identity = { "managed identity",
                                                           "managed identity refused", set_up,
                                                           fetch };
