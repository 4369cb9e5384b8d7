// What differs between installations: names, addresses, thresholds. Dashboards and Prometheus rules
// read it from here. To change a value:
//   (import 'mixin.libsonnet') { _config+:: { exporterUrl: 'https://defender.example.org' } }
{
  _config+:: {
    // The job of the scrape configuration.
    job: 'defender',

    // Where people reach the exporter, Grafana and the folder dashboards/runbooks (a page there is
    // <runbookUrl>/<alert>.md), without a slash at the end.
    exporterUrl: 'http://localhost:9887',
    grafanaUrl: 'http://localhost:3000',
    runbookUrl: 'https://git.example.com/defender_exporter/blob/main/dashboards/runbooks',

    // What Grafana shows first.
    tags: ['defender'],
    period: 'now-7d',
    refresh: '5m',
    uidPrefix: 'defender-',

    // Seconds between two collections of what moves most, as configured (collectors.*.interval).
    collectInterval: 900,

    // Seconds without a complete collection: worth a look, and too old to believe. Collectors run
    // every 5 minutes to 6 hours; three of its own intervals is what the exporter itself allows.
    dataAgeWarning: 3600,
    dataAgeCritical: 3 * 3600,

    // Secure score: fine above, poor below (ratio); a fall in a day that is worth a word.
    scoreGood: 0.8,
    scorePoor: 0.5,
    scoreDrop: 0.02,

    // Days that a finding may stay open, by risk level; as in alerts.ledger.sla of the exporter,
    // which sets no limit for the others.
    slaDays: { critical: 7, high: 30, medium: 90 },
    // The share of findings that should be fixed in that time.
    slaObjective: 0.95,

    // Compliance, and the share of machines that meet their baseline: fine above, poor below.
    complianceGood: 0.9,
    compliancePoor: 0.7,

    // Quota of Azure that is left in its window of a few seconds.
    quotaLow: 3,
    // Seconds before a token or certificate ends.
    tokenExpiry: 300,
    certificateExpiry: 14 * 86400,
    // Seconds a message may wait, and the share of the outbox that may be used.
    outboxAge: 900,
    outboxUsed: 0.8,
    // Seconds from an event to its acceptance by a receiver.
    deliverySlow: 120,
  },
}
