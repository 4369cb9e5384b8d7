#include "exporter/silences_routes.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "exporter/acting.h"
#include "exporter/pages/silence_page.h"
#include "exporter/pages/silences_page.h"

/* What was done, by the word of the URL. */
static const char *done_of(const struct web_request *request)
{
    static const struct {
        const char *word, *text;
    } done[] = {
        { "made", "The silence is made: what it mutes is told to nobody until it ends." },
        { "changed", "The silence is changed." },
        { "ended", "The silence has ended: what still fires is told again." },
    };
    const char *word = web_request_query(request, "done");
    for (size_t i = 0; word && i < ARRAY_COUNT(done); i++)
        if (!strcmp(done[i].word, word))
            return done[i].text;
    return "";
}

void silences_routes_list(void *source, const struct web_request *request,
                          struct web_response *response)
{
    CLEANUP(acting_finish) struct acting acting;
    const char *state = web_request_query(request, "state");
    const char *from = web_request_query(request, "from");
    if (!acting_begin(source, request, response, &acting) || !acting_read_mutes(&acting))
        return;
    struct silences_page shown = { .list = &acting.silences,
                                   .state = SILENCE_ACTIVE,
                                   .from = from ? strtoul(from, NULL, 10) : 0,
                                   .done = done_of(request) };
    for (int i = 0; state && silence_state_words[i]; i++)
        if (!strcmp(silence_state_words[i], state))
            shown.state = (enum silence_state)i;
    silences_page(&acting.page, &acting.forms, &shown);
    acting_respond(&acting, 200);
}

/* --- one of them ------------------------------------------------------------------------------ */

/* One request about a silence. */
struct one {
    struct acting *acting;
    const struct silence *before; /* NULL = a new one */
    struct silence_draft draft;
    struct silence silence; /* as it was read from the draft */
    bool is_read;           /* its matchers were */
};

static void finish_one(struct one *one)
{
    match_finish(&one->silence.matchers);
}

static const struct silence *find(const struct acting *acting, const char *id)
{
    for (size_t i = 0; i < acting->silences.count; i++)
        if (!strcmp(acting->silences.silences[i].id, id))
            return &acting->silences.silences[i];
    return NULL;
}

/* What a form that was not posted yet begins with. */
static void begin_draft(struct one *one)
{
    const struct web_request *request = one->acting->request;
    const char *like = web_request_query(request, "like");
    const char *matchers = web_request_query(request, "matchers");
    const struct silence *model = one->before     ? one->before
                                  : like && *like ? find(one->acting, like)
                                                  : NULL;
    if (model)
        silence_draft_of(model, !one->before, &one->acting->arena, &one->draft);
    else
        one->draft = (struct silence_draft){ "", matchers ? matchers : "", "", "4h", "", "", "" };
}

static void take_draft(struct one *one)
{
    const struct acting *acting = one->acting;
    const char *user = acting->request->user;
    one->draft = (struct silence_draft){
        .id = one->before ? one->before->id : "",
        .matchers = acting_field(acting, "matchers"),
        .begins = acting_field(acting, "begins"),
        .until = acting_field(acting, "until"),
        .by = user ? user : acting_field(acting, "by"),
        .comment = acting_field(acting, "comment"),
        .seen = acting_field(acting, "seen"),
    };
}

static void show(struct one *one, int status, const char *wrong)
{
    struct acting *acting = one->acting;
    struct error error;
    const struct silence_page shown = {
        .draft = &one->draft,
        .before = one->before,
        .matchers = one->is_read ? &one->silence.matchers : NULL,
        .wrong = wrong,
    };
    if (silence_page(&acting->page, &acting->forms, &acting->rows, &shown, &error))
        acting_respond(acting, status);
    else
        acting_fail(acting, &error);
}

/* Read the matchers; those of a form nobody has filled in yet are not missed. */
static bool read_matchers(struct one *one, struct error *error)
{
    one->is_read = silence_draft_matchers(&one->draft, one->acting->context.settings,
                                          &one->acting->arena, &one->silence.matchers, error);
    return one->is_read;
}

/* Whether what it mutes was shown as it is now. */
static bool was_seen(const struct one *one)
{
    CLEANUP(buf_finish) struct buf matchers = { 0 };
    CLEANUP(buf_finish) struct buf seen = { 0 };
    silence_draft_print(&one->silence.matchers, &matchers);
    for (const char *at = one->draft.seen; *at; at++) /* forms send line ends as two characters */
        if (*at != '\r')
            buf_char(&seen, *at);
    return !strcmp(buf_cstr(&matchers), buf_cstr(&seen));
}

static void keep(struct one *one)
{
    struct acting *acting = one->acting;
    struct error error;
    const struct audit_by by = acting_by(acting, "");
    if (!silence_put(acting->database, &one->silence, &by, acting->context.now, &error)) {
        show(one, error.code == ERROR_REQUEST ? 400 : 503, error.message);
        return;
    }
    alerting_wake(acting->source->views->alerting);
    acting_lead(acting, one->before ? "/silences?done=changed" : "/silences?done=made");
}

static void expire(struct one *one)
{
    struct acting *acting = one->acting;
    struct error error;
    const struct audit_by by = acting_by(acting, "");
    bool ok = silence_expire(acting->database, one->before->id, &by, acting->context.now, &error);
    if (!ok) {
        begin_draft(one);
        show(one, 503, error.message);
        return;
    }
    alerting_wake(acting->source->views->alerting);
    acting_lead(acting, "/silences?done=ended");
}

/* What is wrong with all of it, or what happens now. */
static void act(struct one *one)
{
    struct acting *acting = one->acting;
    struct error error;
    bool keeps = !strcmp(acting_field(acting, PAGE_FORM_ACT), "keep");
    bool expires = !strcmp(acting_field(acting, PAGE_FORM_ACT), "expire");
    if (expires && one->before && acting_is_sealed(acting)) {
        expire(one);
        return;
    }
    if (expires)
        begin_draft(one);
    else
        take_draft(one);
    if (!read_matchers(one, &error) ||
        !silence_draft_read(&one->draft, acting->context.settings, one->before, acting->context.now,
                            &acting->arena, &one->silence, &error))
        show(one, 400, error.message);
    else if (!acting_is_sealed(acting))
        show(one, 403, ACTING_NOT_SEALED);
    else if (keeps && !was_seen(one))
        show(one, 200, "these are other matchers: look at what they mute, then send it again");
    else if (keeps)
        keep(one);
    else
        show(one, 200, "");
}

void silences_routes_one(void *source, const struct web_request *request,
                         struct web_response *response)
{
    CLEANUP(acting_finish) struct acting acting;
    struct error error;
    if (!acting_begin(source, request, response, &acting) || !acting_read_mutes(&acting))
        return;
    CLEANUP(finish_one) struct one one = { .acting = &acting };
    bool fresh = !strcmp(request->rest, "new");
    one.before = fresh ? NULL : find(&acting, request->rest);
    if (!fresh && !one.before) {
        error_set(&error, ERROR_NOT_FOUND, "there is no such silence, or it ended long ago");
        acting_fail(&acting, &error);
        return;
    }
    if (request->method != WEB_GET) {
        act(&one);
        return;
    }
    begin_draft(&one);
    bool empty = !*one.draft.matchers;
    bool ok = !empty && read_matchers(&one, &error);
    show(&one, 200, ok || empty ? "" : error.message);
}
