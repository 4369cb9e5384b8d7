#pragma once
/* Slack with a bot's token: the methods of the Web API that make a thread, and their answers.
 * source: Slack Web API reference: chat.postMessage, chat.update, conversations.history and
 * conversations.replies; "Message metadata". */
#include "alerts/receivers/slack.h"

/* Start the request of the step: its method, the token. */
void slack_bot_prepare(const struct slack_config *config, const struct receiver_context *context,
                       struct receiver_request *request);

/* Add to the opened body where the message goes, and its id, by which RECEIVER_SEEK finds it.
 * is_heard: a reply is shown in the channel, too. */
void slack_bot_address(const struct slack_config *config, const struct receiver_context *context,
                       const struct notification *notification, bool is_heard,
                       struct json_writer *writer);

/* What an answer means, by its `error` where `ok` is false. is_certain: not NULL; false when the
 * message may have arrived all the same. */
struct receiver_verdict slack_bot_judge(const struct http_response *response,
                                        const struct error *error, bool *is_certain);

/* receiver_kind.read. */
struct receiver_verdict slack_bot_read(enum receiver_step step,
                                       const struct http_response *response,
                                       const struct error *error, struct receiver_thread *thread);
