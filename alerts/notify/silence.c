#include "alerts/notify/silence.h"

#include <stdlib.h>
#include <string.h>

#include "alerts/store/rows.h"
#include "alerts/store/schema.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/memory.h"

enum {
    SILENCES_MAX = 5000, /* that have not expired, and as many that have */
    COMPILED_BYTES_MAX = 64 * 1024 * 1024,
    KEPT_S = 5 * 24 * 3600,
    ENDED_ASKED = 100,
};

const char *const silence_state_words[] = { "pending", "active", "expired", NULL };

enum silence_state silence_state(const struct silence *silence, int64_t now)
{
    if (now >= silence->ends_at)
        return SILENCE_EXPIRED;
    return now >= silence->starts_at ? SILENCE_ACTIVE : SILENCE_PENDING;
}

/* --- writing ---------------------------------------------------------------------------------- */
static void print_matchers(const struct match_list *matchers, struct buf *out)
{
    buf_char(out, '{');
    for (size_t i = 0; i < matchers->count; i++) {
        if (i)
            buf_char(out, ',');
        match_print(&matchers->matches[i], out);
    }
    buf_char(out, '}');
}

bool silence_check(const struct silence *silence, int64_t now, struct error *error)
{
    bool narrow = false;
    for (size_t i = 0; i < silence->matchers.count; i++)
        narrow = narrow || match_value(&silence->matchers.matches[i], "", NULL) == MATCH_NO;
    if (!silence->matchers.count)
        return error_set(error, ERROR_REQUEST, "a silence needs a matcher");
    if (!narrow)
        return error_set(error, ERROR_REQUEST,
                         "at least one matcher must not match the empty text");
    if (silence->ends_at <= silence->starts_at)
        return error_set(error, ERROR_REQUEST, "the silence ends before it starts");
    if (silence->ends_at <= now)
        return error_set(error, ERROR_REQUEST, "the silence ends in the past");
    return true;
}

static bool check_count(struct database *database, int64_t now, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "SELECT COUNT(*) FROM silence WHERE ends_at > $1");
    int64_t count;
    database_bind(statement, now);
    if (!database_get_integer(statement, &count, error))
        return false;
    return count < SILENCES_MAX ||
           error_set(error, ERROR_REQUEST,
                     "%d silences are active or pending, which is the limit; expire some first",
                     SILENCES_MAX);
}

/* Of those that have expired, the last ones stay. */
static bool forget_oldest(struct database *database, int64_t now, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "DELETE FROM silence WHERE id IN (SELECT id FROM silence WHERE ends_at <= $1"
                  " ORDER BY ends_at DESC, id LIMIT $2 OFFSET $3)");
    database_bind(statement, now, SCHEMA_PRUNE_ROWS, SILENCES_MAX);
    return database_run(statement, error);
}

/* A silence as it is kept: its matchers as text. */
struct kept {
    struct silence silence;
    const char *matchers;
};
static const struct row_field kept_fields[] = {
    ROW_CHARS(struct kept, silence.id, "id"),
    ROW_TEXT(struct kept, matchers, "matchers"),
    ROW_INTEGER(struct kept, silence.starts_at, "starts_at"),
    ROW_INTEGER(struct kept, silence.ends_at, "ends_at"),
    ROW_INTEGER(struct kept, silence.updated_at, "updated_at"),
    ROW_TEXT(struct kept, silence.created_by, "created_by"),
    ROW_TEXT(struct kept, silence.comment, "comment"),
    { 0 },
};
static const struct rows_table kept_rows = { "silence", 1, kept_fields };

static bool insert(struct database *database, struct silence *silence, const char *matchers,
                   int64_t now, struct error *error)
{
    struct kept kept = { *silence, matchers };
    kept.silence.updated_at = now;
    hash_uuid(kept.silence.id);
    memcpy(silence->id, kept.silence.id, sizeof silence->id);
    return rows_insert(database, &kept_rows, &kept, error);
}

static bool update(struct database *database, const struct silence *silence, int64_t now,
                   struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE silence SET ends_at = $1, updated_at = $2, comment = $3 WHERE id = $4");
    database_bind(statement, silence->ends_at, now, silence->comment, silence->id);
    return database_run(statement, error);
}

/* An expired one stays as it is; a pending one never begins. */
static bool end(struct database *database, const char *id, int64_t now, struct error *error)
{
    struct database_statement *statement = database_prepare(
        database, "UPDATE silence SET starts_at = CASE WHEN starts_at > $1 THEN $1 ELSE starts_at"
                  " END, ends_at = $1, updated_at = $1 WHERE id = $2 AND ends_at > $1");
    database_bind(statement, now, id);
    return database_run(statement, error);
}

/* How a silence stands to the one that is kept under its id. */
struct standing {
    bool found, same; /* same: only end or comment differ, and it has not expired */
    struct kept kept;
    struct arena arena;
};

static void finish_standing(struct standing *standing)
{
    arena_finish(&standing->arena);
}

static bool compare_kept(struct database *database, const struct silence *silence,
                         const char *matchers, int64_t now, struct standing *standing,
                         struct error *error)
{
    struct database_statement *statement = rows_select(database, &kept_rows, " WHERE id = $1");
    struct kept *kept = &standing->kept;
    database_bind(statement, silence->id);
    if (!rows_one(statement, &kept_rows, &standing->arena, kept, &standing->found, error))
        return false;
    standing->same = standing->found && !strcmp(kept->matchers, matchers) &&
                     kept->silence.starts_at == silence->starts_at && kept->silence.ends_at > now &&
                     !strcmp(kept->silence.created_by, silence->created_by);
    return true;
}

/* By its maker, who may not be who asks. */
static bool note_put(struct database *database, const struct silence *silence, bool known,
                     const char *matchers, const struct audit_by *by, int64_t now,
                     struct error *error)
{
    CLEANUP(buf_finish) struct buf detail = { 0 };
    char ends[32];
    const struct audit_by maker = { silence->created_by, by ? by->peer : "" };
    buf_printf(&detail, "%s until %s%s%s", matchers, clock_format_rfc3339(silence->ends_at, ends),
               *silence->comment ? ": " : "", silence->comment);
    return audit_add(database, known ? AUDIT_SILENCE_CHANGED : AUDIT_SILENCE_CREATED,
                     by ? &maker : NULL, silence->id, buf_cstr(&detail), now, error);
}

static bool put(struct database *database, struct silence *silence, const struct audit_by *by,
                int64_t now, struct error *error)
{
    CLEANUP(buf_finish) struct buf matchers = { 0 };
    CLEANUP(finish_standing) struct standing standing = { 0 };
    print_matchers(&silence->matchers, &matchers);
    const char *text = buf_cstr(&matchers);
    if (*silence->id && !compare_kept(database, silence, text, now, &standing, error))
        return false;
    if (*silence->id && !standing.found)
        return error_set(error, ERROR_NOT_FOUND, "no silence %s", silence->id);
    if (standing.same)
        return update(database, silence, now, error) &&
               note_put(database, silence, true, text, by, now, error);
    if (standing.found && !end(database, silence->id, now, error))
        return false;
    if (silence->starts_at < now)
        silence->starts_at = now;
    return check_count(database, now, error) && insert(database, silence, text, now, error) &&
           note_put(database, silence, standing.found, text, by, now, error) &&
           forget_oldest(database, now, error);
}

bool silence_put(struct database *database, struct silence *silence, const struct audit_by *by,
                 int64_t now, struct error *error)
{
    struct silence changed = *silence;
    if (!silence_check(silence, now, error) || !database_begin(database, error))
        return false;
    if (!put(database, &changed, by, now, error)) {
        database_rollback(database);
        return false;
    }
    if (!database_commit(database, error))
        return false;
    changed.updated_at = now;
    *silence = changed;
    return true;
}

static bool expire(struct database *database, const struct silence *silence,
                   const struct audit_by *by, int64_t now, struct error *error)
{
    CLEANUP(finish_standing) struct standing standing = { 0 };
    CLEANUP(buf_finish) struct buf detail = { 0 };
    if (!compare_kept(database, silence, "", now, &standing, error))
        return false;
    if (!standing.found)
        return error_set(error, ERROR_NOT_FOUND, "no silence %s", silence->id);
    if (standing.kept.silence.ends_at <= now)
        return true;
    buf_printf(&detail, "%s of %s", standing.kept.matchers, standing.kept.silence.created_by);
    return end(database, silence->id, now, error) &&
           audit_add(database, AUDIT_SILENCE_EXPIRED, by, silence->id, buf_cstr(&detail), now,
                     error);
}

bool silence_expire(struct database *database, const char *id, const struct audit_by *by,
                    int64_t now, struct error *error)
{
    struct silence silence = { .created_by = "" };
    if (strlen(id) >= sizeof silence.id)
        return error_set(error, ERROR_NOT_FOUND, "no such silence");
    memcpy(silence.id, id, strlen(id));
    if (!database_begin(database, error))
        return false;
    if (!expire(database, &silence, by, now, error)) {
        database_rollback(database);
        return false;
    }
    return database_commit(database, error);
}

bool silence_prune(struct database *database, int64_t now, struct error *error)
{
    struct database_statement *statement =
        database_prepare(database, "DELETE FROM silence WHERE id IN (SELECT id FROM silence"
                                   " WHERE ends_at < $1 LIMIT $2)");
    database_bind(statement, now - KEPT_S, SCHEMA_PRUNE_ROWS);
    return database_run(statement, error) || error_wrap(error, "pruning silences");
}

/* --- reading ---------------------------------------------------------------------------------- */
static void add(struct database *database, struct silence_cache *cache, struct silence_list *list,
                size_t *capacity, const struct kept *kept)
{
    struct error error;
    struct silence silence = kept->silence;
    if (list->compiled_bytes > COMPILED_BYTES_MAX)
        error_set(&error, ERROR_LIMIT, "the expressions of other silences are too large");
    else
        silence.compiled = silence_cache_get(cache, silence.id, kept->matchers, &error);
    if (!silence.compiled) {
        unreadable_note(database_unreadable(database), UNREADABLE_SILENCE, silence.id, &error);
        return;
    }
    silence.matchers = *silence_cache_list(silence.compiled);
    list->compiled_bytes += match_compiled_bytes(&silence.matchers);
    MEMORY_GROW(list->silences, list->count, *capacity);
    list->silences[list->count++] = silence;
}

static void keep(struct silence_cache *cache, const struct silence_list *list)
{
    struct silence_matchers **compiled = MEMORY_ARRAY(struct silence_matchers *, list->count);
    for (size_t i = 0; i < list->count; i++)
        compiled[i] = list->silences[i].compiled;
    silence_cache_keep(cache, compiled, list->count);
    free(compiled);
}

/* Where a state stands in the list. */
static int rank(enum silence_state state)
{
    static const int ranks[] = {
        [SILENCE_ACTIVE] = 0, [SILENCE_PENDING] = 1, [SILENCE_EXPIRED] = 2
    };
    return ranks[state];
}

static int compare(const void *left, const void *right, void *context)
{
    const struct silence *a = left, *b = right;
    const int64_t *now = context;
    int order = rank(silence_state(a, *now)) - rank(silence_state(b, *now));
    if (order)
        return order;
    if (a->ends_at != b->ends_at)
        return a->ends_at < b->ends_at ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* A number for the silences that are active, in their order, and what they match. */
static uint64_t generation_of(const struct silence_list *list, int64_t now)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    for (size_t i = 0; i < list->count; i++) {
        const struct silence *silence = &list->silences[i];
        if (silence_state(silence, now) != SILENCE_ACTIVE)
            break; /* they are the first */
        buf_text(&text, silence->id);
        print_matchers(&silence->matchers, &text);
    }
    return silence_memo_number(list->memo, buf_cstr(&text), text.length);
}

/* What was found out about the same silences holds as long as time changes none of them. */
static void remember(struct silence_list *list, struct silence_cache *cache, int64_t now)
{
    if (!list->compiled_bytes)
        return; /* the index answers as fast */
    list->memo = silence_cache_memo(cache);
    list->generation = generation_of(list, now);
    list->read_at = now;
    list->until_at = silence_next_at(list, now);
}

bool silence_load(struct database *database, struct silence_cache *cache, int64_t now,
                  struct silence_list *list, struct error *error)
{
    struct database_statement *statement =
        rows_select(database, &kept_rows, " WHERE ends_at >= $1");
    size_t capacity = 0;
    *list = (struct silence_list){ 0 };
    database_bind(statement, now - KEPT_S);
    for (bool found;;) {
        struct kept kept = { 0 };
        if (!rows_next(statement, &kept_rows, &list->arena, &kept, &found, error))
            return error_wrap(error, "reading silences");
        if (!found)
            break;
        add(database, cache, list, &capacity, &kept);
    }
    if (cache)
        keep(cache, list);
    if (list->count)
        qsort_r(list->silences, list->count, sizeof *list->silences, compare, &now);
    silence_list_index(list, now);
    if (cache)
        remember(list, cache, now);
    return true;
}

void silence_list_index(struct silence_list *list, int64_t now)
{
    const struct match_list **lists = MEMORY_ARRAY(const struct match_list *, list->count);
    size_t count = 0; /* those that have expired are the last */
    while (count < list->count && silence_state(&list->silences[count], now) != SILENCE_EXPIRED) {
        lists[count] = &list->silences[count].matchers;
        count++;
    }
    list->index = match_index_create(lists, count);
    free(lists);
}

void silence_list_finish(struct silence_list *list)
{
    match_index_destroy(list->index);
    for (size_t i = 0; i < list->count; i++)
        silence_cache_release(list->silences[i].compiled);
    free(list->silences);
    arena_finish(&list->arena);
    *list = (struct silence_list){ 0 };
}

/* A list, and when it is asked. */
struct question {
    const struct silence_list *list;
    int64_t now;
};

static bool is_active(const void *context, size_t place)
{
    const struct question *question = context;
    return silence_state(&question->list->silences[place], question->now) == SILENCE_ACTIVE;
}

/* UINT32_MAX = none. */
static uint32_t find_place(const struct silence_list *list, const struct alert *alert, int64_t now)
{
    const struct question question = { list, now };
    size_t place = match_index_find(list->index, alert->labels, alert->label_count, is_active,
                                    &question, list->budget);
    return place == MATCH_INDEX_NONE ? UINT32_MAX : (uint32_t)place;
}

const struct silence *silence_find(const struct silence_list *list, const struct alert *alert,
                                   int64_t now)
{
    bool same = list->memo && now >= list->read_at && (!list->until_at || now < list->until_at);
    uint64_t key = same ? silence_memo_key(list->memo, alert->labels, alert->label_count) : 0;
    uint32_t place;
    if (key && silence_memo_get(list->memo, list->generation, key, &place))
        return place < list->count ? &list->silences[place] : NULL;
    place = list->count ? find_place(list, alert, now) : UINT32_MAX;
    if (key && (!list->budget || list->budget->left_us > 0)) /* else nobody knows */
        silence_memo_put(list->memo, list->generation, key, place);
    return place < list->count ? &list->silences[place] : NULL;
}

const struct silence *silence_ended(const struct silence_list *list, const struct alert *alert,
                                    int64_t now)
{
    size_t least = list->count > ENDED_ASKED ? list->count - ENDED_ASKED : 0;
    for (size_t i = list->count; i > least; i--) { /* the last ones of the list ended last */
        const struct silence *silence = &list->silences[i - 1];
        if (silence_state(silence, now) != SILENCE_EXPIRED)
            return NULL;
        if (match_ask(&silence->matchers, alert->labels, alert->label_count, list->budget) ==
            MATCH_YES)
            return silence;
    }
    return NULL;
}

int64_t silence_next_at(const struct silence_list *list, int64_t now)
{
    int64_t next_at = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct silence *silence = &list->silences[i];
        enum silence_state state = silence_state(silence, now);
        int64_t at = state == SILENCE_PENDING ? silence->starts_at : silence->ends_at;
        if (state != SILENCE_EXPIRED && (!next_at || at < next_at))
            next_at = at;
    }
    return next_at;
}
