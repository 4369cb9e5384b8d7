#pragma once
/* What the fuzz targets have in common. None of them reaches a network: what core/http would
 * exchange is answered from the bytes (wire_open), a wait ends at once as one that is cancelled. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/azure/arm.h"
#include "core/arena.h"

/* What libFuzzer calls, of each target one; and once, before all. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
int LLVMFuzzerInitialize(int *count, char ***arguments);

/* Ends the program, which libFuzzer sees, when it is false. In every build, other than assert. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The first line of what is left, in the arena; its bytes are taken away. */
char *fuzz_line(const uint8_t **bytes, size_t *count, struct arena *arena);

/* The same up to a byte 0x1e, which parts what a target is given in pieces. NULL = none is left. */
char *fuzz_piece(const uint8_t **bytes, size_t *count, struct arena *arena, size_t *length);

/* Read "name: value" lines as headers, then a body after an empty line. */
void fuzz_response(int status, const uint8_t *bytes, size_t count, struct http_response *response);

/* --- the wire ----------------------------------------------------------------------------------
 */

/* From now on requests are answered by these pieces: "200", headers, an empty line, the body. When
 * none is left there is no connection. A token is given to who asks, unless tokens: then the bytes
 * answer that, too. asked: sees every request but those for tokens that are given; may be NULL. */
typedef void wire_asked(const struct http_request *request);
void wire_open(const uint8_t *bytes, size_t count, bool tokens, wire_asked *asked);

/* A session with Azure over it, one try a call; use with CLEANUP(wire_session_finish). */
#define WIRE_ORIGIN "https://management.azure.com:443"
struct wire_session {
    struct metric_store *metrics;
    struct auth *auth;
    struct arm *arm;
    struct arm_session session;
};
void wire_session_init(struct wire_session *wire, enum auth_method method);
void wire_session_finish(struct wire_session *wire);
