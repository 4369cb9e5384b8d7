#pragma once
/* Slack by incoming webhook or with a bot's token, Block Kit. source: Slack Block Kit reference,
 * "Blocks". */
#include "alerts/receivers/receiver.h"

struct slack_config {
    struct receiver_http http;
    struct secret url;       /* of the webhook ... */
    struct secret bot_token; /* ... or this, and where to post */
    const char *channel, *api_url;
    int url_line, api_line;
};
extern const struct option slack_options[];
extern const struct receiver_kind slack_kind;

/* Append text with & < > as entities, so that it can neither link nor mention anybody. */
void slack_escape(struct buf *out, const char *text);
