#include "exporter/otlp/otlp_send.h"

#include "core/gzip.h"
#include "core/inflate.h"
#include "core/log.h"
#include "version.h"

/* An answer is a few bytes; OTLP allows 4 MiB, of which nothing would be read. */
enum { ANSWER_BYTES = 64 * 1024, OWN_HEADERS = 3 };

enum { LEVEL = 1 }; /* what is pushed once is not worth more time */

void otlp_send_pack(struct otlp_packet *packet, const struct buf *request, size_t items)
{
    buf_reset(&packet->packed);
    gzip_append(&packet->packed, request->data, request->length, LEVEL);
    packet->items = items;
}

void otlp_send_unpack(const struct otlp_packet *packet, struct buf *out)
{
    if (!inflate_append(out, packet->packed.data, packet->packed.length))
        buf_reset(out); /* never: we packed it */
}

static void exchange(struct http_client *client, const struct otlp_reach *reach,
                     const struct buf *body, int64_t now, struct otlp_answer *answer)
{
    CLEANUP(arena_finish) struct arena arena = { 0 };
    CLEANUP(http_response_finish) struct http_response response = { 0 };
    struct otlp_pair pairs[OTLP_PAIRS_MAX];
    struct http_header headers[OTLP_PAIRS_MAX + OWN_HEADERS] = {
        { "Content-Type", "application/x-protobuf" },
        { "User-Agent", "defender_exporter/" VERSION },
    };
    size_t count = 2, pair_count;
    struct error error = { 0 };
    if (reach->gzip)
        headers[count++] = (struct http_header){ "Content-Encoding", "gzip" };
    if (!otlp_config_pairs(secret_text(reach->headers), &arena, pairs, &pair_count, &error))
        pair_count = 0; /* the file has something else since it was checked */
    for (size_t i = 0; i < pair_count; i++)
        headers[count++] = (struct http_header){ pairs[i].name, pairs[i].value };
    const struct http_request request = {
        .method = "POST",
        .url = reach->url,
        .headers = headers,
        .header_count = count,
        .body = body->data,
        .body_bytes = body->length,
        .timeout_ms = reach->timeout_ms,
        .response_limit_bytes = ANSWER_BYTES,
        .response_may_be_cut = true,
        .ca_file = reach->certificate,
        .client_cert_file = reach->client_certificate,
        .client_key_file = reach->client_key,
    };
    if (!http_exchange(client, &request, &response, &error))
        response.status = 0;
    otlp_answer_read(&response, &error, now, answer);
}

void otlp_send(struct http_client *client, const struct otlp_reach *reach, enum otlp_signal signal,
               const struct otlp_packet *packet, int64_t now, struct otlp_answer *answer)
{
    CLEANUP(buf_finish) struct buf plain = { 0 };
    if (!reach->gzip)
        otlp_send_unpack(packet, &plain);
    const struct buf *body = reach->gzip ? &packet->packed : &plain;
    exchange(client, reach, body, now, answer);
    if (answer->outcome != OTLP_STRANGER || !secret_refresh(reach->headers))
        return;
    log_info(MSG("a secret was renewed, trying again"), TEXT("signal", otlp_signal_words[signal]));
    exchange(client, reach, body, now, answer);
}
