#include "catalogue.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/compiler.h"
#include "draw.h"

enum {
    MFA,
    PORTS,
    VULNERABILITIES,
    UPDATES,
    ACCESS,
    AT_REST,
    NETWORK,
    IN_TRANSIT,
    CONFIGURATION,
    APPLICATION_CONTROL,
    DDOS,
    ENDPOINT,
    AUDITING,
    BEST_PRACTICES,
    ENHANCED
};

/* clang-format off */
static const struct control control_table[CONTROL_COUNT] = {
    [MFA]                 = { "Enable MFA", 10 },
    [PORTS]               = { "Secure management ports", 8 },
    [VULNERABILITIES]     = { "Remediate vulnerabilities", 6 },
    [UPDATES]             = { "Apply system updates", 6 },
    [ACCESS]              = { "Manage access and permissions", 4 },
    [AT_REST]             = { "Enable encryption at rest", 4 },
    [NETWORK]             = { "Restrict unauthorized network access", 4 },
    [IN_TRANSIT]          = { "Encrypt data in transit", 4 },
    [CONFIGURATION]       = { "Remediate security configurations", 4 },
    [APPLICATION_CONTROL] = { "Apply adaptive application control", 3 },
    [DDOS]                = { "Protect applications against DDoS attacks", 2 },
    [ENDPOINT]            = { "Enable endpoint protection", 2 },
    [AUDITING]            = { "Enable auditing and logging", 1 },
    [BEST_PRACTICES]      = { "Implement security best practices", 0 },
    [ENHANCED]            = { "Enable enhanced security features", 0 },
};

#define K(kind) (1u << KIND_##kind)
#define MACHINES (K(VM) | K(ARC) | K(ON_PREMISE))
#define AGENTED (K(VM) | K(ARC))
#define STORES (K(STORAGE) | K(SQL) | K(DATABASE) | K(COSMOS) | K(AWS) | K(GCP))
#define PLATFORM (K(STORAGE) | K(SQL) | K(VAULT) | K(AKS) | K(WEB) | K(REGISTRY) | K(COSMOS))

static const struct special {
    unsigned kinds;
    int control;
    const char *severity, *title;
} specials[] = {
    { K(VM) | K(ARC), CONFIGURATION, "Low", "Vulnerabilities in security configuration on your "
      "Windows machines should be remediated (powered by Guest Configuration)" },
    { K(VM) | K(ARC), CONFIGURATION, "Low", "Vulnerabilities in security configuration on your "
      "Linux machines should be remediated (powered by Guest Configuration)" },
    { K(SUBSCRIPTION), MFA, "High", "MFA should be enabled for every owner of the subscription" },
    { K(SUBSCRIPTION), MFA, "High", "MFA should be enabled for accounts with write permissions" },
    { K(SUBSCRIPTION), MFA, "Medium", "MFA should be enabled for accounts with read permissions" },
    { K(SUBSCRIPTION), ACCESS, "High", "Blocked accounts should not own the subscription" },
    { K(SUBSCRIPTION), ACCESS, "Medium", "Guest accounts that can write should be reviewed" },
    { K(SUBSCRIPTION), ACCESS, "Low", "A subscription should have two to three owners" },
    { K(SUBSCRIPTION), ENHANCED, "High", "Microsoft Defender for Servers should be enabled" },
    { K(SUBSCRIPTION), ENHANCED, "High", "Microsoft Defender for Storage should be enabled" },
    { K(SUBSCRIPTION), ENHANCED, "High", "Microsoft Defender for Containers should be enabled" },
    { K(SUBSCRIPTION), ENHANCED, "Medium", "Microsoft Defender CSPM should be enabled" },
    { K(SUBSCRIPTION), BEST_PRACTICES, "Low", "Subscriptions should have a security contact" },
    { MACHINES, PORTS, "High", "Management ports of machines should be protected with just-in-time "
      "network access" },
    { K(VM), PORTS, "Medium", "Management ports should be closed on internet-facing machines" },
    { MACHINES, VULNERABILITIES, "Medium", "Machines should have vulnerability findings resolved" },
    { MACHINES, VULNERABILITIES, "High", "Exposed secrets found on machines should be removed" },
    { MACHINES, VULNERABILITIES, "Critical", "Machines should not run software with a known "
      "exploited vulnerability" },
    { MACHINES, UPDATES, "Medium", "Missing system updates should be installed on machines" },
    { AGENTED, UPDATES, "Low", "Machines should check for missing updates periodically" },
    { MACHINES, ENDPOINT, "High", "An EDR solution should be installed on machines" },
    { MACHINES, ENDPOINT, "Medium", "Health issues of the EDR solution should be resolved" },
    { AGENTED, APPLICATION_CONTROL, "Medium", "An allow list of safe applications should be set" },
    { K(VM), AT_REST, "High", "Virtual machines should encrypt temp disks, caches and data flows" },
    { K(VM), BEST_PRACTICES, "Medium", "The machine configuration extension should be installed" },
    { K(VM), BEST_PRACTICES, "Medium", "The machine configuration extension should have "
      "a system-assigned managed identity" },
    { K(VM), NETWORK, "High", "All network ports should be restricted on network security groups" },
    { K(VM), NETWORK, "Medium", "IP forwarding on virtual machines should be disabled" },
    { K(SUBNET), NETWORK, "Medium", "Subnets should be associated with a network security group" },
    { K(SUBNET), DDOS, "Medium", "Virtual networks should be protected by DDoS protection" },
    { K(SUBNET), NETWORK, "Low", "Subnets should be protected by a firewall" },
    { K(WEB), IN_TRANSIT, "Medium", "Web apps should be reachable over HTTPS only" },
    { K(WEB), DDOS, "Low", "Web application firewall should be enabled for application gateways" },
    { K(AKS), CONFIGURATION, "High", "Privileged containers should be avoided" },
    { K(AKS), CONFIGURATION, "Medium", "Container CPU and memory limits should be enforced" },
    { K(AKS), ACCESS, "High", "Kubernetes clusters should use role-based access control" },
    { K(AKS), VULNERABILITIES, "High", "Running container images should have vulnerability "
      "findings resolved" },
    { K(REGISTRY), VULNERABILITIES, "High", "Registry images should have vulnerability findings "
      "resolved" },
    { K(STORAGE), NETWORK, "High", "Anonymous public access to storage accounts should be denied" },
    { K(SQL) | K(DATABASE), VULNERABILITIES, "High", "SQL databases should have vulnerability "
      "findings resolved" },
    { K(SQL), ACCESS, "High", "An Entra administrator should be provisioned for SQL servers" },
    { K(VAULT), ACCESS, "High", "Key vaults should have purge protection enabled" },
    { K(VAULT), BEST_PRACTICES, "Medium", "Key vault secrets should have an expiration date" },
    { K(AWS), NETWORK, "Critical", "S3 buckets should not be writable by the public" },
    { K(AWS), ACCESS, "Medium", "S3 bucket policies should not grant access to other accounts" },
    { K(GCP), NETWORK, "High", "Cloud Storage buckets should not be anonymously accessible" },
};

/* The last ones of the list, with --multicloud. */
static const struct special repositories[] = {
    { K(GITHUB), VULNERABILITIES, "High", "GitHub repositories should have secret scanning "
      "findings resolved" },
    { K(GITHUB), CONFIGURATION, "Medium", "GitHub repositories should protect their default "
      "branch" },
    { K(DEVOPS), VULNERABILITIES, "Critical", "Azure DevOps repositories should have secret "
      "scanning findings resolved" },
    { K(DEVOPS), CONFIGURATION, "Medium", "Azure DevOps build pipelines should not use fork "
      "secrets" },
};

/* "%s" is the plural of the kind. */
static const struct aspect {
    unsigned kinds;
    int control;
    const char *severity, *title;
} aspects[] = {
    { PLATFORM, AUDITING, "Low", "%s should have diagnostic logs enabled" },
    { PLATFORM, NETWORK, "Medium", "%s should restrict public network access" },
    { PLATFORM, NETWORK, "Medium", "%s should use private link" },
    { STORES | K(REGISTRY) | K(AKS), AT_REST, "Low",
      "%s should encrypt data at rest with customer-managed keys" },
    { PLATFORM | K(AWS), IN_TRANSIT, "High", "%s should require TLS 1.2 or later" },
    { PLATFORM | K(DATABASE), ACCESS, "Medium", "%s should disable local authentication" },
    { MACHINES | PLATFORM, BEST_PRACTICES, "Low", "%s should have a backup policy" },
    { K(WEB) | K(AKS) | K(VM), ACCESS, "Medium", "%s should use a managed identity" },
    { PLATFORM | K(VM) | K(GCP), BEST_PRACTICES, "Low", "%s should carry an owner tag" },
    { STORES, AUDITING, "Medium", "%s should have access auditing enabled" },
    { MACHINES | K(AKS) | K(WEB), CONFIGURATION, "Medium",
      "%s should run a supported operating system or runtime version" },
    { PLATFORM | K(AWS) | K(GCP), BEST_PRACTICES, "Low", "%s should keep deleted data a month" },
};

static const struct { const char *plural, *category; } kinds[KIND_COUNT] = {
    [KIND_SUBSCRIPTION] = { "Subscriptions", "IdentityAndAccess" },
    [KIND_VM]           = { "Virtual machines", "Compute" },
    [KIND_ARC]          = { "Arc-enabled servers", "Compute" },
    [KIND_ON_PREMISE]   = { "On-premises machines", "Compute" },
    [KIND_STORAGE]      = { "Storage accounts", "Data" },
    [KIND_SQL]          = { "SQL servers", "Data" },
    [KIND_DATABASE]     = { "SQL databases", "Data" },
    [KIND_VAULT]        = { "Key vaults", "Data" },
    [KIND_AKS]          = { "Kubernetes clusters", "Container" },
    [KIND_WEB]          = { "Web apps", "AppServices" },
    [KIND_REGISTRY]     = { "Container registries", "Container" },
    [KIND_SUBNET]       = { "Subnets", "Networking" },
    [KIND_COSMOS]       = { "Cosmos DB accounts", "Data" },
    [KIND_AWS]          = { "S3 buckets", "Data" },
    [KIND_GCP]          = { "Cloud Storage buckets", "Data" },
    [KIND_GITHUB]       = { "GitHub repositories", "DevOps" },
    [KIND_DEVOPS]       = { "Azure DevOps repositories", "DevOps" },
};

static const char *const threat_words[] = { /* Azure's own casing varies */
    "AccountBreach", "dataExfiltration", "DataSpillage", "maliciousInsider",
    "ElevationOfPrivilege", "ThreatResistance", "missingCoverage", "denialOfService",
};
/* clang-format on */

static const char *const baseline_keys[OS_COUNT] = {
    [OS_WINDOWS] = "8c3d9ad0-3639-4686-9cd2-2b2ab2609bda",
    [OS_LINUX] = "1f655fb7-63ca-4980-91a3-56dbc2b715c6",
};
static const char *const baseline_policies[OS_COUNT] = {
    [OS_WINDOWS] = "72650e9f-97bc-4b2a-ab5f-9781a9fcecbc",
    [OS_LINUX] = "fc9b3da7-8347-4380-8e70-0a0361d8dedd",
};

PRINTF_LIKE(2, 3)
static const char *format_text(struct arena *texts, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return arena_text(texts, text);
}

static const char *category_of(unsigned kind_mask)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (kind_mask & 1u << kind)
            return kinds[kind].category;
    return "Compute";
}

/* The rest of what the portal says of a recommendation; HTML as Azure writes it. */
static void describe(struct catalogue *catalogue, struct recommendation *row, uint64_t seed,
                     size_t number)
{
    static const char *const levels[] = { "Low", "Moderate", "High" };
    struct arena *texts = &catalogue->texts;
    uint64_t hash = draw(seed, DRAW_KEY, number + 100000);
    char policy[37];
    row->effort = number % 29 == 7 ? NULL : levels[hash % 3];
    row->impact = number % 29 == 7 ? NULL : levels[hash >> 8 & 1];
    row->preview = number % 13 == 5 && row->baseline < 0;
    row->category = category_of(row->kinds);
    row->deprecation = number % 41 == 17 ? "03/2027" : NULL;
    row->threats = number % 31 == 11
                       ? "[]"
                       : format_text(texts, "[\"%s\",\"%s\"]", threat_words[hash >> 16 & 7],
                                     threat_words[(hash >> 16 & 7) ^ (1 + (hash >> 20 & 3))]);
    row->description = format_text(
        texts,
        "%s. Attackers look for what is left open &amp; reachable, and a compromise can spread "
        "to other resources.<br> <a href=\"https://learn.microsoft.com/azure/defender-for-cloud/"
        "recommendations-reference\" target=\"_blank\">Learn more</a>%s",
        row->title, number % 37 == 3 ? "<script>alert('recommendation')</script>" : "");
    row->remediation = format_text(
        texts,
        "To follow the recommendation:<br><ol><li>Open the <b>resource</b> in the portal.</li>"
        "<li>Choose the setting that is named above.</li><li>Select <i>Save</i> and wait for "
        "the next evaluation.</li></ol>%s",
        number % 3 ? "" : "\n<ul><li>Or assign the <code>policy</code> with its fix.</li></ul>");
    draw_guid(seed, DRAW_POLICY, number, policy);
    if (row->baseline >= 0)
        row->policy = baseline_policies[row->baseline];
    else
        row->policy = number % 17 == 9 ? "" : arena_text(texts, policy);
    if (*row->policy)
        row->policy = format_text(texts, "/providers/Microsoft.Authorization/policyDefinitions/%s",
                                  row->policy);
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp(((const struct recommendation *)left)->key,
                  ((const struct recommendation *)right)->key);
}

static void take(const struct special *special, struct recommendation *row)
{
    row->kinds = special->kinds;
    row->control = special->control;
    row->severity = special->severity;
    row->title = special->title;
}

/* Row `number` of the endless list: the specials, then aspects of kinds, then custom policies. */
static void pick(struct catalogue *catalogue, size_t number, struct recommendation *row)
{
    if (number < ARRAY_COUNT(specials)) {
        take(&specials[number], row);
        return;
    }
    size_t left = number - ARRAY_COUNT(specials);
    for (size_t a = 0; a < ARRAY_COUNT(aspects); a++)
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            if (!(aspects[a].kinds & 1u << kind) || left-- > 0)
                continue;
            row->kinds = 1u << kind;
            row->control = aspects[a].control;
            row->severity = aspects[a].severity;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            row->title = format_text(&catalogue->texts, aspects[a].title, kinds[kind].plural);
#pragma GCC diagnostic pop
            return;
        }
    row->kinds = 1u << (1 + number % (KIND_PLAIN_COUNT - 1));
    row->control = CONTROL_NONE;
    row->severity = "Medium";
    row->assessment_type = "CustomPolicy";
    row->title = format_text(&catalogue->texts, "Contoso standard %03zu should be met", left + 1);
}

/* One of a package or a secret: no list of recommendations has it, no control counts it. */
static void pick_individual(struct catalogue *catalogue, size_t number, struct recommendation *row)
{
    static const char *const packages[] = { "curl", "openssl", "zlib", "bash", "lodash", "log4j" };
    static const char *const severities[] = { "High", "Medium", "Critical", "Low" };
    bool secret = number % 4 == 3;
    row->kinds = MACHINES;
    row->control = CONTROL_NONE;
    row->assessment_type = "DynamicBuiltIn";
    row->severity = severities[number / 2 % ARRAY_COUNT(severities)];
    row->individual = secret ? "ExposedSecrets" : "SoftwareUpdate";
    if (secret)
        row->title = format_text(&catalogue->texts, "Remove the connection string %zu", number);
    else
        row->title = format_text(&catalogue->texts, "Update %s %zu",
                                 packages[number % ARRAY_COUNT(packages)], number);
}

static bool is_grouped(const struct catalogue *catalogue, const struct recommendation *row)
{
    return row->baseline >= 0 ||
           (catalogue->individual && (strstr(row->title, "vulnerability findings resolved") ||
                                      strstr(row->title, "secrets found on machines")));
}

void catalogue_build(struct catalogue *catalogue, uint64_t seed, size_t base, size_t individual,
                     bool multicloud)
{
    size_t count = base + individual;
    catalogue->individual = individual;
    catalogue->rows = calloc(count, sizeof *catalogue->rows);
    if (!catalogue->rows)
        abort();
    catalogue->count = count;
    for (size_t i = 0; i < count; i++) {
        struct recommendation *row = &catalogue->rows[i];
        row->assessment_type = i % 19 == 6 ? "CustomerManaged" : "BuiltIn";
        row->baseline = i < OS_COUNT ? (int)i : -1;
        row->individual = "";
        if (i >= base) {
            pick_individual(catalogue, i - base, row);
        } else if (multicloud && i + ARRAY_COUNT(repositories) >= base) {
            row->assessment_type = "BuiltIn";
            take(&repositories[base - 1 - i], row);
        } else {
            pick(catalogue, i, row);
        }
        row->grouped = is_grouped(catalogue, row);
        if (row->baseline >= 0)
            memcpy(row->key, baseline_keys[row->baseline], sizeof row->key);
        else
            draw_guid(seed, DRAW_KEY, i, row->key);
        describe(catalogue, row, seed, i);
        if (row->preview || strcmp(row->assessment_type, "BuiltIn") != 0)
            row->control = CONTROL_NONE; /* neither counts in the score */
    }
    qsort(catalogue->rows, count, sizeof *catalogue->rows, compare_keys);
    for (size_t i = 0; i < count; i++)
        if (catalogue->rows[i].baseline >= 0)
            catalogue->baseline[catalogue->rows[i].baseline] = (int)i;
    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        catalogue->controls[i] = control_table[i];
        draw_guid(0, DRAW_KEY, 900000 + i, catalogue->controls[i].key);
    }
}

void catalogue_finish(struct catalogue *catalogue)
{
    free(catalogue->rows);
    arena_finish(&catalogue->texts);
}
