#include "alerts/notify/outbox_told.h"

/* clang-format off */
/* $2 receiver, $3 target. */
#define ALL_OF(alert, message, fingerprint)                                                        \
    "FROM outbox_member " alert " JOIN outbox_message " message                                    \
    " ON " message ".id = " alert ".message_id WHERE " alert ".fingerprint = " fingerprint
#define HERE " AND m.receiver = $2 AND m.target = $3"
#define TOLD(fingerprint, episode)                                                                 \
    "('firing' = (SELECT a.status " ALL_OF("a", "m", fingerprint) HERE                             \
    " AND m.state = 'sent' ORDER BY m.id DESC LIMIT 1)"                                            \
    " OR (NOT EXISTS (SELECT 1 " ALL_OF("a", "m", fingerprint) HERE                                \
    " AND a.episode = " episode " AND a.status = 'firing')"                                        \
    " AND EXISTS (SELECT 1 " ALL_OF("a", "m", fingerprint)                                         \
    " AND a.episode = " episode " AND a.status = 'firing' AND m.receiver <> $2"                    \
    " AND m.state <> 'dead' AND NOT EXISTS (SELECT 1 " ALL_OF("b", "n", fingerprint)               \
    " AND b.status = 'resolved' AND n.receiver = m.receiver AND n.id > m.id"                       \
    " AND n.state <> 'dead'))))"
/* clang-format on */

static bool answer(struct database_statement *statement, bool *told, struct error *error)
{
    int64_t any = 0;
    if (!database_get_integer(statement, &any, error))
        return error_wrap(error, "reading the outbox");
    *told = any;
    return true;
}

bool outbox_told(struct database *database, const char *receiver, int target,
                 const struct alert *alert, bool *told, struct error *error)
{
    struct database_statement *statement = database_prepare(database, "SELECT " TOLD("$1", "$4"));
    database_bind(statement, alert->fingerprint, receiver, target, alert->episode);
    return answer(statement, told, error);
}

bool outbox_told_any(struct database *database, const struct outbox_message *message, bool *told,
                     struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "SELECT EXISTS (SELECT 1 FROM outbox_member r WHERE r.message_id = $1"
                  " AND " TOLD("r.fingerprint", "r.episode") ")");
    database_bind(statement, message->id, message->receiver, message->target);
    return answer(statement, told, error);
}
