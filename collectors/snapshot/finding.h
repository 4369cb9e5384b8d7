#pragma once
/* The one record everybody shares: something Defender found wrong with one resource. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collectors/snapshot/cloud_kind.h"
#include "collectors/snapshot/source.h"

enum risk_level { RISK_CRITICAL, RISK_HIGH, RISK_MEDIUM, RISK_LOW, RISK_NOT_EVALUATED, RISK_COUNT };
enum severity {
    SEVERITY_CRITICAL, SEVERITY_HIGH, SEVERITY_MEDIUM, SEVERITY_LOW, SEVERITY_UNKNOWN,
    SEVERITY_COUNT
};
/* What an assessment says of a resource. EXEMPT is cause "Exempt", whatever the code. */
enum finding_status {
    STATUS_HEALTHY, STATUS_UNHEALTHY, STATUS_NOT_APPLICABLE, STATUS_EXEMPT, STATUS_COUNT
};
/* Why a finding is no longer open. Labels of defender_finding_resolutions_total. */
enum finding_reason {
    REASON_FIXED, REASON_EXEMPTED, REASON_NOT_APPLICABLE, REASON_RESOURCE_DELETED,
    REASON_PLAN_OFF, REASON_RETIRED,
    REASON_NO_LONGER_ASSESSED, /* no row for too long, nobody knows why: neither good nor fixed */
    REASON_COUNT
};

/* How Azure tells what it finds on a resource: one recommendation for all of a kind, whose single
 * ones are its sub-assessments (grouped), or one for each (individual); most are neither. */
enum finding_model { MODEL_PLAIN, MODEL_GROUPED, MODEL_INDIVIDUAL, MODEL_COUNT };

/* The words of labels and rules, in the order of the enums, NULL-terminated. */
extern const char *const finding_risk_words[];
extern const char *const finding_severity_words[];
extern const char *const finding_status_words[];
extern const char *const finding_reason_words[];
extern const char *const finding_model_words[];

/* From Azure's words, without case; missing, empty, "None" and unknown words are
 * not_evaluated / unknown. source: Microsoft.Security REST API. */
enum risk_level finding_risk(const char *word);
enum severity finding_severity(const char *word);

/* The level a severity stands for where nobody rated the risk. */
enum risk_level finding_risk_of(enum severity severity);

/* Whether the word is one of those, or says that there is none. */
bool finding_risk_is_known(const char *word);
bool finding_severity_is_known(const char *word);

/* From status.code and status.cause. Returns STATUS_COUNT for a code nobody knows (drift). */
enum finding_status finding_status(const char *code, const char *cause);

/* Identity, stable across restarts, replicas and case changes of resource ids. No tenant is in it:
 * row ids are unique everywhere, and what two tenants show (Azure Lighthouse) is one finding. */
struct finding_id {
    uint8_t bytes[16]; /* first half of SHA-256(name of the collector, 0, lower-case row id) */
};
struct finding_id finding_id(const struct source *source, const char *row_id, size_t length);
int finding_id_compare(const struct finding_id *left, const struct finding_id *right);

/* 16 hex digits, as in labels, links and pages; out: 17 bytes. Returns out. */
char *finding_id_text(const struct finding_id *id, char out[17]);

/* What readers see (snapshot.h: part_finding fills it from the compact record). Texts live as long
 * as the snapshot, except resource_id, which lives in the caller's buffer. Never NULL. */
struct finding {
    struct finding_id id;
    const struct source *source;
    enum risk_level risk;
    enum severity severity;
    bool contextual;       /* risk from Defender CSPM context, not derived from severity */
    bool internet_exposed; /* a risk factor says so */
    unsigned attack_paths;
    enum cloud_kind cloud;
    const char *connector; /* name of the Defender connector of what is outside Azure, else "" */
    const char *account;   /* AWS account, GCP project, owner of a repository; "" = Azure */
    const char *native_id; /* ARN, path of GCP, address of a repository; "" = Azure, unknown */
    const char *location;  /* region, "" = not told (of Azure's own never) */
    const char *assessment_id, *title, *subscription_id, *resource_group, *resource_type,
        *resource_name, *resource_id, *category, *risk_factors; /* factors: joined with "," */
    int64_t first_seen_at, changed_at;
    enum finding_model model;
    const char *reason_phrase; /* why a rule fails, as its machine says it; what else a row of the
                                  operator's query says; NULL = not kept */
};

/* The type of a lower-case ARM id: namespace and type words of its last provider. False when it is
 * none. (Azure's own ResourceType lacks the namespace.) out: as large as the id, and 64 bytes. */
bool finding_resource_type(const char *id, char *out);

/* Heads of the assessment ids of findings that are attack paths, and security alerts. */
#define FINDING_ATTACK_PATH "attack_path."
#define FINDING_SECURITY_ALERT "security_alert."

/* https link to the recommendation in the Azure portal, where its Fix option is, made from the
 * parts; of an attack path or a security alert to all of them, for there is no address of a single
 * one; of what else is no recommendation to the resource. Returns out. */
char *finding_link(const struct finding *finding, const char *portal, char *out,
                   unsigned out_bytes);
