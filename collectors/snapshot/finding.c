#include "collectors/snapshot/finding.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "collectors/collector.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/http.h"
#include "core/utf8.h"

const char *const finding_risk_words[] = { "critical", "high",          "medium",
                                           "low",      "not_evaluated", NULL };
const char *const finding_severity_words[] = {
    "critical", "high", "medium", "low", "unknown", NULL
};
const char *const finding_status_words[] = { "healthy", "unhealthy", "not_applicable", "exempt",
                                             NULL };
const char *const finding_reason_words[] = {
    "fixed",    "exempted", "not_applicable",     "resource_deleted",
    "plan_off", "retired",  "no_longer_assessed", NULL
};

const char *const finding_model_words[] = { "plain", "grouped", "individual", NULL };

/* The place of a word in a list, compared without case, or `otherwise`. */
static int word_index(const char *const *words, const char *word, int otherwise)
{
    for (int i = 0; words[i]; i++)
        if (!strcasecmp(words[i], word))
            return i;
    return otherwise;
}

enum risk_level finding_risk(const char *word)
{
    return (enum risk_level)word_index(finding_risk_words, word, RISK_NOT_EVALUATED);
}

enum risk_level finding_risk_of(enum severity severity)
{
    static const enum risk_level risks[SEVERITY_COUNT] = {
        [SEVERITY_CRITICAL] = RISK_CRITICAL,     [SEVERITY_HIGH] = RISK_HIGH,
        [SEVERITY_MEDIUM] = RISK_MEDIUM,         [SEVERITY_LOW] = RISK_LOW,
        [SEVERITY_UNKNOWN] = RISK_NOT_EVALUATED,
    };
    return risks[severity];
}

/* What Azure writes where nothing was evaluated. */
static const char *const no_words[] = {
    "", "none", "unknown", "notevaluated", "not evaluated", "informational", "information", NULL
};

static bool is_known(const char *const *words, const char *word)
{
    return word_index(words, word, -1) >= 0 || word_index(no_words, word, -1) >= 0;
}

bool finding_risk_is_known(const char *word)
{
    return is_known(finding_risk_words, word);
}

bool finding_severity_is_known(const char *word)
{
    return is_known(finding_severity_words, word);
}

enum severity finding_severity(const char *word)
{
    return (enum severity)word_index(finding_severity_words, word, SEVERITY_UNKNOWN);
}

enum finding_status finding_status(const char *code, const char *cause)
{
    static const char *const codes[] = { "healthy", "unhealthy", "notapplicable", NULL };
    int status = word_index(codes, code, STATUS_COUNT);
    if (status != STATUS_COUNT && !strcasecmp(cause, "exempt"))
        return STATUS_EXEMPT;
    return (enum finding_status)status;
}

struct finding_id finding_id(const struct source *source, const char *row_id, size_t length)
{
    char small[1024];
    CLEANUP(buf_finish) struct buf large = { 0 };
    char *text = small;
    const char *kind = source->collector->name;
    size_t key_bytes = strlen(kind) + 1;
    if (key_bytes + length > sizeof small) {
        buf_reserve(&large, key_bytes + length);
        text = large.data;
    }
    memcpy(text, kind, key_bytes);
    utf8_lower_ascii(text + key_bytes, row_id, length);
    struct hash_sha256 digest;
    hash_sha256(text, key_bytes + length, &digest);
    struct finding_id id;
    memcpy(id.bytes, digest.bytes, sizeof id.bytes);
    return id;
}

int finding_id_compare(const struct finding_id *left, const struct finding_id *right)
{
    return memcmp(left->bytes, right->bytes, sizeof left->bytes);
}

char *finding_id_text(const struct finding_id *id, char out[17])
{
    return hash_hex(id->bytes, 8, out);
}

bool finding_resource_type(const char *id, char *out)
{
    const char *provider = NULL;
    for (const char *at = id; (at = strstr(at, "/providers/")); at++)
        provider = at + strlen("/providers/");
    if (!provider) {
        bool group = strstr(id, "/resourcegroups/") != NULL;
        strcpy(out,
               group ? "microsoft.resources/resourcegroups" : "microsoft.resources/subscriptions");
        return !strncmp(id, "/subscriptions/", strlen("/subscriptions/"));
    }
    size_t used = strcspn(provider, "/");
    memcpy(out, provider, used);
    provider += used;
    while (*provider == '/') {
        size_t type = 1 + strcspn(provider + 1, "/");
        memcpy(out + used, provider, type);
        used += type;
        provider += type;
        provider += *provider ? 1 + strcspn(provider + 1, "/") : 0; /* the name */
    }
    out[used] = 0;
    return true;
}

/* Where the portal lists what has no address of its own; NULL = it has one.
 * source: menu items of Microsoft Defender for Cloud in the Azure portal. */
static const char *menu_of(const struct finding *finding)
{
    static const struct {
        const char *head, *item;
    } menus[] = {
        { FINDING_ATTACK_PATH, "AttackPathAnalysis" },
        { FINDING_SECURITY_ALERT, "7" },
    };
    for (size_t i = 0; i < sizeof menus / sizeof *menus; i++)
        if (!strncmp(finding->assessment_id, menus[i].head, strlen(menus[i].head)))
            return menus[i].item;
    return NULL;
}

/* The resource itself; the portal where the id is of no resource. */
static char *link_resource(const struct finding *finding, const char *portal, char *out,
                           unsigned out_bytes)
{
    CLEANUP(buf_finish) struct buf path = { 0 };
    const char *id = *finding->resource_id == '/' ? finding->resource_id : "";
    for (const char *c = id; *c; c++) {
        const char letter[] = { *c, 0 };
        if (*c == '/')
            buf_char(&path, *c);
        else
            http_escape(&path, letter);
    }
    if (snprintf(out, out_bytes, "https://%s/%s%s", portal, *id ? "#resource" : "",
                 buf_cstr(&path)) >= (int)out_bytes)
        snprintf(out, out_bytes, "https://%s/", portal);
    return out;
}

char *finding_link(const struct finding *finding, const char *portal, char *out, unsigned out_bytes)
{
    CLEANUP(buf_finish) struct buf resource = { 0 };
    const char *menu = menu_of(finding);
    if (finding->source && *finding->source->portal)
        portal = finding->source->portal;
    if (menu) {
        snprintf(out, out_bytes, "https://%s/#view/Microsoft_Azure_Security/SecurityMenuBlade/~/%s",
                 portal, menu);
        return out;
    }
    if (finding->source && finding->source->collector->own_findings)
        return link_resource(finding, portal, out, out_bytes);
    http_escape(&resource, finding->resource_id);
    int length =
        snprintf(out, out_bytes,
                 "https://%s/#blade/Microsoft_Azure_Security/RecommendationsBlade/assessmentKey/%s"
                 "/resourceId/%s",
                 portal, finding->assessment_id, buf_cstr(&resource));
    if (length >= (int)out_bytes) /* half an id leads nowhere: the recommendation, then */
        snprintf(out, out_bytes,
                 "https://%s/#blade/Microsoft_Azure_Security/RecommendationsBlade/assessmentKey/"
                 "%.64s",
                 portal, finding->assessment_id);
    return out;
}
