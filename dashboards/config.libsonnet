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

    // --- Prometheus rules; seconds ---

    // Risk levels and severities of baseline rules that alerts are about.
    alertLevels: ['critical', 'high'],
    driftSeverities: ['critical', 'high'],

    // One missed scrape or a restart makes no gap; what was known last counts so long where Azure
    // tells nothing.
    bridge: 600,
    memory: 7200,

    // Something happened within this. Data move every 15 to 60 minutes: less is noise.
    news: 7200,
    scoreWindow: 86400,
    planWindow: 86400,

    // How long what is so must be so: five scrapes; two collections every 15, 30 and 60 minutes.
    holdScrape: 300,
    holdFast: 1800,
    holdSlow: 3600,
    holdHourly: 7200,
    // A token is renewed when a collector needs it, so one that is idle for a while is no fault.
    holdToken: 1200,

    // Intervals of a collector without a good run: it fails, its data are stale.
    failingIntervals: 2,
    staleIntervals: 3,

    // Requests Azure refused within the window.
    throttled: 20,
    throttledWindow: 3600,
    deliveryWindow: 3600,

    // How fast the budget of slaObjective may be used up: 5% of 30 days' within 6 hours, 10% within
    // three days. The short window ends the alert when it is over.
    burns: [
      { long: 6 * 3600, short: 2 * 3600, factor: 6, severity: 'critical' },
      { long: 3 * 86400, short: 6 * 3600, factor: 1, severity: 'warning' },
    ],
  },
}
