// The roles that the collectors need, for the identity of the exporter: the table of rights in the
// README as code. Nothing more is assigned than what is collected needs.
//   az deployment mg create --location westeurope --management-group-id ID \
//     --template-file packaging/azure/rights.bicep --parameters principalId=OBJECT-ID
// New subscriptions below the management group are read without a change. Permissions of Microsoft
// Graph and the Defender API (exposure, mdvm_baselines) are granted in Entra ID, not here.
targetScope = 'managementGroup'

@description('Object id of the service principal or the managed identity.')
param principalId string

@description('Collectors to assign roles for. Without those of Reader, Security Reader is enough.')
param collectors string[] = [
  'subscriptions'
  'assessments'
  'secure_scores'
  'baselines'
  'attack_paths'
  'security_alerts'
  'governance'
  'exemptions'
  'tags'
  'compliance'
  'plans'
  'subassessments'
  'prerequisites'
  'remediations'
  'activity'
]

// What each needs; baselines need Reader for machine configuration alone.
var rolesOf = {
  subscriptions: ['Security Reader']
  assessments: ['Security Reader']
  secure_scores: ['Security Reader']
  baselines: ['Security Reader', 'Reader']
  attack_paths: ['Security Reader']
  security_alerts: ['Security Reader']
  governance: ['Security Reader']
  exemptions: ['Reader']
  tags: ['Reader']
  compliance: ['Security Reader']
  plans: ['Security Reader']
  subassessments: ['Security Reader']
  prerequisites: ['Reader']
  remediations: ['Reader']
  activity: ['Reader']
}

var ids = {
  Reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
  'Security Reader': '39bc4728-0917-49c7-9d2c-d95423bc2eb4'
}

var roles = union([], flatten(map(collectors, name => rolesOf[name])))

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    name: guid(managementGroup().id, principalId, ids[role])
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', ids[role])
    }
  }
]
