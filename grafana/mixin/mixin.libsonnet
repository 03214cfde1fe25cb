// Queuescope's alerts, recording rules and dashboards as a mixin. With this `_config` they are those of grafana/rules and
// grafana/dashboards; a test holds them together. docs/kubernetes.md says how to render it.
local dashboards = import 'dashboards.libsonnet';
local rules = import 'rules.libsonnet';
local scraping = import 'scraping.libsonnet';
local thresholds = import 'thresholds.libsonnet';

local secondsOf(interval) =
  local unit = { s: 1, m: 60 };
  local count = std.substr(interval, 0, std.length(interval) - 1);
  local last = std.substr(interval, std.length(interval) - 1, 1);
  assert std.objectHas(unit, last) && count != '' && std.length(std.stripChars(count, '0123456789')) == 0 :
         '_config.scrape_interval must be a number of s or m, such as 30s, and is ' + interval;
  std.parseInt(count) * unit[last];

{
  _config+:: {
    // Matchers that every selector of scraped series gets, as they stand between braces: 'namespace=~"shop|billing"'. Of labels that
    // targets have; alerts keep only cluster, namespace, job and instance.
    selector: '',
    // What is longest between two scrapes, from 1s to 2m. Up to 60s it changes nothing in the rules; above, ranges and `for` grow.
    scrape_interval: '15s',
    thresholds: thresholds,
    // Where a browser finds Grafana. This one is replaced by Prometheus, from its `external_labels`.
    grafana_url: '{{ $externalLabels.grafana_url }}',
    // %s is the alert's name.
    runbook_url_pattern: 'https://github.com/queuescope/queuescope/blob/main/docs/runbooks/%s.md',
    // Jobs of which there must be targets, for QueueJobAbsent: [{ job: 'worker', namespace: 'shop' }]. Not those that are scaled to zero.
    expected_jobs: [],
    dashboard_tags: ['queuescope'],
  },

  local config = $._config,
  local selector =
    assert std.isString(config.selector) && !std.member(config.selector, '{') :
           '_config.selector must be matchers without braces, such as namespace="shop", and is ' + config.selector;
    config.selector,
  local more_matchers = if selector == '' then '' else ', ' + selector,
  local checked =
    local unknown = std.setDiff(std.objectFields(config.thresholds), std.objectFields(thresholds));
    assert unknown == [] : '_config.thresholds has no ' + std.join(', ', unknown);
    config.thresholds,
  local c = checked + scraping(secondsOf(config.scrape_interval)) + {
    matchers: if selector == '' then '' else '{' + selector + '}',
    more_matchers: more_matchers,
    grafana_url: config.grafana_url,
    runbook_url_pattern: config.runbook_url_pattern,
  },
  local rendered = rules(c),

  prometheusAlerts+:: {
    groups+: rendered.alerts + (
      local matchersOf(labels) = std.join(', ', ['%s="%s"' % [label, labels[label]] for label in std.objectFields(labels)]);
      if config.expected_jobs == [] then [] else [{
        name: 'queuescope-expected-jobs',
        rules: [rendered.expected(matchersOf(labels)) for labels in config.expected_jobs],
      }]
    ),
  },

  prometheusRules+:: {
    groups+: rendered.recordings,
  },

  local replaced(text, pairs) = std.foldl(function(each, pair) std.strReplace(each, pair[0], pair[1]), pairs, text),
  local selecting(expr) = if selector == '' then expr else replaced(expr, [
    ['job=~"$job"', 'job=~"$job"' + more_matchers],
    // Of variables, which come before that of the job. Alerts have few labels: they are chosen by variables, whose values come from what is selected.
    ['label_values(queue_enqueued_total, cluster)', 'label_values(queue_enqueued_total{' + selector + '}, cluster)'],
    ['{cluster=~"$cluster"}', '{cluster=~"$cluster"' + more_matchers + '}'],
    ['namespace=~"$namespace"}', 'namespace=~"$namespace"' + more_matchers + '}'],
  ]),
  local isAsCommitted = selector == '' && config.scrape_interval == '15s',
  local adapted(value) =
    if std.isArray(value) then [adapted(each) for each in value]
    else if !std.isObject(value) then value
    else {
      [key]: if std.member(['expr', 'query', 'definition'], key) && std.isString(value[key]) then selecting(value[key]) else adapted(value[key])
      for key in std.objectFields(value)
    } + (
      // $__rate_interval follows it. Grafana's datasource has 15s, unless it was told otherwise.
      if std.objectHas(value, 'expr') && std.objectHas(value, 'refId') && config.scrape_interval != '15s' then { interval: config.scrape_interval } else {}
    ),

  grafanaDashboards+:: {
    [name]: (if isAsCommitted then dashboards[name] else adapted(dashboards[name])) + { tags: config.dashboard_tags }
    for name in std.objectFields(dashboards)
  },
}
