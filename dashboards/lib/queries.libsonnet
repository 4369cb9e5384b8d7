// PromQL: every selector has the job and the instance that were chosen. Two exporters of one tenant
// serve the same series, so what is about Azure is taken once: max without (instance, pod).
{
  local q = self,
  local chosen = 'job=~"$job", instance=~"$instance"',

  // A metric of the exporter itself; more: further matchers.
  own(metric, more='')::
    '%s{%s%s}' % [metric, chosen, if more == '' then '' else ', ' + more],
  rate(metric, more='')::
    'rate(%s[$__rate_interval])' % q.own(metric, more),
  ownIncrease(metric, range, more='')::
    'increase(%s[%s])' % [q.own(metric, more), range],

  // A metric of the tenant that has no subscription.
  once(metric, more='')::
    'max without (instance, pod) (%s)' % q.own(metric, more),
  increase(metric, range, more='')::
    'max without (instance, pod) (%s)' % q.ownIncrease(metric, range, more),

  // The subscriptions that were chosen: by tenant, management group and name.
  subscriptions::
    q.own('defender_subscription_info', 'tenant_id=~"$tenant", ' +
                                        'management_group=~"$management_group", subscription_name=~"$subscription"'),
  ofSubscriptions(expression)::
    '%s and on (subscription_id) %s' % [expression, q.subscriptions],

  // A metric with a subscription, of those that were chosen.
  of(metric, more='')::
    q.ofSubscriptions(q.once(metric, more)),
  ofIncrease(metric, range, more='')::
    q.ofSubscriptions(q.increase(metric, range, more)),

  // With what an info metric tells of a key: one row of it a key, whoever else tells of that, too.
  told(expression, key, labels, info)::
    '(%s) * on (%s) group_left (%s) topk by (%s) (1, %s)' % [expression, key, labels, key, info],
  named(expression)::
    q.told(expression, 'subscription_id', 'subscription_name', q.subscriptions),
  titled(expression)::
    q.told(expression, 'assessment_id', 'display_name', q.own('defender_assessment_info')),

  // name: what a label with an id of Azure ends in; another text as it is.
  short(expression, label)::
    'label_replace(%s, "name", "$1", "%s", "(?:/subscriptions/.*/)?(.+)")' % [expression, label],

  sum(expression, by='')::
    if by == '' then 'sum(%s)' % expression else 'sum by (%s) (%s)' % [by, expression],

  // The secure score over what was chosen: the average by weight, as in the portal.
  // offset: '' or ' offset 1d'.
  score(by='', more='', offset='')::
    local pick(metric) = 'max without (instance, pod) (%s%s) and on (subscription_id) %s%s'
                         % [q.own(metric, more), offset, q.subscriptions, offset];
    '%s / %s' % [
      q.sum('(%s) * (%s)' % [
        pick('defender_secure_score_ratio'),
        pick('defender_secure_score_weight'),
      ], by),
      q.sum('(%s) and (%s)' % [
        pick('defender_secure_score_weight'),
        pick('defender_secure_score_ratio'),
      ], by),
    ],
}
