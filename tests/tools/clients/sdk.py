"""What Azure's Python clients make of the stand-in's answers: {operation: rows} on stdout.

sdk.py URL TENANT CLIENT SECRET SUBSCRIPTION QUERY
"""
import json
import sys

from azure.identity import ClientSecretCredential
from azure.mgmt.guestconfig import GuestConfigurationClient
from azure.mgmt.policyinsights import PolicyInsightsClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions
from azure.mgmt.security import SecurityCenter


def graph(client, subscription, query):
    token = None
    while True:
        page = client.resources(QueryRequest(
            query=query, subscriptions=[subscription],
            options=QueryRequestOptions(top=100, skip_token=token, result_format="objectArray")))
        assert page.count == len(page.data), f"{page.count} rows are said, {len(page.data)} came"
        yield from page.data
        token = page.skip_token
        if not token:
            return


def compliance(security):
    """The controls of every standard and what they are judged by."""
    for standard in security.regulatory_compliance_standards.list():
        for control in security.regulatory_compliance_controls.list(standard.name):
            yield control
            yield from security.regulatory_compliance_assessments.list(standard.name, control.name)


def deployments(remediations):
    """What every task did to which resource."""
    for task in remediations.list_for_subscription():
        for row in remediations.list_deployments_at_subscription(task.name):
            yield {"task": task.name, **row.as_dict()}


def group_deployments(remediations, group):
    for task in remediations.list_for_management_group(group):
        for row in remediations.list_deployments_at_management_group(group, task.name):
            yield {"task": task.name, **row.as_dict()}


def plain(row):
    return row if isinstance(row, dict) else row.as_dict()


def main(url, tenant, client, secret, subscription, query):
    credential = ClientSecretCredential(tenant, client, secret, authority=url,
                                        disable_instance_discovery=True)
    where = {"base_url": url, "credential_scopes": [url + "/.default"]}
    security = SecurityCenter(credential, subscription, **where)
    guests = GuestConfigurationClient(credential, subscription, **where)
    fixes = PolicyInsightsClient(credential, subscription, **where).remediations
    operations = {
        "assessments": security.assessments.list(f"subscriptions/{subscription}"),
        "metadata": security.assessments_metadata.list(),
        "metadata_of_subscription": security.assessments_metadata.list_by_subscription(),
        "scores": security.secure_scores.list(),
        "score": [security.secure_scores.get("ascScore")],
        "controls": security.secure_score_controls.list(expand="definition"),
        "controls_of_score": security.secure_score_controls.list_by_secure_score("ascScore"),
        "assignments": guests.guest_configuration_assignments.subscription_list(),
        "standards": security.regulatory_compliance_standards.list(),
        "compliance": compliance(security),
        "pricings": security.pricings.list(f"subscriptions/{subscription}").value,
        "remediations": fixes.list_for_subscription(),
        "deployments": deployments(fixes),
        # the group above all others has the tenant's name
        "group_remediations": fixes.list_for_management_group(tenant),
        "group_deployments": group_deployments(fixes, tenant),
        "graph": graph(ResourceGraphClient(credential, **where), subscription, query),
    }
    json.dump({name: [plain(row) for row in rows] for name, rows in operations.items()},
              sys.stdout)


main(*sys.argv[1:])
