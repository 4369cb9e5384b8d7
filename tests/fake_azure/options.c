#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/compiler.h"

enum { ASSESSMENTS_PER_MACHINE = 25, MACHINES_DERIVED_MAX = 400 };

enum option_type { NUMBER, SIZE, TEXT, ON_OFF, FLAG };

#define OPTION(member) offsetof(struct fake_options, member)

/* clang-format off */
static const struct known {
    const char *name;
    enum option_type type;
    size_t offset;
    long min, max;
    const char *help;
} known[] = {
    { "port", NUMBER, OPTION(port), 0, 65535, "0 takes a free one; printed on stdout" },
    { "cert", TEXT, OPTION(certificate), 0, 0, "serve https with this certificate file" },
    { "key", TEXT, OPTION(key), 0, 0, "its key file" },
    { "seed", NUMBER, OPTION(tenant.seed), 0, 1L << 40, "of everything that is generated" },
    { "subscriptions", SIZE, OPTION(tenant.subscriptions), 0, 2000, "5" },
    { "disabled-subscriptions", SIZE, OPTION(tenant.disabled), 0, 100, "0; besides the others" },
    { "assessments", SIZE, OPTION(tenant.assessments), 1, 2000000, "2000" },
    { "machines", SIZE, OPTION(tenant.machines), 0, 100000, "with an OS baseline; derived" },
    { "wide-machines", SIZE, OPTION(tenant.wide_machines), 0, 100000,
      "0; machines with 430 rules, more than mv-expand gives" },
    { "recommendations", SIZE, OPTION(tenant.recommendations), 20, 5000, "120" },
    { "individual", SIZE, OPTION(tenant.individual), 0, 5000,
      "0; individual recommendations of packages and secrets, beside the grouped ones" },
    { "now", NUMBER, OPTION(tenant.now), 1, 1L << 32, "fixes the tenant's clock (Unix seconds)" },
    { "evolve", NUMBER, OPTION(evolve_s), 1, 86400, "seconds between two generations" },
    { "start-generation", NUMBER, OPTION(start_generation), 0, 100000, "0" },
    { "quota", ON_OFF, OPTION(quota), 0, 0, "on or off: 429 beyond the quota; off" },
    { "quota-requests", NUMBER, OPTION(quota_requests), 1, 100000, "15 in 5 seconds" },
    { "secret", TEXT, OPTION(secret), 0, 0, "the client secret; fake-secret" },
    { "client-id", TEXT, OPTION(client_id), 0, 0, "c11e4700-0000-4000-8000-00000000c11e" },
    { "tenant-id", TEXT, OPTION(tenant_id), 0, 0, "7e4a4700-0000-4000-8000-000000007e4a" },
    { "federated-token", TEXT, OPTION(federated_token), 0, 0, "the only assertion; any" },
    { "delegated-from", TEXT, OPTION(tenant.delegated_from), 0, 0,
      "the tenant its subscriptions belong to (Azure Lighthouse); its own" },
    { "client-certificate", TEXT, OPTION(client_certificate), 0, 0,
      "PEM file; whose assertions are taken, none else" },
    { "identity-header", TEXT, OPTION(identity_header), 0, 0,
      "of App Service at /msi/token; fake-identity-header" },
    { "arc-keys", TEXT, OPTION(arc_keys), 0, 0,
      "folder that is Azure Arc's /var/opt/azcmagent/tokens to its clients" },
    { "token-lifetime", NUMBER, OPTION(token_lifetime_s), 1, 86400, "3599 seconds" },
    { "page-rows", NUMBER, OPTION(page_rows), 1, 1000, "1000; most rows of a page" },
    { "recorded", TEXT, OPTION(recorded), 0, 0, "folder of a recorded tenant" },
    { "recorded-assessments", TEXT, OPTION(recorded_assessments), 0, 0, "file with its list" },
    { "recorded-metadata", TEXT, OPTION(recorded_metadata), 0, 0, "file" },
    { "recorded-scores", TEXT, OPTION(recorded_scores), 0, 0, "file" },
    { "recorded-controls", TEXT, OPTION(recorded_controls), 0, 0, "file" },
    { "recorded-plans", TEXT, OPTION(recorded_plans), 0, 0, "file" },
    { "multicloud", FLAG, OPTION(tenant.multicloud), 0, 0,
      "AWS, GCP, GitHub and Azure DevOps below connectors, with scores and native ids" },
    { "provable", FLAG, OPTION(tenant.provable), 0, 0,
      "only resources go away that an open finding on another of their kind can prove gone" },
    { "unrated", FLAG, OPTION(tenant.unrated), 0, 0,
      "no row has a risk, as where Defender CSPM is off" },
    { "oldest-days", NUMBER, OPTION(tenant.oldest_days), 60, 7000,
      "assessments 40 to so many days old, some without a date or with one in the future" },
    { "late", NUMBER, OPTION(tenant.late_s), 1, 86400,
      "0; seconds a change of status may be older than the generation that tells of it" },
    { "date-skew", NUMBER, OPTION(tenant.date_skew_s), -86400, 86400,
      "0; seconds the clock that dates changes of status is ahead" },
    { "reevaluated", SIZE, OPTION(tenant.reevaluated), 0, 100000,
      "0; rows that get a new date with their old status in each generation" },
    { "exemptions", SIZE, OPTION(tenant.exemptions), 0, 1000,
      "0; findings exempted in each generation, the youngest of some; they run out a few later" },
    { "empty", FLAG, OPTION(empty), 0, 0, "a tenant without subscriptions" },
    { "log", FLAG, OPTION(log), 0, 0, "a line on stderr for every request" },
};
/* clang-format on */

enum { FIRST = 256, TLS = FIRST + ARRAY_COUNT(known), FAULT, QUERIES, HELP };

static void print_help(void)
{
    puts("fake_azure: a stand-in for Azure's token endpoints, Resource Manager lists and\n"
         "Resource Graph, on 127.0.0.1.\n");
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        printf("  --%-24s %s\n", known[i].name, known[i].help);
    puts("  --tls CERT KEY             both at once\n"
         "  --fault SPEC               name[:key=value,...], see README.md; repeatable\n"
         "  --queries FOLDER           answer these .kql files too");
}

static void fail(const char *name, const char *what)
{
    fprintf(stderr, "fake_azure: --%s: %s\n", name, what);
    exit(2);
}

static void set(const struct known *option, const char *value, struct fake_options *options)
{
    char *at = (char *)options + option->offset, *end;
    if (option->type == TEXT) {
        *(const char **)(void *)at = value;
        return;
    }
    if (option->type == FLAG || option->type == ON_OFF) {
        if (value && strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
            fail(option->name, "must be on or off");
        *(bool *)at = !value || strcmp(value, "on") == 0;
        return;
    }
    long number = strtol(value, &end, 10);
    if (!*value || *end || number < option->min || number > option->max) {
        char why[100];
        snprintf(why, sizeof why, "must be a number from %ld to %ld", option->min, option->max);
        fail(option->name, why);
    }
    if (option->offset == OPTION(port) || option->offset == OPTION(start_generation))
        *(unsigned *)(void *)at = (unsigned)number;
    else
        *(long *)(void *)at = number;
}

/* What follows from the rest. */
static void complete(struct fake_options *options)
{
    struct tenant_options *tenant = &options->tenant;
    if (!options->recorded &&
        (options->recorded_assessments || options->recorded_metadata || options->recorded_scores ||
         options->recorded_controls || options->recorded_plans))
        options->recorded = ".";
    options->fixed_now = tenant->now != 0;
    if (!options->fixed_now)
        tenant->now = clock_now_s() / 3600 * 3600 - 60L * options->start_generation;
    if (tenant->machines == SIZE_MAX) {
        tenant->machines = tenant->assessments / 60;
        if (tenant->machines > MACHINES_DERIVED_MAX)
            tenant->machines = MACHINES_DERIVED_MAX;
        if (tenant->machines < tenant->wide_machines)
            tenant->machines = tenant->wide_machines;
    }
    if (tenant->machines * ASSESSMENTS_PER_MACHINE > tenant->assessments)
        fail("machines", "each takes about 25 of --assessments");
    if (tenant->wide_machines > tenant->machines)
        fail("wide-machines", "more than --machines");
    if (!options->certificate != !options->key)
        fail("tls", "needs a certificate and a key");
    if (options->empty || options->recorded)
        tenant->subscriptions = tenant->disabled = 0;
    if (!tenant->subscriptions)
        tenant->assessments = tenant->machines = tenant->wide_machines = 0;
}

void options_read(int count, char **words, struct fake_options *options, struct options_more *more)
{
    struct option longs[ARRAY_COUNT(known) + 5] = { 0 };
    *options = (struct fake_options){
        .tenant = { .seed = 1,
                    .subscriptions = 5,
                    .assessments = 2000,
                    .machines = SIZE_MAX,
                    .recommendations = 120 },
        .quota_requests = 15,
        .token_lifetime_s = 3599,
        .identity_header = "fake-identity-header",
        .page_rows = 1000,
        .secret = "fake-secret",
        .client_id = "c11e4700-0000-4000-8000-00000000c11e",
        .tenant_id = "7e4a4700-0000-4000-8000-000000007e4a",
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        longs[i] = (struct option){ known[i].name, known[i].type != FLAG, NULL, FIRST + (int)i };
    longs[ARRAY_COUNT(known)] = (struct option){ "tls", 1, NULL, TLS };
    longs[ARRAY_COUNT(known) + 1] = (struct option){ "fault", 1, NULL, FAULT };
    longs[ARRAY_COUNT(known) + 2] = (struct option){ "queries", 1, NULL, QUERIES };
    longs[ARRAY_COUNT(known) + 3] = (struct option){ "help", 0, NULL, HELP };
    for (int found; (found = getopt_long(count, words, "", longs, NULL)) != -1;) {
        if (found >= FIRST && found < TLS) {
            set(&known[found - FIRST], optarg, options);
        } else if (found == TLS && optind < count) {
            options->certificate = optarg;
            options->key = words[optind++];
        } else if (found == FAULT && more->fault_count < FAULTS_MAX) {
            more->faults[more->fault_count++] = optarg;
        } else if (found == QUERIES) {
            more->queries = optarg;
        } else {
            print_help();
            exit(found == HELP ? 0 : 2);
        }
    }
    if (optind < count)
        fail(words[optind], "is not understood");
    complete(options);
}
