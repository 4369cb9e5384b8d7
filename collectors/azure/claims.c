#include "collectors/azure/claims.h"

#include <string.h>
#include <strings.h>

#include "core/hash.h"
#include "core/json.h"

enum { DEPTH_MAX = 8, CLAIMS_LIMIT_BYTES = 8192 };

static struct json *parse(const char *text, size_t length)
{
    struct error ignored;
    struct json *document = json_parse(text, length, &ignored);
    if (json_type(document) == JSON_OBJECT)
        return document;
    json_free(document);
    return NULL;
}

bool claims_read(const char *header, struct buf *out)
{
    static const char start[] = "claims=\"";
    const char *at = strcasestr(header, start);
    CLEANUP(buf_finish) struct buf text = { 0 };
    CLEANUP(buf_finish) struct buf json = { 0 };
    if (!at || !strcasestr(header, "insufficient_claims"))
        return false;
    at += sizeof start - 1;
    size_t length = strcspn(at, "\"");
    if (length > CLAIMS_LIMIT_BYTES || !at[length])
        return false;
    buf_append(&text, at, length);
    if (!hash_unbase64(buf_cstr(&text), &json))
        return false;
    struct json *document = parse(buf_cstr(&json), json.length);
    if (document)
        buf_append(out, json.data, json.length);
    json_free(document);
    return document != NULL;
}

/* Write a value again; what is deeper than claims are is left out. */
static void write_value(struct json_writer *writer, const char *name, const struct json *value,
                        int depth)
{
    enum json_type type = json_type(value);
    bool object = type == JSON_OBJECT;
    if (type == JSON_TEXT)
        json_add_text(writer, name, json_text(value));
    else if (type == JSON_NUMBER)
        json_add_number(writer, name, json_number(value, 0));
    else if (type == JSON_BOOL)
        json_add_bool(writer, name, json_bool(value, false));
    else if ((!object && type != JSON_ARRAY) || depth == DEPTH_MAX)
        json_add_text(writer, name, NULL);
    else {
        json_open(writer, name, object ? '{' : '[');
        for (const struct json *one = json_first(value); one; one = json_next(one))
            write_value(writer, json_name(one), one, depth + 1);
        json_close(writer, object ? '}' : ']');
    }
}

void claims_merge(const char *demanded, struct buf *out)
{
    static const char capability[] = "xms_cc", part[] = "access_token";
    struct json *document = demanded ? parse(demanded, strlen(demanded)) : NULL;
    struct json_writer writer = { .out = out };
    json_open(&writer, NULL, '{');
    json_open(&writer, part, '{');
    const struct json *one = json_first(json_get(document, part));
    for (; one; one = json_next(one))
        if (strcmp(json_name(one), capability) != 0)
            write_value(&writer, json_name(one), one, 0);
    json_add_raw(&writer, capability, "{\"values\":[\"cp1\"]}");
    json_close(&writer, '}');
    for (one = json_first(document); one; one = json_next(one))
        if (strcmp(json_name(one), part) != 0)
            write_value(&writer, json_name(one), one, 0);
    json_close(&writer, '}');
    json_free(document);
}
