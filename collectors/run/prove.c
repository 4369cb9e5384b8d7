#include "collectors/run/prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectors/azure/graph.h"
#include "collectors/snapshot/asked.h"
#include "core/log.h"
#include "core/memory.h"
#include "kql.h"

enum {
    WITNESSES_MAX = 100, /* beside the questions: 500 ids a query */
    WITNESSES_EACH = 2,
    SUBSCRIPTIONS_MAX = 200, /* of one request */
    KIND_BYTES = PART_ID_BYTES,
};

static const char placeholder[] = "'{{ids}}'";

/* A resource that is asked for. */
struct sought {
    uint32_t kind; /* number in inquiry.kinds */
    bool found;
};

/* One query: the resources of one table that are asked for, and what came. */
struct inquiry {
    struct intern ids; /* number n is asked[n - 1] */
    struct sought *asked;
    size_t asked_capacity;
    struct intern kinds; /* "subscription|type" */
    size_t *witnesses;   /* by kind: how many are asked for beside the questions */
    bool *seen;          /* by kind: one of it came */
    bool odd;            /* a row came that is none of those: it may be any of them */
    struct intern subscriptions;
};

static void inquiry_finish(struct inquiry *inquiry)
{
    intern_finish(&inquiry->ids);
    intern_finish(&inquiry->kinds);
    intern_finish(&inquiry->subscriptions);
    free(inquiry->asked);
    free(inquiry->witnesses);
    free(inquiry->seen);
}

static bool is_container(const char *resource_type)
{
    return !strcmp(resource_type, "microsoft.resources/subscriptions") ||
           !strcmp(resource_type, "microsoft.resources/resourcegroups");
}

static size_t kind_text(const char *subscription_id, const char *type, char out[KIND_BYTES])
{
    int length = snprintf(out, KIND_BYTES, "%s|%s", subscription_id, type);
    return (size_t)length < KIND_BYTES ? (size_t)length : KIND_BYTES - 1;
}

/* The number of a text that is known, 0 for others. */
static uint32_t known(const struct intern *texts, const char *text, size_t length)
{
    uint32_t number = intern_find(texts, text, length);
    return number == UINT32_MAX ? 0 : number;
}

static void add(struct inquiry *inquiry, const char *resource_id, uint32_t kind)
{
    size_t before = inquiry->ids.count;
    uint32_t number = intern_put(&inquiry->ids, resource_id, strlen(resource_id));
    if (number < before || !number)
        return;
    MEMORY_GROW(inquiry->asked, number - 1, inquiry->asked_capacity);
    inquiry->asked[number - 1] = (struct sought){ .kind = kind };
}

static void add_questions(struct inquiry *inquiry, const struct proof_questions *questions,
                          bool containers)
{
    char kind[KIND_BYTES];
    for (size_t i = 0; i < questions->count; i++) {
        const struct proof_question *question = &questions->items[i];
        const char *id = question->subscription_id;
        bool fits = inquiry->subscriptions.count <= SUBSCRIPTIONS_MAX ||
                    known(&inquiry->subscriptions, id, strlen(id));
        if (is_container(question->resource_type) != containers ||
            !asked_is_safe(question->resource_id) || !*id || !fits)
            continue;
        intern_put(&inquiry->subscriptions, id, strlen(id));
        size_t length = kind_text(id, question->resource_type, kind);
        add(inquiry, question->resource_id, intern_put(&inquiry->kinds, kind, length));
    }
    inquiry->witnesses = MEMORY_ARRAY(size_t, inquiry->kinds.count + 1);
    inquiry->seen = MEMORY_ARRAY(bool, inquiry->kinds.count + 1);
}

/* Ask for some that are known to be there, too. */
static void add_witnesses(struct inquiry *inquiry, const struct part *part)
{
    char kind[KIND_BYTES], scratch[PART_ID_BYTES];
    size_t wanted = (inquiry->kinds.count - 1) * WITNESSES_EACH;
    wanted = wanted < WITNESSES_MAX ? wanted : WITNESSES_MAX;
    for (size_t i = 0; i < part->finding_count && wanted; i++) {
        const struct part_finding *finding = &part->findings[i];
        size_t length = kind_text(intern_text(&part->strings, finding->subscription),
                                  intern_text(&part->strings, finding->type), kind);
        uint32_t number = known(&inquiry->kinds, kind, length);
        if (!number || inquiry->witnesses[number] == WITNESSES_EACH)
            continue;
        struct finding view;
        part_view(part, i, &view, scratch);
        size_t before = inquiry->ids.count;
        if (asked_is_safe(view.resource_id))
            add(inquiry, view.resource_id, number);
        if (inquiry->ids.count == before)
            continue;
        inquiry->witnesses[number]++;
        wanted--;
    }
}

static bool receive(void *context, const struct json *row, struct error *error)
{
    struct inquiry *inquiry = context;
    char lower[PART_ID_BYTES];
    size_t length = 0;
    const char *id = json_text(json_get(row, "id"));
    (void)error;
    for (; id && id[length] && length < sizeof lower - 1; length++)
        lower[length] =
            id[length] >= 'A' && id[length] <= 'Z' ? (char)(id[length] + ('a' - 'A')) : id[length];
    uint32_t number = known(&inquiry->ids, lower, length);
    inquiry->odd |= !number;
    if (!number)
        return true;
    inquiry->asked[number - 1].found = true;
    inquiry->seen[inquiry->asked[number - 1].kind] = true;
    return true;
}

/* The query with its ids filled in. */
static void write_query(const struct inquiry *inquiry, const char *kql, struct buf *out)
{
    const char *at = strstr(kql, placeholder);
    buf_append(out, kql, (size_t)(at - kql));
    for (uint32_t i = 1; i < inquiry->ids.count; i++)
        buf_printf(out, "%s'%s'", i > 1 ? ", " : "", intern_text(&inquiry->ids, i));
    buf_text(out, at + sizeof placeholder - 1);
}

/* False when it could not be asked. */
static bool ask(struct inquiry *inquiry, const char *kql, struct arm_session *session,
                const struct source *source)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    const char *subscriptions[SUBSCRIPTIONS_MAX + 1];
    struct graph_query query = { .subscriptions = subscriptions };
    struct graph_progress progress;
    struct error error = { 0 };
    for (uint32_t i = 1; i < inquiry->subscriptions.count; i++)
        subscriptions[query.subscription_count++] = intern_text(&inquiry->subscriptions, i);
    write_query(inquiry, kql, &text);
    query.kql = buf_cstr(&text);
    int tries = session->tries;
    session->tries = 1;
    bool ok = graph_query(session, &query, receive, inquiry, &progress, &error);
    session->tries = tries;
    if (!ok)
        log_debug(MSG("cannot ask whether resources exist"), TEXT("collector", source->name),
                  ERR(&error));
    return ok;
}

static enum proof_answer answer_of(const struct inquiry *inquiry,
                                   const struct proof_question *question)
{
    uint32_t number = known(&inquiry->ids, question->resource_id, strlen(question->resource_id));
    if (!number)
        return PROOF_NONE;
    const struct sought *asked = &inquiry->asked[number - 1];
    if (asked->found)
        return PROOF_EXISTS;
    return inquiry->seen[asked->kind] && !inquiry->odd ? PROOF_DELETED : PROOF_NONE;
}

static void prove(struct part *part, const struct proof_questions *questions, bool containers,
                  const char *kql, struct arm_session *session)
{
    CLEANUP(inquiry_finish) struct inquiry inquiry = { 0 };
    add_questions(&inquiry, questions, containers);
    bool ok = false;
    if (inquiry.ids.count > 1) {
        add_witnesses(&inquiry, part);
        ok = ask(&inquiry, kql, session, part->source);
    }
    for (size_t i = 0; i < questions->count; i++) {
        const struct proof_question *question = &questions->items[i];
        if (is_container(question->resource_type) == containers)
            proof_answers_add(&part->proofs, &question->id,
                              ok ? answer_of(&inquiry, question) : PROOF_NONE);
    }
}

void prove_part(struct part *part, const struct proof_questions *questions,
                struct arm_session *session)
{
    prove(part, questions, false, kql_proof_resources, session);
    prove(part, questions, true, kql_proof_containers, session);
}
