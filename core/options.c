#include "core/options.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/near.h"
#include "core/options_value.h"
#include "core/options_yaml.h"

enum { FILE_LIMIT_BYTES = 4 * 1024 * 1024, REASONS_MAX = 100 };

/* One reading: what messages and paths need. */
struct binder {
    const char *name;   /* of the file, or of the flag */
    const char *folder; /* of the file, with its slash; "" = leave relative paths alone */
    struct arena *arena;
    struct option_report *report;
    struct buf path; /* of the key being read: "rules[2].name" */
};

static void finish_binder(struct binder *binder)
{
    buf_finish(&binder->path);
}

static void *value_at(const struct option *option, void *out)
{
    return (char *)out + option->offset;
}

/* --- complaints ---------------------------------------------------------------------------- */

/* The last name of a path, which is what two complaints about one value have in common. */
static const char *key_of(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

static void append_key(struct buf *out, const char *name, int line, const char *path)
{
    buf_printf(out, "\n%s:%d:%s\n", name, line, key_of(path));
}

/* Whether this value is one that could not be read. */
static bool is_known(const struct option_report *report, const char *name, int line,
                     const char *path)
{
    CLEANUP(buf_finish) struct buf key = { 0 };
    if (!line || !report->keys.length)
        return false;
    append_key(&key, name, line, path);
    return strstr(buf_cstr(&report->keys), buf_cstr(&key)) != NULL;
}

static void add_reason(struct option_report *report, const char *name, int line, const char *path,
                       const char *reason)
{
    if (++report->count > REASONS_MAX) {
        if (report->count == REASONS_MAX + 1)
            buf_printf(&report->text, "%s: more is wrong\n", name);
        return;
    }
    size_t start = report->text.length;
    buf_text(&report->text, name);
    if (line)
        buf_printf(&report->text, ":%d", line);
    if (*path)
        buf_printf(&report->text, ": %s", path);
    buf_printf(&report->text, ": %s", reason);
    for (size_t i = start; i < report->text.length; i++) {
        if ((unsigned char)report->text.data[i] < ' ')
            report->text.data[i] = ' '; /* one reason, one line */
    }
    buf_char(&report->text, '\n');
}

void options_complain(struct option_report *report, const char *name, int line, const char *path,
                      const char *format, ...)
{
    char reason[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    if (!is_known(report, name, line, path))
        add_reason(report, name, line, path, reason);
}

void options_report_finish(struct option_report *report)
{
    buf_finish(&report->text);
    buf_finish(&report->keys);
    *report = (struct option_report){ 0 };
}

static void complain(struct binder *binder, int line, const char *reason)
{
    add_reason(binder->report, binder->name, line, buf_cstr(&binder->path), reason);
    append_key(&binder->report->keys, binder->name, line, buf_cstr(&binder->path));
}

/* Append ".key" to the path. Returns the length to leave() with. */
static size_t enter(struct binder *binder, const char *key)
{
    size_t before = binder->path.length;
    if (before)
        buf_char(&binder->path, '.');
    buf_text(&binder->path, key);
    return before;
}

static void leave(struct binder *binder, size_t before)
{
    binder->path.length = before;
    if (binder->path.data)
        binder->path.data[before] = '\0';
}

/* --- rows ---------------------------------------------------------------------------------- */

static bool is_secret_file(const struct option *option, const char *key)
{
    size_t length = strlen(option->name);
    return option->type == OPTION_TYPE_SECRET && !strncmp(key, option->name, length) &&
           !strcmp(key + length, "_file");
}

static const struct option *find_row(const struct option *options, const char *key)
{
    for (; options->type != OPTION_END; options++) {
        if (!strcmp(options->name, key) || is_secret_file(options, key))
            return options;
    }
    return NULL;
}

static void complain_duplicate(struct binder *binder, const struct options_yaml_node *node)
{
    char reason[64];
    snprintf(reason, sizeof reason, "duplicate key, first in line %d", node->first_line);
    complain(binder, node->line, reason);
}

static void complain_unknown(struct binder *binder, const struct option *options, const char *key,
                             int line)
{
    const char *nearest = NULL;
    size_t least = strlen(key) < 3 ? strlen(key) : 3;
    for (; options->type != OPTION_END; options++) {
        size_t distance = near_edits(key, options->name);
        if (distance < least) {
            least = distance;
            nearest = options->name;
        }
    }
    char reason[256];
    snprintf(reason, sizeof reason, nearest ? "unknown key, did you mean \"%s\"?" : "unknown key",
             nearest);
    complain(binder, line, reason);
}

/* --- defaults and wiping ------------------------------------------------------------------- */

void options_default(const struct option *options, void *out, struct arena *arena)
{
    for (; options->type != OPTION_END; options++) {
        struct error error;
        if (options->type == OPTION_TYPE_SECTION)
            options_default(options->section, value_at(options, out), arena);
        if (!options->otherwise)
            continue;
        if (!options_value_set(options, options->otherwise, "", value_at(options, out), arena,
                               &error))
            memory_abort("default of %s: %s", options->name, error.message);
    }
}

void options_finish(const struct option *options, void *out)
{
    for (; options->type != OPTION_END; options++) {
        void *value = value_at(options, out);
        if (options->type == OPTION_TYPE_SECRET)
            secret_finish(value);
        if (options->type == OPTION_TYPE_SECTION)
            options_finish(options->section, value);
        if (options->type == OPTION_TYPE_ITEMS || options->type == OPTION_TYPE_NAMED) {
            const struct option_items *items = value;
            for (size_t i = 0; i < items->count; i++)
                options_finish(options->section, (char *)items->items + i * options->item_bytes);
        }
    }
}

bool options_refresh(const struct option *options, const void *values)
{
    void *out = (void *)(uintptr_t)values; /* secrets are renewed in place, for every reader */
    bool changed = false;
    for (; options->type != OPTION_END; options++) {
        void *value = value_at(options, out);
        const struct option_items *items = value;
        if (options->type == OPTION_TYPE_SECRET)
            changed |= secret_refresh(value);
        if (options->type == OPTION_TYPE_SECTION)
            changed |= options_refresh(options->section, value);
        if (options->type == OPTION_TYPE_ITEMS || options->type == OPTION_TYPE_NAMED)
            for (size_t i = 0; i < items->count; i++)
                changed |= options_refresh(options->section,
                                           (char *)items->items + i * options->item_bytes);
    }
    return changed;
}

/* --- a tree into a struct ------------------------------------------------------------------ */

typedef void bind_function(struct binder *binder, const struct option *option,
                           struct options_yaml_node *node, void *value);

static void bind_mapping(struct binder *binder, const struct option *options,
                         const struct options_yaml_node *mapping, void *out);

/* True when the node is of that kind; a complaint otherwise. */
static bool expect(struct binder *binder, const struct options_yaml_node *node,
                   enum options_yaml_kind kind)
{
    static const char *const kinds[] = { "empty", "a single value", "a list", "a mapping" };
    if (node->kind == kind)
        return true;
    char reason[80];
    snprintf(reason, sizeof reason, "must be %s, not %s", kinds[kind], kinds[node->kind]);
    complain(binder, node->line, reason);
    return false;
}

static void bind_scalar(struct binder *binder, const struct option *option,
                        struct options_yaml_node *node, void *value)
{
    struct error error;
    bool ok = true;
    if (!expect(binder, node, OPTIONS_YAML_TEXT))
        return;
    if (is_secret_file(option, node->key))
        ok = secret_read(value, options_value_path(node->text, binder->folder, binder->arena),
                         &error);
    else
        ok = options_value_set(option, node->text, binder->folder, value, binder->arena, &error);
    if (!ok)
        complain(binder, node->line, error.message);
    if (option->type == OPTION_TYPE_SECRET)
        explicit_bzero(node->text, strlen(node->text));
}

static void bind_list(struct binder *binder, const struct option *option,
                      struct options_yaml_node *node, void *value)
{
    const struct options_yaml_node single = { .count = 1, .first = node };
    const struct options_yaml_node *list = node->kind == OPTIONS_YAML_TEXT ? &single : node;
    if (list == node && !expect(binder, node, OPTIONS_YAML_LIST))
        return;
    const char **texts = arena_alloc(binder->arena, (list->count + 1) * sizeof *texts);
    int *lines = arena_zalloc(binder->arena, (list->count + 1) * sizeof *lines);
    struct options_yaml_node *member = list->first;
    for (size_t i = 0; i < list->count; i++, member = member->next) {
        struct error error;
        int index;
        texts[i] = arena_text(binder->arena, member->text ? member->text : "");
        lines[i] = member->line;
        if (expect(binder, member, OPTIONS_YAML_TEXT) &&
            !options_value_word(option, texts[i], &index, &error))
            complain(binder, member->line, error.message);
    }
    *(struct option_texts *)value = (struct option_texts){ texts, list->count, lines };
}

static void bind_map(struct binder *binder, const struct option *option,
                     struct options_yaml_node *node, void *value)
{
    (void)option;
    struct option_pairs *pairs = value;
    if (!expect(binder, node, OPTIONS_YAML_MAPPING))
        return;
    pairs->pairs = arena_zalloc(binder->arena, (node->count + 1) * sizeof *pairs->pairs);
    pairs->count = node->count;
    struct option_pair *pair = pairs->pairs;
    for (const struct options_yaml_node *it = node->first; it; it = it->next, pair++) {
        size_t before = enter(binder, it->key);
        if (it->first_line)
            complain_duplicate(binder, it);
        else if (it->kind != OPTIONS_YAML_NULL)
            expect(binder, it, OPTIONS_YAML_TEXT);
        leave(binder, before);
        pair->name = arena_text(binder->arena, it->key);
        pair->value = arena_text(binder->arena, it->text ? it->text : "");
        pair->line = it->line;
    }
}

/* Note in the struct that something was wrong. */
static void mark(const struct option *option, bool wrong, void *out)
{
    if (option->wrong_offset && wrong)
        *(bool *)((char *)out + option->wrong_offset) = true;
}

static void bind_section(struct binder *binder, const struct option *option,
                         struct options_yaml_node *node, void *value)
{
    bind_mapping(binder, option->section, node, value);
}

/* A list of mappings, or a mapping of names to mappings. */
static void bind_items(struct binder *binder, const struct option *option,
                       struct options_yaml_node *node, void *value)
{
    bool named = option->type == OPTION_TYPE_NAMED;
    struct option_items *items = value;
    if (!expect(binder, node, named ? OPTIONS_YAML_MAPPING : OPTIONS_YAML_LIST))
        return;
    items->items = arena_zalloc(binder->arena, (node->count + 1) * option->item_bytes);
    items->count = node->count;
    char *item = items->items;
    size_t index = 0;
    for (struct options_yaml_node *it = node->first; it; it = it->next) {
        size_t before = binder->path.length, reasons = binder->report->count;
        if (named)
            enter(binder, it->key);
        else
            buf_printf(&binder->path, "[%zu]", index);
        if (it->first_line)
            complain_duplicate(binder, it);
        if (named)
            *(const char **)(void *)item = arena_text(binder->arena, it->key);
        options_default(option->section, item, binder->arena);
        bind_mapping(binder, option->section, it, item);
        mark(option, binder->report->count != reasons, item);
        leave(binder, before);
        item += option->item_bytes;
        index++;
    }
}

/* clang-format off */
static bind_function *const binders[] = {
    [OPTION_TYPE_TEXT]        = bind_scalar,
    [OPTION_TYPE_BOOL]        = bind_scalar,
    [OPTION_TYPE_INTEGER]     = bind_scalar,
    [OPTION_TYPE_NUMBER]      = bind_scalar,
    [OPTION_TYPE_DURATION]    = bind_scalar,
    [OPTION_TYPE_SIZE]        = bind_scalar,
    [OPTION_TYPE_WORD]        = bind_scalar,
    [OPTION_TYPE_URL]         = bind_scalar,
    [OPTION_TYPE_SECRET]      = bind_scalar,
    [OPTION_TYPE_PATH]        = bind_scalar,
    [OPTION_TYPE_TEXT_LIST]   = bind_list,
    [OPTION_TYPE_TEXT_MAP]    = bind_map,
    [OPTION_TYPE_SECTION]     = bind_section,
    [OPTION_TYPE_ITEMS]       = bind_items,
    [OPTION_TYPE_NAMED]       = bind_items,
};
/* clang-format on */

/* One key and what stands behind it. */
static void bind_row(struct binder *binder, const struct option *option,
                     const struct options_yaml_node *mapping, struct options_yaml_node *node,
                     void *out)
{
    size_t reasons = binder->report->count;
    if (is_secret_file(option, node->key) && options_yaml_find(mapping, option->name)) {
        char reason[160];
        snprintf(reason, sizeof reason, "both %s and %s are given", option->name, node->key);
        complain(binder, node->line, reason);
        return;
    }
    if (option->line_offset)
        *(int *)(void *)((char *)out + option->line_offset) = node->line;
    if (node->kind == OPTIONS_YAML_NULL)
        return;
    binders[option->type](binder, option, node, value_at(option, out));
    if (option->type == OPTION_TYPE_SECTION)
        mark(option, binder->report->count != reasons, out);
    const char *wrong = NULL;
    if (option->check && binder->report->count == reasons)
        wrong = option->check(value_at(option, out));
    if (wrong)
        complain(binder, node->line, wrong);
}

static bool is_given(const struct options_yaml_node *mapping, const struct option *option)
{
    const struct options_yaml_node *node = mapping ? mapping->first : NULL;
    for (; node; node = node->next) {
        if ((!strcmp(node->key, option->name) || is_secret_file(option, node->key)) &&
            node->kind != OPTIONS_YAML_NULL)
            return true;
    }
    return false;
}

/* Complain about what is missing in a mapping (NULL: in a section that is not there). */
static void check_required(struct binder *binder, const struct option *options,
                           const struct options_yaml_node *mapping, int line)
{
    for (; options->type != OPTION_END; options++) {
        if (!options->required || is_given(mapping, options))
            continue;
        size_t before = enter(binder, options->name);
        if (options->type == OPTION_TYPE_SECTION)
            check_required(binder, options->section, NULL, line);
        else
            complain(binder, line, "is required but missing");
        leave(binder, before);
    }
}

static void bind_mapping(struct binder *binder, const struct option *options,
                         const struct options_yaml_node *mapping, void *out)
{
    if (mapping->kind != OPTIONS_YAML_NULL && !expect(binder, mapping, OPTIONS_YAML_MAPPING))
        return;
    for (struct options_yaml_node *node = mapping->first; node; node = node->next) {
        const struct option *option = find_row(options, node->key);
        size_t before = enter(binder, node->key);
        if (!option)
            complain_unknown(binder, options, node->key, node->line);
        else if (node->first_line)
            complain_duplicate(binder, node);
        else
            bind_row(binder, option, mapping, node, out);
        leave(binder, before);
    }
    check_required(binder, options, mapping, mapping->line);
}

/* --- texts and files ----------------------------------------------------------------------- */

static const char *folder_of(const char *name, struct arena *arena)
{
    const char *slash = strrchr(name, '/');
    return slash ? arena_copy(arena, name, (size_t)(slash + 1 - name)) : "";
}

bool options_read(const struct option *options, const char *name, const char *text, size_t length,
                  void *out, struct arena *arena, struct option_report *report)
{
    CLEANUP(arena_finish) struct arena tree = { 0 };
    CLEANUP(finish_binder)
    struct binder binder = {
        .name = name, .folder = folder_of(name, arena), .arena = arena, .report = report
    };
    struct options_yaml_node *root = NULL;
    struct error error;
    int line = 0;
    bool is_yaml = length <= FILE_LIMIT_BYTES
                       ? options_yaml_parse(text, length, &tree, &root, &line, &error)
                       : error_set(&error, ERROR_CONFIG, "larger than 4 MiB");
    report->unread |= !is_yaml;
    if (is_yaml)
        bind_mapping(&binder, options, root, out);
    else
        options_complain(report, name, line, "", "%s", error.message);
    return report->count == 0;
}

int options_line(const struct option_texts *texts, size_t index)
{
    return texts->lines && index < texts->count ? texts->lines[index] : 0;
}

int options_file(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return errno;
    buf_reserve(out, FILE_LIMIT_BYTES + 1);
    errno = 0;
    out->length = fread(out->data, 1, FILE_LIMIT_BYTES + 1, file);
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    return reason;
}

bool options_read_file(const struct option *options, const char *path, void *out,
                       struct arena *arena, struct option_report *report)
{
    CLEANUP(buf_finish) struct buf text = { 0 };
    int reason = options_file(path, &text);
    if (reason)
        options_complain(report, path, 0, "", "%s", strerror(reason));
    bool ok = !reason && options_read(options, path, text.data, text.length, out, arena, report);
    if (text.data)
        explicit_bzero(text.data, text.length); /* it may hold secrets */
    return ok;
}

/* --- one value from a flag ----------------------------------------------------------------- */

/* The item of that name, made with its defaults when it is not there. */
static void *named_item(const struct option *option, const char *name, struct option_items *items,
                        struct arena *arena)
{
    char *item = items->items;
    for (size_t i = 0; i < items->count; i++, item += option->item_bytes) {
        if (!strcmp(*(const char **)(void *)item, name))
            return item;
    }
    size_t bytes = items->count * option->item_bytes;
    char *grown = arena_zalloc(arena, bytes + option->item_bytes);
    if (bytes)
        memcpy(grown, items->items, bytes);
    item = grown + bytes;
    *(const char **)(void *)item = arena_text(arena, name);
    options_default(option->section, item, arena);
    *items = (struct option_items){ grown, items->count + 1 };
    return item;
}

/* Follow the path through sections and named items. NULL: it leads nowhere; *out is the struct
 * the row found lives in, *key its own name. */
static const struct option *follow(const struct option *options, const char *path, void **out,
                                   struct arena *arena, const char **key)
{
    const struct option *option = NULL;
    while (*path) {
        size_t length = strcspn(path, ".");
        *key = arena_copy(arena, path, length);
        path += length + (path[length] == '.');
        option = find_row(options, *key);
        if (!option || !*path)
            break;
        if (option->type == OPTION_TYPE_SECTION) {
            *out = value_at(option, *out);
        } else if (option->type == OPTION_TYPE_NAMED) {
            length = strcspn(path, ".");
            *out =
                named_item(option, arena_copy(arena, path, length), value_at(option, *out), arena);
            path += length + (path[length] == '.');
        } else {
            return NULL;
        }
        options = option->section;
        option = NULL;
    }
    return option;
}

bool options_set(const struct option *options, const char *path, const char *text,
                 const char *origin, void *out, struct arena *arena, struct option_report *report)
{
    const char *key = "";
    struct error error;
    size_t before = report->count;
    const struct option *option = follow(options, path, &out, arena, &key);
    if (!option || option->type >= OPTION_TYPE_TEXT_MAP) {
        options_complain(report, origin, 0, path, "cannot be set from one text");
        return false;
    }
    void *value = value_at(option, out);
    bool ok = is_secret_file(option, key)
                  ? secret_read(value, text, &error)
                  : options_value_set(option, text, "", value, arena, &error);
    const char *wrong = ok && option->check ? option->check(value) : NULL;
    if (!ok || wrong)
        options_complain(report, origin, 0, path, "%s", ok ? wrong : error.message);
    return report->count == before;
}
