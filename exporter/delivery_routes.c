#include "exporter/delivery_routes.h"

#include <string.h>

#include "exporter/acting.h"
#include "exporter/pages/message_page.h"

/* What was done, by the word of the URL. */
static const char *done_of(const struct web_request *request)
{
    static const struct {
        const char *word, *text;
    } done[] = {
        { "retry", "The message waits again, and what was held back for its sake." },
        { "drop", "The message is given up, or forgotten when it was already." },
    };
    const char *word = web_request_query(request, "done");
    for (size_t i = 0; word && i < ARRAY_COUNT(done); i++)
        if (!strcmp(done[i].word, word))
            return done[i].text;
    return "";
}

void delivery_routes_list(void *source, const struct web_request *request,
                          struct web_response *response)
{
    CLEANUP(acting_finish) struct acting acting;
    struct error error;
    const char *state = web_request_query(request, "state");
    if (!acting_begin(source, request, response, &acting))
        return;
    struct delivery_page asked = {
        .settings = acting.context.settings,
        .database = acting.database,
        .list = { .receiver = web_request_query(request, "receiver"),
                  .state = OUTBOX_DEAD,
                  .before = web_request_query(request, "before") },
        .done = done_of(request),
    };
    for (int i = 0; state && outbox_state_words[i]; i++)
        if (!strcmp(outbox_state_words[i], state))
            asked.list.state = (enum outbox_state)i;
    if (delivery_page(&acting.page, &acting.forms, &asked, &error))
        acting_respond(&acting, 200);
    else
        acting_fail(&acting, &error);
}

/* --- one of them ------------------------------------------------------------------------------ */

static void show(struct acting *acting, const struct outbox_message *message, int status,
                 const char *wrong)
{
    struct error error;
    const struct message_page shown = { acting->context.settings, acting->database, message,
                                        wrong };
    if (message_page(&acting->page, &acting->forms, &shown, &error))
        acting_respond(acting, status);
    else
        acting_fail(acting, &error);
}

static bool retry(struct acting *acting, const struct outbox_message *message,
                  const struct audit_by *by, struct error *error)
{
    const struct receivers_config *receiver =
        settings_receiver(acting->context.settings, message->receiver);
    if (!receiver)
        return error_set(error, ERROR_REQUEST, "receiver %s is gone", message->receiver);
    return outbox_retry(acting->database, message->id, settings_expires_s(receiver), by,
                        acting->context.now, error);
}

static void act(struct acting *acting, const struct outbox_message *message)
{
    const char *word = acting_field(acting, PAGE_FORM_ACT);
    const struct audit_by by = acting_by(acting, "");
    struct error error;
    bool retries = !strcmp(word, "retry"), drops = !strcmp(word, "drop"), ok = false;
    if (!acting_is_sealed(acting)) {
        show(acting, message, 403, ACTING_NOT_SEALED);
        return;
    }
    if (retries)
        ok = retry(acting, message, &by, &error);
    else if (drops)
        ok = outbox_drop(acting->database, message->id, &by, acting->context.now, &error);
    else
        error_set(&error, ERROR_REQUEST, "a message is tried again or dropped");
    if (!ok) {
        show(acting, message, error.code == ERROR_REQUEST ? 400 : 503, error.message);
        return;
    }
    alerting_wake(acting->source->views->alerting);
    acting_lead(acting, retries ? "/delivery?state=queued&done=retry" : "/delivery?done=drop");
}

void delivery_routes_one(void *source, const struct web_request *request,
                         struct web_response *response)
{
    CLEANUP(acting_finish) struct acting acting;
    struct outbox_message message;
    struct error error;
    bool found;
    if (!acting_begin(source, request, response, &acting))
        return;
    bool ok = outbox_find(acting.database, request->rest, &acting.arena, &message, &found, &error);
    if (ok && !found)
        ok = error_set(&error, ERROR_NOT_FOUND, "there is no such message, or no longer");
    if (!ok)
        acting_fail(&acting, &error);
    else if (request->method == WEB_GET)
        show(&acting, &message, 200, "");
    else
        act(&acting, &message);
}
