// What Azure's JavaScript clients make of the stand-in's answers: {operation: rows} on stdout.
// sdk.js URL TENANT CLIENT SECRET SUBSCRIPTION QUERY
"use strict";
const { ClientSecretCredential } = require("@azure/identity");
const { SecurityCenter } = require("@azure/arm-security");
const { PolicyInsightsClient } = require("@azure/arm-policyinsights");
const { ResourceGraphClient } = require("@azure/arm-resourcegraph");

const [url, tenant, client, secret, subscription, query] = process.argv.slice(2);
const scope = `subscriptions/${subscription}`;
const credential = new ClientSecretCredential(tenant, client, secret, {
    authorityHost: url, disableInstanceDiscovery: true });
const security = new SecurityCenter(credential, subscription, {
    endpoint: url, credentialScopes: [url + "/.default"] });
const policy = new PolicyInsightsClient(credential, subscription, {
    endpoint: url, credentialScopes: [url + "/.default"] });

const OPERATIONS = {
    assessments: () => security.assessments.list(scope),
    metadata: () => security.assessmentsMetadata.list(),
    metadata_of_subscription: () => security.assessmentsMetadata.listBySubscription(),
    scores: () => security.secureScores.list(),
    score: () => one(security.secureScores.get("ascScore")),
    controls: () => security.secureScoreControls.list({ expand: "definition" }),
    controls_of_score: () => security.secureScoreControls.listBySecureScore("ascScore"),
    standards: () => security.regulatoryComplianceStandards.list(),
    compliance,
    tiers,
    graph,
    remediations: () => policy.remediations.listForSubscription(),
    deployments,
    group_remediations: () => policy.remediations.listForManagementGroup(tenant),
    group_deployments,
};

async function* one(row) {
    yield await row;
}

// The controls of every standard and what they are judged by.
async function* compliance() {
    for await (const standard of security.regulatoryComplianceStandards.list())
        for await (const control of security.regulatoryComplianceControls.list(standard.name)) {
            yield control;
            yield* security.regulatoryComplianceAssessments.list(standard.name, control.name);
        }
}

// What every task did to which resource.
async function* deployments() {
    for await (const task of policy.remediations.listForSubscription())
        for await (const row of policy.remediations.listDeploymentsAtSubscription(task.name))
            yield { task: task.name, ...row };
}

// The same of the management group above all others, which has the tenant's name.
async function* group_deployments() {
    for await (const task of policy.remediations.listForManagementGroup(tenant))
        for await (const row of
            policy.remediations.listDeploymentsAtManagementGroup(tenant, task.name))
            yield { task: task.name, ...row };
}

async function* tiers() {
    yield* (await security.pricings.list()).value;
}

async function* graph() {
    const graph = new ResourceGraphClient(credential, {
        baseUri: url, credentialScopes: url + "/.default" });
    let token;
    do {
        const page = await graph.resources({ query, subscriptions: [subscription],
            options: { top: 100, resultFormat: "objectArray", skipToken: token } });
        if (page.count !== page.data.length)
            throw new Error(`${page.count} rows are said, ${page.data.length} came`);
        yield* page.data;
        token = page.skipToken;
    } while (token);
}

// A date that could not be read is said, not written as null.
function check(value, path) {
    if (value instanceof Date && isNaN(value))
        throw new Error(`no date: ${path}`);
    if (value && typeof value === "object")
        for (const [name, member] of Object.entries(value))
            check(member, `${path}.${name}`);
}

async function main() {
    const found = {};
    for (const [name, rows] of Object.entries(OPERATIONS)) {
        found[name] = [];
        for await (const row of rows()) {
            check(row, name);
            found[name].push(row);
        }
    }
    process.stdout.write(JSON.stringify(found));
}

main().catch(error => {
    console.error(error);
    process.exitCode = 1;
});
