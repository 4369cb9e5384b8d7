#include "alerts/text/resource_type.h"

#include <stddef.h>
#include <strings.h>

#include "core/compiler.h"

/* clang-format off */
static const struct {
    const char *type, *words;
} types[] = {
    { "microsoft.apimanagement/service", "API Management service" },
    { "microsoft.app/containerapps", "container app" },
    { "microsoft.appconfiguration/configurationstores", "App Configuration store" },
    { "microsoft.authorization/roleassignments", "role assignment" },
    { "microsoft.automation/automationaccounts", "Automation account" },
    { "microsoft.batch/batchaccounts", "Batch account" },
    { "microsoft.cache/redis", "Redis cache" },
    { "microsoft.classiccompute/virtualmachines", "virtual machine (classic)" },
    { "microsoft.cognitiveservices/accounts", "AI services account" },
    { "microsoft.compute/disks", "disk" },
    { "microsoft.compute/snapshots", "disk snapshot" },
    { "microsoft.compute/virtualmachines", "virtual machine" },
    { "microsoft.compute/virtualmachinescalesets", "virtual machine scale set" },
    { "microsoft.containerregistry/registries", "container registry" },
    { "microsoft.containerservice/managedclusters", "Kubernetes cluster" },
    { "microsoft.databricks/workspaces", "Databricks workspace" },
    { "microsoft.datafactory/factories", "data factory" },
    { "microsoft.dbformariadb/servers", "MariaDB server" },
    { "microsoft.dbformysql/flexibleservers", "MySQL server" },
    { "microsoft.dbformysql/servers", "MySQL server" },
    { "microsoft.dbforpostgresql/flexibleservers", "PostgreSQL server" },
    { "microsoft.dbforpostgresql/servers", "PostgreSQL server" },
    { "microsoft.devices/iothubs", "IoT hub" },
    { "microsoft.documentdb/databaseaccounts", "Cosmos DB account" },
    { "microsoft.eventgrid/topics", "Event Grid topic" },
    { "microsoft.eventhub/namespaces", "Event Hubs namespace" },
    { "microsoft.hybridcompute/machines", "machine (Azure Arc)" },
    { "microsoft.keyvault/vaults", "key vault" },
    { "microsoft.kubernetes/connectedclusters", "Kubernetes cluster (Azure Arc)" },
    { "microsoft.logic/workflows", "logic app" },
    { "microsoft.machinelearningservices/workspaces", "Machine Learning workspace" },
    { "microsoft.management/managementgroups", "management group" },
    { "microsoft.network/applicationgateways", "application gateway" },
    { "microsoft.network/azurefirewalls", "firewall" },
    { "microsoft.network/frontdoors", "Front Door" },
    { "microsoft.network/loadbalancers", "load balancer" },
    { "microsoft.network/networkinterfaces", "network interface" },
    { "microsoft.network/networksecuritygroups", "network security group" },
    { "microsoft.network/publicipaddresses", "public IP address" },
    { "microsoft.network/virtualnetworkgateways", "virtual network gateway" },
    { "microsoft.network/virtualnetworks", "virtual network" },
    { "microsoft.network/virtualnetworks/subnets", "subnet" },
    { "microsoft.operationalinsights/workspaces", "Log Analytics workspace" },
    { "microsoft.recoveryservices/vaults", "Recovery Services vault" },
    { "microsoft.resources/subscriptions", "subscription" },
    { "microsoft.resources/subscriptions/resourcegroups", "resource group" },
    { "microsoft.search/searchservices", "search service" },
    { "microsoft.security/securityconnectors", "security connector" },
    { "microsoft.servicebus/namespaces", "Service Bus namespace" },
    { "microsoft.servicefabric/clusters", "Service Fabric cluster" },
    { "microsoft.sql/managedinstances", "SQL managed instance" },
    { "microsoft.sql/servers", "SQL server" },
    { "microsoft.sql/servers/databases", "SQL database" },
    { "microsoft.sqlvirtualmachine/sqlvirtualmachines", "SQL virtual machine" },
    { "microsoft.storage/storageaccounts", "storage account" },
    { "microsoft.streamanalytics/streamingjobs", "Stream Analytics job" },
    { "microsoft.synapse/workspaces", "Synapse workspace" },
    { "microsoft.web/serverfarms", "App Service plan" },
    { "microsoft.web/sites", "web app" },
    { "microsoft.web/staticsites", "static web app" },
    { "subscription", "subscription" },
    { "ec2-instance", "EC2 instance" },
    { "ec2-security-group", "EC2 security group" },
    { "ec2-securitygroup", "EC2 security group" },
    { "ec2-volume", "EBS volume" },
    { "ec2-vpc", "VPC" },
    { "s3-bucket", "S3 bucket" },
    { "s3", "S3 bucket" },
    { "rds-dbinstance", "RDS database" },
    { "rds-db-instance", "RDS database" },
    { "iam-user", "IAM user" },
    { "iam-role", "IAM role" },
    { "kms-key", "KMS key" },
    { "lambda-function", "Lambda function" },
    { "eks-cluster", "EKS cluster" },
    { "ecr-repository", "ECR repository" },
    { "compute-instance", "Compute Engine instance" },
    { "storage-bucket", "Cloud Storage bucket" },
    { "sqladmin-instance", "Cloud SQL instance" },
    { "container-cluster", "GKE cluster" },
    { "microsoft.security/securityconnectors/devops/githubowners/repos", "GitHub repository" },
    { "microsoft.security/securityconnectors/devops/azuredevopsorgs/projects/repos",
      "Azure DevOps repository" },
    { "microsoft.security/securityconnectors/devops/gitlabgroups/projects", "GitLab project" },
};
/* clang-format on */

const char *resource_type_words(const char *type)
{
    for (size_t i = 0; i < ARRAY_COUNT(types); i++)
        if (!strcasecmp(types[i].type, type))
            return types[i].words;
    return type;
}
