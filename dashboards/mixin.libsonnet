// The mixin: everything made of config.libsonnet. scripts and tests render it; so may you:
//   jsonnet -m FOLDER -e '(import "dashboards/mixin.libsonnet").grafanaDashboards'
(import 'config.libsonnet') {
  local config = self._config,
  grafanaDashboards:: {},
}
