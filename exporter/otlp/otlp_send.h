#pragma once
/* One request to a receiver: what OTLP/HTTP wants around a message. */
#include "exporter/otlp/otlp_answer.h"

/* A message, compressed. */
struct otlp_packet {
    struct buf packed; /* gzip */
    size_t items;      /* data points, log records or events in it */
};

/* Compress a request into a packet, zeroed or used before. */
void otlp_send_pack(struct otlp_packet *packet, const struct buf *request, size_t items);

/* Append the request that is in it. */
void otlp_send_unpack(const struct otlp_packet *packet, struct buf *request);

/* Post it, once; once more when it was refused and the file of the headers says something else by
 * now. now: for Retry-After. */
void otlp_send(struct http_client *client, const struct otlp_reach *reach, enum otlp_signal signal,
               const struct otlp_packet *packet, int64_t now, struct otlp_answer *answer);
