// The mixin: everything made of config.libsonnet. scripts and tests render it; so may you:
//   jsonnet -m FOLDER -e '(import "dashboards/mixin.libsonnet").grafanaDashboards'
//   jsonnet -e '(import "dashboards/mixin.libsonnet").prometheusAlerts' >alerts.yml
(import 'config.libsonnet') {
  local config = self._config,
  local rules = (import 'lib/rules.libsonnet')(config),
  grafanaDashboards:: {},
  prometheusRules:: rules.prometheusRules,
  prometheusAlerts:: rules.prometheusAlerts,
  prometheusOperator:: rules.prometheusOperator,
}
