// Pieces of PromQL that rules are made of. Each gives up no alert because one scrape is missing.
function(config) {
  local this = self,

  // 7200 -> '2h'
  duration(seconds)::
    local units = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];
    local unit = std.filter(function(unit) seconds % unit[1] == 0, units)[0];
    '%d%s' % [seconds / unit[1], unit[0]],

  // name{job="defender", ...}
  series(name, matchers='')::
    '%s{job="%s"%s}' % [name, config.job, if matchers == '' then '' else ', ' + matchers],

  by(labels):: std.join(', ', ['job'] + labels),

  // The value of the last minutes: one missed scrape, or a restart, leaves no gap.
  last(name, labels, matchers='', window=config.bridge)::
    'max by (%s) (last_over_time(%s[%s]))'
    % [this.by(labels), this.series(name, matchers), this.duration(window)],

  // The same, or where there is none any more what was known last: when Azure tells nothing, its
  // data are dropped in the end, and that must not look like peace.
  known(name, labels, matchers='')::
    '(\n  %s\nor\n  %s\n)' % [
      this.last(name, labels, matchers),
      this.last(name, labels, matchers, config.memory),
    ],

  increase(name, matchers, window)::
    'increase(%s[%s])' % [this.series(name, matchers), this.duration(window)],

  // How often it happened to the exporter.
  times(name, labels, window)::
    'sum by (%s) (%s)' % [this.by(labels), this.increase(name, '', window)],

  // What the ledger counted: it survives restarts, and two exporters of one tenant count alike.
  news(name, labels, matchers='', window=config.news)::
    'max by (%s) (%s)' % [this.by(labels), this.increase(name, matchers, window)],
}
