// A token that Azure's own JavaScript client got by a way to sign in, on stdout.
// identity.js WAY URL TENANT CLIENT [FILE [PASSWORD]]
"use strict";
const identity = require("@azure/identity");

const [way, url, tenant, client, file, password] = process.argv.slice(2);
const authority = { authorityHost: url, disableInstanceDiscovery: true };
const WAYS = {
    certificate: () => new identity.ClientCertificateCredential(tenant, client, {
        certificatePath: file, certificatePassword: password }, authority),
    workload: () => new identity.WorkloadIdentityCredential({
        tenantId: tenant, clientId: client, tokenFilePath: file, ...authority }),
    managed: () => new identity.ManagedIdentityCredential(),
    az: () => new identity.AzureCliCredential(),
};

WAYS[way]().getToken("https://management.azure.com/.default").then(
    (token) => process.stdout.write(token.token),
    (error) => {
        process.stderr.write(String(error));
        process.exitCode = 1;
    });
