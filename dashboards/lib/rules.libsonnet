// Rules for Prometheus, and the same for its Operator.
function(config)
  local records = [(import 'records.libsonnet')(config)];
  local alerts = (import 'alerts.libsonnet')(config);
  {
    prometheusRules:: { groups: records },
    prometheusAlerts:: { groups: alerts },
    prometheusOperator:: {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: {
        name: 'defender-exporter',
        labels: { 'app.kubernetes.io/name': 'defender-exporter' },
      },
      spec: { groups: records + alerts },
    },
  }
