// A dashboard: variables, annotations and links that all of them have, and panels in rows.
local p = import 'panels.libsonnet';
local q = import 'queries.libsonnet';
{
  local source = { type: 'prometheus', uid: '${datasource}' },
  local chosen = 'job=~"$job", instance=~"$instance"',

  // A variable of many values, all of them at first.
  local variable(name, label, query, all, more={}) = {
    type: 'query',
    name: name,
    label: label,
    datasource: source,
    query: { query: query, refId: 'variable-' + name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: all,
    current: { selected: true, text: ['All'], value: ['$__all'] },
    hide: 0,
    options: [],
    regex: '',
    skipUrlSync: false,
  } + more,

  local common(config) = [
    {
      type: 'datasource',
      name: 'datasource',
      label: 'Data source',
      query: 'prometheus',
      current: { selected: false, text: 'default', value: 'default' },
      hide: 0,
      includeAll: false,
      multi: false,
      options: [],
      refresh: 1,
      regex: '',
      skipUrlSync: false,
    },
    variable('job', 'Job', 'label_values(defender_up, job)', '.+'),
    variable('instance', 'Instance', 'label_values(defender_up{job=~"$job"}, instance)', '.+'),
    {
      type: 'textbox',
      name: 'exporter',
      label: 'Address of the exporter',
      query: config.exporterUrl,
      current: { selected: true, text: config.exporterUrl, value: config.exporterUrl },
      options: [{ selected: true, text: config.exporterUrl, value: config.exporterUrl }],
      hide: 2,
      skipUrlSync: false,
    },
  ],

  local of(metric, more) = '%s{%s%s}' % [metric, chosen, more],
  local named = {
    tenant: variable('tenant', 'Tenant', 'label_values(%s, tenant_id)' % of('defender_subscription_info', ''), '.*'),
    management_group: variable('management_group', 'Management group', 'label_values(%s, management_group)' % of('defender_subscription_info', ', tenant_id=~"$tenant"'), '.*'),
    subscription: variable('subscription', 'Subscription', 'label_values(%s, subscription_name)' % of('defender_subscription_info', ', tenant_id=~"$tenant", management_group=~"$management_group"'), '.*'),
    cloud: variable('cloud', 'Cloud', 'label_values(%s, cloud)' % of('defender_findings', ''), '.+'),
  },

  // What a dashboard chooses by.
  subscriptions:: [named.tenant, named.management_group, named.subscription],
  cloud:: [named.cloud],
  // Another one: a label of a metric.
  variable(name, label, metric, key=name)::
    variable(name, label, 'label_values(%s, %s)' % [of(metric, ''), key], '.+'),

  // A name in a table leads to the dashboard of that subscription.
  subscriptionLink(config, name='Subscription')::
    p.link(name, 'This subscription', '/d/%ssubscription?var-subscription=${__value.text}&${datasource:queryparam}&${job:queryparam}' % config.uidPrefix),

  local mark(name, colour, expr, title, text) = {
    name: name,
    datasource: source,
    enable: true,
    hide: false,
    iconColor: colour,
    expr: expr,
    step: '1h',
    titleFormat: title,
    textFormat: text,
    tagKeys: '',
    useValueForTime: false,
  },
  local annotations = [
    {
      builtIn: 1,
      name: 'Annotations & Alerts',
      type: 'dashboard',
      datasource: { type: 'grafana', uid: '-- Grafana --' },
      enable: true,
      hide: true,
      iconColor: 'rgba(0, 211, 255, 1)',
    },
    // A recommendation that had no findings an hour ago, while others had: Azure's rules changed, or
    // the first of its kind was found. The exporter tells of many at once as ruler.changed.
    mark('New recommendations',
         '#AA3377',
         'count by (display_name) (%s unless on (assessment_id) %s offset 1h) and on () count(%s offset 1h)'
         % [of('defender_assessment_info', ''), of('defender_assessment_info', ''), of('defender_assessment_info', '')],
         'New recommendation',
         '{{display_name}}'),
    mark('First runs',
         '#0077BB',
         'max without (instance, pod) (increase(%s[1h])) > 0'
         % of('defender_exporter_notifications_suppressed_total', ', reason="first_run"'),
         'First run',
         'Findings were taken over quietly: the exporter saw a tenant, a subscription or a source for the first time.'),
  ],

  // rows: lists of [panel, width] and {title: heading}; a row is as high as its height.
  //   { height: 8, panels: [[panel, 12], [panel, 12]] } or { title: 'heading' }
  local placed(rows) =
    std.foldl(function(done, row)
                if std.objectHas(row, 'title') then {
                  y: done.y + 1,
                  id: done.id + 1,
                  list: done.list + [{
                    id: done.id,
                    type: 'row',
                    title: row.title,
                    collapsed: false,
                    panels: [],
                    gridPos: { x: 0, y: done.y, w: 24, h: 1 },
                  }],
                } else
                  local line = std.foldl(function(line, pair) {
                    x: line.x + pair[1],
                    id: line.id + 1,
                    list: line.list + [pair[0] {
                      id: line.id,
                      gridPos: { x: line.x, y: done.y, w: pair[1], h: row.height },
                    }],
                  }, row.panels, { x: 0, id: done.id, list: [] });
                  assert line.x == 24 : 'a row of panels is 24 wide, not %d' % line.x;
                  { y: done.y + row.height, id: line.id, list: done.list + line.list },
              rows,
              { y: 0, id: 1, list: [] }).list,

  heading(title):: { title: title },
  row(height, panels):: { height: height, panels: panels },

  dashboard(config, name, title, description, variables, rows, page='/', more={}):: {
    uid: config.uidPrefix + name,
    title: 'Defender / ' + title,
    description: description,
    tags: config.tags,
    schemaVersion: 39,
    version: 1,
    editable: false,
    graphTooltip: 1,
    fiscalYearStartMonth: 0,
    liveNow: false,
    weekStart: '',
    timezone: 'browser',
    time: { from: config.period, to: 'now' },
    timepicker: {},
    refresh: config.refresh,
    templating: { list: common(config) + variables },
    annotations: { list: annotations },
    links: [
      {
        type: 'dashboards',
        title: 'Defender',
        tags: config.tags,
        asDropdown: true,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
        icon: 'external link',
        tooltip: 'The other dashboards',
        url: '',
      },
      {
        type: 'link',
        title: 'Exporter',
        tags: [],
        asDropdown: false,
        includeVars: false,
        keepTime: false,
        targetBlank: true,
        icon: 'doc',
        tooltip: 'What the exporter itself shows',
        url: '${exporter}' + page,
      },
    ],
    panels: placed(rows),
  } + more,
}
