/**
 * The committed configuration has the addresses of docker-compose.otel.yml. Here they become those of wherever the same servers run
 * instead. Nothing else changes.
 */

/** Where services are: `"demo:9464"` is at `"127.0.0.1:40123"`. What has no entry isn't there, and is not asked. */
export type Addresses = Readonly<Record<string, string>>;

const RULES = "/etc/prometheus/rules/";
const DASHBOARDS = "/var/lib/grafana/dashboards";

interface Targets {
  static_configs: { targets: string[] }[];
}

/** What is in `grafana/prometheus/prometheus.yml`. */
export interface PrometheusConfig {
  global: { external_labels: Record<string, string> };
  rule_files: string[];
  alerting: { alertmanagers: Targets[] };
  scrape_configs: (Targets & { job_name: string })[];
}

export interface PrometheusPlace {
  readonly addresses: Addresses;
  /** The folder with the rules. */
  readonly rules: string;
  /** Where a browser finds Grafana. Default: as committed. */
  readonly grafanaUrl?: string | undefined;
}

export function relocatePrometheus<Config extends PrometheusConfig>(
  config: Config,
  { addresses, rules, grafanaUrl }: PrometheusPlace,
): Config {
  const { global, alerting } = config;
  const labels = { ...global.external_labels };
  if (grafanaUrl !== undefined) labels.grafana_url = grafanaUrl;
  return {
    ...config,
    global: { ...global, external_labels: labels },
    rule_files: config.rule_files.map((path) => path.replace(RULES, `${rules}/`)),
    alerting: { ...alerting, alertmanagers: relocateTargets(alerting.alertmanagers, addresses) },
    scrape_configs: relocateTargets(config.scrape_configs, addresses),
  };
}

function relocateTargets<Group extends Targets>(groups: readonly Group[], addresses: Addresses): Group[] {
  const relocated = groups.map((group) => ({
    ...group,
    static_configs: group.static_configs.map((some) => ({
      ...some,
      targets: some.targets.flatMap((target) => addresses[target] ?? []),
    })),
  }));
  return relocated.filter((group) => group.static_configs.some(({ targets }) => targets.length > 0));
}

/** What is in `grafana/alertmanager/alertmanager.yml`. */
export interface AlertmanagerConfig {
  receivers: { name: string }[];
}

/** Whomever it would have told, by mail or otherwise, this URL is told instead. */
export function relocateAlertmanager<Config extends AlertmanagerConfig>(config: Config, url: string): Config {
  const webhook = { url, send_resolved: true };
  return { ...config, receivers: config.receivers.map(({ name }) => ({ name, webhook_configs: [webhook] })) };
}

/** What is in `grafana/provisioning/datasources`. */
export interface Datasources {
  datasources: { url: string }[];
}

export function relocateDatasources<File extends Datasources>(file: File, addresses: Addresses): File {
  const datasources = file.datasources.flatMap((datasource) => {
    const address = addresses[new URL(datasource.url).host];
    return address === undefined ? [] : [{ ...datasource, url: `http://${address}` }];
  });
  return { ...file, datasources };
}

/** What is in `grafana/provisioning/dashboards`. */
export interface DashboardProviders {
  providers: { options: { path: string } }[];
}

export function relocateDashboards<File extends DashboardProviders>(file: File, folder: string): File {
  const providers = file.providers.map((provider) => ({
    ...provider,
    options: { ...provider.options, path: provider.options.path.replace(DASHBOARDS, folder) },
  }));
  return { ...file, providers };
}
