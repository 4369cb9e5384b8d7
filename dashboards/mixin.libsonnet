// The mixin: everything made of config.libsonnet. scripts and tests render it; so may you:
//   jsonnet -m dashboards/grafana -e '(import "dashboards/mixin.libsonnet").grafanaDashboards'
//   jsonnet -e '(import "dashboards/mixin.libsonnet").prometheusAlerts' >alerts.yml
(import 'config.libsonnet') {
  local config = self._config,
  local rules = (import 'lib/rules.libsonnet')(config),
  local boards = {
    alerts: import 'grafana/alerts.libsonnet',
    attack_paths: import 'grafana/attack_paths.libsonnet',
    baselines: import 'grafana/baselines.libsonnet',
    compliance: import 'grafana/compliance.libsonnet',
    exemptions: import 'grafana/exemptions.libsonnet',
    exporter: import 'grafana/exporter.libsonnet',
    governance: import 'grafana/governance.libsonnet',
    overview: import 'grafana/overview.libsonnet',
    plans: import 'grafana/plans.libsonnet',
    recommendations: import 'grafana/recommendations.libsonnet',
    remediation: import 'grafana/remediation.libsonnet',
    score: import 'grafana/score.libsonnet',
    security_alerts: import 'grafana/security_alerts.libsonnet',
    subscription: import 'grafana/subscription.libsonnet',
    vulnerabilities: import 'grafana/vulnerabilities.libsonnet',
  },
  grafanaDashboards:: { [name + '.json']: boards[name](config) for name in std.objectFields(boards) },
  prometheusRules:: rules.prometheusRules,
  prometheusAlerts:: rules.prometheusAlerts,
  prometheusOperator:: rules.prometheusOperator,
}
