// Recording rules: what alerts look back on for days, and what is asked most.
function(config)
  local promql = (import 'promql.libsonnet')(config);
  local open = 'job_risk_level:defender_findings:sum';
  local late = 'job_risk_level:defender_findings_overdue:sum';
  local share = 'job_risk_level:defender_findings_overdue:ratio';
  local windows = std.set([burn.long for burn in config.burns] + [burn.short for burn in config.burns]);
  local weight = 'defender_secure_score_weight';
  local score = 'defender_secure_score_ratio';
  local daily(name) = 'sum by (job, risk_level) (\n  %s\n)'
                      % promql.news(name, ['subscription_id', 'risk_level'], window=86400);
  local scoreLabels = ['subscription_id', 'cloud', 'connector', 'initiative'];
  {
    name: 'defender-records',
    rules: [
      {
        record: open,
        expr: 'sum by (job, risk_level) (\n  %s\n)'
              % promql.last('defender_findings', ['subscription_id', 'cloud', 'risk_level', 'contextual']),
      },
      {
        record: late,
        expr: 'sum by (job, risk_level) (\n  %s\n)'
              % promql.last('defender_findings_overdue', ['subscription_id', 'risk_level']),
      },
      // Overdue can be what is no recommendation, too: an attack path, a rule of a baseline.
      {
        record: share,
        expr: 'clamp_max(%s / clamp_min(%s, 1), 1)' % [late, open],
      },
    ] + [
      {
        record: '%s_avg%s' % [share, promql.duration(window)],
        expr: 'avg_over_time(%s[%s])' % [promql.series(share), promql.duration(window)],
      }
      for window in windows
    ] + [
      {
        record: 'job:defender_secure_score:ratio',
        expr: std.rstripChars(|||
          sum by (job) (%(score)s * %(weight)s)
          /
          sum by (job) (%(weight)s)
        ||| % {
          score: promql.last(score, scoreLabels),
          weight: promql.last(weight, scoreLabels),
        }, '\n'),
      },
      {
        record: 'job_risk_level:defender_findings_opened:increase1d',
        expr: daily('defender_findings_opened_total'),
      },
      {
        record: 'job_risk_level:defender_findings_resolved:increase1d',
        expr: daily('defender_findings_resolved_total'),
      },
    ],
  }
