// Colours that people with any colour vision tell apart, on white and on black: those of Paul Tol's
// "vibrant" scheme, its red a little lighter. Good is blue, never green beside red.
{
  risk: {
    critical: '#DB3A1B',
    high: '#EE7733',
    medium: '#DDAA33',
    low: '#0077BB',
    not_evaluated: '#888888',
  },
  // From the worst down: the order of every legend and stack.
  levels: ['critical', 'high', 'medium', 'low', 'not_evaluated'],
  words: {
    critical: 'Critical',
    high: 'High',
    medium: 'Medium',
    low: 'Low',
    not_evaluated: 'Not evaluated',
  },
  // Severities of alerts and vulnerabilities, and of baseline rules.
  severity: {
    critical: '#DB3A1B',
    high: '#EE7733',
    medium: '#DDAA33',
    low: '#0077BB',
    informational: '#88CCEE',
    unknown: '#888888',
  },
  severities: ['critical', 'high', 'medium', 'low', 'informational', 'unknown'],
  // What an asset is worth to whoever attacks it.
  criticality: {
    very_high: '#DB3A1B',
    high: '#EE7733',
    medium: '#DDAA33',
    low: '#0077BB',
    none: '#888888',
    other: '#BBBBBB',
  },
  criticalities: ['very_high', 'high', 'medium', 'low', 'none', 'other'],
  // very_high -> Very high
  word(name):: std.asciiUpper(name[0]) + std.strReplace(name[1:], '_', ' '),
  // One hue a cloud; others get what Grafana gives.
  cloud: {
    azure: '#0077BB',
    aws: '#EE7733',
    gcp: '#009988',
    github: '#888888',
    azuredevops: '#33BBEE',
    gitlab: '#EE3377',
  },
  good: '#0077BB',
  plain: '#33BBEE',
  worth_a_look: '#DDAA33',
  poor: '#EE7733',
  bad: '#DB3A1B',
  none: '#888888',
}
