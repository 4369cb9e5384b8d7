#pragma once
/* Which cloud a resource or score is of, and what an id says of it: resources outside Azure have
 * ids below the connector that watches them. Pure. */
#include <stddef.h>

enum cloud_kind {
    CLOUD_AZURE, CLOUD_AWS, CLOUD_GCP, CLOUD_GITHUB, CLOUD_AZUREDEVOPS, CLOUD_GITLAB,
    CLOUD_DOCKERHUB, CLOUD_JFROG, CLOUD_UNKNOWN,
    CLOUD_COUNT
};
/* The words of labels and rules, in the order of the enum, NULL-terminated. */
extern const char *const cloud_kind_words[];
/* What people call it ("AWS"), and what an account of it is called ("account", "project"). */
extern const char *const cloud_kind_names[];
extern const char *const cloud_kind_account_words[];

/* From Azure's word for an environment or a source (any case) and the id of what it is of, which
 * decides where there is no word. Machines on premises are Azure's: they are Azure Arc's. */
enum cloud_kind cloud_kind_of(const char *word, const char *id);

/* The length of the connector's id an id (any case) begins with; 0 = it is below none.
 * ".../providers/Microsoft.Security/securityConnectors/NAME". */
size_t cloud_kind_connector(const char *id);

/* The name of the connector an id is below, and its length in *length; "" and 0 = of none. */
const char *cloud_kind_connector_name(const char *id, size_t *length);

/* Where the resource of a native id is: the region of an ARN, the region or zone of a path of
 * GCP; "" and 0 = it does not say. */
const char *cloud_kind_region(const char *native_id, size_t *length);

/* The account of an ARN, the project of a path of GCP, the owner or organisation of a repository's
 * id below its connector; "" and 0 = they do not say. */
const char *cloud_kind_account(const char *native_id, const char *resource_id, size_t *length);
