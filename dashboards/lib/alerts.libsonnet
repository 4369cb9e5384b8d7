// The alerts. Those about what happened (a counter moved, a path appeared) fire at once; those about
// what is so must hold for two collections of what they are about.
function(config)
  local promql = (import 'promql.libsonnet')(config);
  local hold = promql.duration;
  local worst = std.join('|', config.alertLevels);

  // A subscription by name, where it is known; its id stands beside it.
  local named = '{{ with printf "last_over_time(defender_subscription_info{subscription_id=\'%s\'}[1d])" $labels.subscription_id | query }}{{ . | first | label "subscription_name" }}{{ else }}subscription{{ end }} ({{ $labels.subscription_id }})';
  local byRisk = '{{ if eq $labels.risk_level "critical" }}critical{{ else }}warning{{ end }}';

  local alert(name, expr, severity, summary, description, dashboard, seconds=0, labels={}) = {
    alert: name,
    expr: std.rstripChars(expr, '\n'),
    [if seconds > 0 then 'for']: hold(seconds),
    labels: { severity: severity } + labels,
    annotations: {
      summary: summary,
      description: description,
      runbook_url: '%s/%s.md' % [config.runbookUrl, name],
      dashboard_url: '%s/d/%s%s' % [config.grafanaUrl, config.uidPrefix, dashboard],
    },
  };

  local collector = ['instance', 'collector'];
  local age = 'time() - ' + promql.last('defender_collector_last_success_timestamp_seconds', collector);
  local intervals(count) = '%d * %s' % [count, promql.last('defender_collector_interval_seconds', collector)];

  local exporter = [
    alert(
      'DefenderExporterDown',
      |||
        %(up)s == 0
        or
        absent(%(up)s)
      ||| % { up: promql.series('up') },
      'critical',
      'Prometheus cannot scrape defender_exporter.',
      'No scrape of {{ with $labels.instance }}{{ . }}{{ else }}any target of this job{{ end }} has succeeded for %s: nothing is known of Defender for Cloud, and no other alert can begin.' % hold(config.holdScrape),
      'exporter',
      config.holdScrape,
    ),
    alert(
      'DefenderDataStale',
      '%s\n> %s' % [age, intervals(config.staleIntervals)],
      'critical',
      'Data of the collector {{ $labels.collector }} are stale.',
      'The collector {{ $labels.collector }} of {{ $labels.instance }} last read everything {{ $value | humanizeDuration }} ago, which is more than %d of its intervals. What it is about may have changed without a word: silence is not peace.' % config.staleIntervals,
      'exporter',
      config.bridge,
    ),
    alert(
      'DefenderCollectorFailing',
      '%s == 0\nand\n%s\n> %s' % [
        promql.last('defender_scrape_collector_success', collector),
        age,
        intervals(config.failingIntervals),
      ],
      'warning',
      'The collector {{ $labels.collector }} fails.',
      'The last run of the collector {{ $labels.collector }} of {{ $labels.instance }} failed, and none has succeeded for %d of its intervals.' % config.failingIntervals,
      'exporter',
      config.bridge,
    ),
    alert(
      'DefenderSubscriptionNotVisible',
      promql.known('defender_subscription_visible', ['subscription_id']) + ' == 0',
      'warning',
      'A subscription can no longer be read.',
      'The identity of the exporter has not been able to read %s for %s: what is open there is as it was last seen.' % [named, hold(config.holdFast)],
      'subscription',
      config.holdFast,
    ),
    alert(
      'DefenderThrottled',
      '%s > %d' % [
        promql.times('defender_exporter_azure_throttled_total', ['instance', 'api'], config.throttledWindow),
        config.throttled,
      ],
      'warning',
      'Azure throttles the exporter.',
      'Azure answered {{ $value | humanize }} requests of {{ $labels.instance }} to {{ $labels.api }} with 429 within %s: collections take longer, and may fail.' % hold(config.throttledWindow),
      'exporter',
      config.holdFast,
    ),
    alert(
      'DefenderTokenExpiring',
      '%s - time()\n< %d' % [
        promql.last('defender_exporter_azure_token_expiry_timestamp_seconds', ['instance', 'tenant_id']),
        config.tokenExpiry,
      ],
      'critical',
      'The access token to Azure is not renewed.',
      'The token of {{ $labels.instance }} for tenant {{ $labels.tenant_id }} ends in {{ $value | humanizeDuration }} and has not been renewed in time: without one nothing can be read.',
      'exporter',
      config.holdToken,
    ),
  ];

  local opened = promql.news('defender_findings_opened_total', ['subscription_id'], 'risk_level="critical"');
  local resolved = promql.news('defender_findings_resolved_total', ['subscription_id'], 'risk_level="critical"');
  local findings = [
    alert(
      'DefenderNewCriticalFinding',
      |||
        %(opened)s > 0
        unless on (job, subscription_id) (
          sum by (job, subscription_id) (
            %(open)s
          ) == 0
          and
          round(%(resolved)s)
          >= round(%(opened)s)
        )
      ||| % {
        opened: opened,
        resolved: resolved,
        open: promql.last('defender_findings', ['subscription_id', 'cloud', 'contextual'], 'risk_level="critical"'),
      },
      'critical',
      'A new critical finding in Defender for Cloud.',
      '{{ $value | printf "%%.0f" }} critical findings opened in %s within %s. The alert ends when the subscription has no critical finding any more, at the latest %s after the last one opened.' % [named, hold(config.news), hold(config.news)],
      'recommendations',
    ),
    alert(
      'DefenderFindingReopened',
      '%s > 0' % promql.news(
        'defender_findings_reopened_total', ['subscription_id', 'risk_level'], 'risk_level=~"%s"' % worst
      ),
      byRisk,
      'A finding that had been resolved is open again.',
      '{{ $value | printf "%%.0f" }} {{ $labels.risk_level }} findings that had been resolved opened again in %s within %s.' % [named, hold(config.news)],
      'recommendations',
    ),
    alert(
      'DefenderFindingOverdue',
      '%s > 0' % promql.last('defender_findings_overdue', ['subscription_id', 'risk_level'], 'risk_level=~"%s"' % worst),
      byRisk,
      'Findings are not fixed in time.',
      '{{ $value }} {{ $labels.risk_level }} findings of %s are open longer than their SLA, or their due date in Azure, allows.' % named,
      'remediation',
      config.holdFast,
    ),
  ];

  local share(window) = promql.series(
    'job_risk_level:defender_findings_overdue:ratio_avg' + hold(window), 'risk_level=~"%s"' % worst
  );
  local budget = 1 - config.slaObjective;
  local burns = [
    alert(
      'DefenderRemediationBudgetBurn',
      '%(long)s > %(factor)d * %(budget)g\nand\n%(short)s > %(factor)d * %(budget)g' % {
        long: share(burn.long),
        short: share(burn.short),
        factor: burn.factor,
        budget: budget,
      },
      burn.severity,
      'Too many {{ $labels.risk_level }} findings are overdue to keep the SLA.',
      '{{ $value | humanizePercentage }} of the open {{ $labels.risk_level }} findings were overdue over %s, on average. The objective is that %g%% are not: over 30 days this uses the budget up %s.' % [
        hold(burn.long),
        config.slaObjective * 100,
        if burn.factor == 1 then 'just so' else '%d times over' % burn.factor,
      ],
      'remediation',
      labels={ window: hold(burn.long) },
    )
    for burn in config.burns
  ];

  local score = ['subscription_id', 'cloud', 'connector'];
  local posture = [
    alert(
      'DefenderSecureScoreDropped',
      'max by (%s) (max_over_time(%s[%s]))\n- %s > %g' % [
        promql.by(score),
        promql.series('defender_secure_score_ratio'),
        hold(config.scoreWindow),
        promql.known('defender_secure_score_ratio', score),
        config.scoreDrop,
      ],
      'warning',
      'The secure score dropped.',
      'The secure score of %s, connector {{ $labels.connector }}, is {{ $value | humanizePercentage }} below its best of the last %s.' % [named, hold(config.scoreWindow)],
      'score',
      config.holdSlow,
    ),
    alert(
      'DefenderAttackPathAppeared',
      '%s\n- min by (%s) (min_over_time(%s[%s])) > 0' % [
        promql.known('defender_attack_paths', ['subscription_id', 'risk_level'], 'risk_level=~"%s"' % worst),
        promql.by(['subscription_id', 'risk_level']),
        promql.series('defender_attack_paths', 'risk_level=~"%s"' % worst),
        hold(config.news),
      ],
      byRisk,
      'An attack path appeared.',
      '%s has {{ $value }} {{ $labels.risk_level }} attack paths more than within the last %s.' % [named, hold(config.news)],
      'attack_paths',
    ),
    alert(
      'DefenderPlanDisabled',
      '%s == 0\nand\nmax by (%s) (max_over_time(%s[%s])) == 1' % [
        promql.known('defender_plan_enabled', ['subscription_id', 'plan']),
        promql.by(['subscription_id', 'plan']),
        promql.series('defender_plan_enabled'),
        hold(config.planWindow),
      ],
      'critical',
      'A Defender plan was switched off.',
      'The Defender plan {{ $labels.plan }} of %s was on within the last %s and is off: what it protects is no longer looked at.' % [named, hold(config.planWindow)],
      'subscription',
      config.holdHourly,
    ),
    alert(
      'DefenderBaselineDrift',
      '%s > 0' % promql.news(
        'defender_baseline_rules_regressed_total',
        ['assignment', 'rule_severity'],
        'rule_severity=~"%s"' % std.join('|', config.driftSeverities)
      ),
      'warning',
      'Machines drift from their OS security baseline.',
      'Rules of severity {{ $labels.rule_severity }} of {{ $labels.assignment }} began to fail {{ $value | printf "%%.0f" }} times within %s.' % hold(config.news),
      'baselines',
    ),
    alert(
      'DefenderExemptionExpiring',
      promql.known('defender_exemptions_expiring', ['subscription_id'], 'within="7d"') + ' > 0',
      'warning',
      'Policy exemptions end within a week.',
      '{{ $value }} policy exemptions of %s end within 7 days. What they exempt counts again, and is told of, when they are over.' % named,
      'subscription',
      config.holdHourly,
    ),
  ];

  local receiver = ['instance', 'receiver'];
  local delivery = [
    alert(
      'DefenderNotificationsFailing',
      |||
        %(failed)s
        / %(all)s > 0.5
        and
        time() - %(success)s > %(quiet)d
      ||| % {
        failed: promql.times('defender_exporter_notifications_failed_total', receiver, config.deliveryWindow),
        all: promql.times('defender_exporter_notifications_total', receiver, config.deliveryWindow),
        success: promql.last('defender_exporter_notification_last_success_timestamp_seconds', receiver),
        quiet: config.holdScrape,
      },
      'critical',
      'Messages to {{ $labels.receiver }} are not accepted.',
      'More than half of the attempts of {{ $labels.instance }} to tell {{ $labels.receiver }} within %s failed, and none has succeeded for %s.' % [hold(config.deliveryWindow), hold(config.holdScrape)],
      'alerts',
      config.bridge,
    ),
    alert(
      'DefenderOutboxStuck',
      |||
        time() - %(oldest)s > %(age)d
        or
        %(dead)s > 0
      ||| % {
        oldest: promql.last('defender_exporter_outbox_oldest_timestamp_seconds', receiver),
        dead: promql.last('defender_exporter_outbox_messages', receiver, 'state="dead"'),
        age: config.outboxAge,
      },
      'critical',
      'Messages to {{ $labels.receiver }} wait or were given up.',
      'Messages of {{ $labels.instance }} to {{ $labels.receiver }} have waited for more than %s, or were refused for good.' % hold(config.outboxAge),
      'alerts',
      config.bridge,
    ),
    alert(
      'DefenderAlertsNotDecided',
      promql.last('defender_exporter_state_trouble', ['instance', 'reason']) + ' == 1',
      'critical',
      'The exporter cannot decide about alerts.',
      'For %s {{ $labels.instance }} has not been able to write what it decides ({{ $labels.reason }}): metrics go on, but its own alerts are not sent.' % hold(config.bridge),
      'alerts',
      config.bridge,
    ),
    alert(
      'DefenderSeriesDropped',
      '%s > 0' % promql.last('defender_exporter_series_dropped', ['instance', 'metric', 'reason'], 'reason!="deny"'),
      'warning',
      'Series are left out of the exposition.',
      '{{ $value }} series of {{ $labels.metric }} of {{ $labels.instance }} are left out ({{ $labels.reason }}): sums over it are too small.',
      'exporter',
      config.holdFast,
    ),
    alert(
      'DefenderHeartbeat',
      'vector(1) == 1',
      'none',
      'Prometheus evaluates the rules about Defender for Cloud.',
      "This alert always fires. Send it to a dead-man's switch: when it stops, Prometheus, Alertmanager or the way between them is broken.",
      'exporter',
    ),
  ];

  [
    { name: 'defender-exporter', rules: exporter + delivery },
    { name: 'defender-findings', rules: findings + burns + posture },
  ]
