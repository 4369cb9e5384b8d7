// The mixin: everything made of config.libsonnet. scripts and tests render it; so may you:
//   jsonnet -m dashboards/grafana -e '(import "dashboards/mixin.libsonnet").grafanaDashboards'
//   jsonnet -e '(import "dashboards/mixin.libsonnet").prometheusAlerts' >alerts.yml
(import 'config.libsonnet') {
  local config = self._config,
  local rules = (import 'lib/rules.libsonnet')(config),
  local boards = {
    exporter: import 'grafana/exporter.libsonnet',
    overview: import 'grafana/overview.libsonnet',
  },
  grafanaDashboards:: { [name + '.json']: boards[name](config) for name in std.objectFields(boards) },
  prometheusRules:: rules.prometheusRules,
  prometheusAlerts:: rules.prometheusAlerts,
  prometheusOperator:: rules.prometheusOperator,
}
