import { describe, expect, it } from "vitest";
import {
  relocateAlertmanager,
  relocateDashboards,
  relocateDatasources,
  relocatePrometheus,
} from "../../scripts/stack/relocate.js";
import { read } from "./compose.js";

const prometheus = read("grafana/prometheus/prometheus.yml");
const alertmanager = read("grafana/alertmanager/alertmanager.yml");

const SERVICES = ["demo:9464", "prometheus:9090", "alertmanager:9093", "collector:8888", "tempo:3200"];
const SAME = Object.fromEntries(SERVICES.map((address) => [address, address]));

describe("Prometheus's configuration, elsewhere", () => {
  it("is the committed one, where the addresses are", () => {
    expect(relocatePrometheus(prometheus, { addresses: SAME, rules: "/etc/prometheus/rules" })).toEqual(
      prometheus,
    );
  });

  it("asks only the services that are there", () => {
    const addresses = { "demo:9464": "127.0.0.1:1", "alertmanager:9093": "127.0.0.1:2" };
    const config = relocatePrometheus(prometheus, { addresses, rules: "/rules" });
    expect(config.scrape_configs).toEqual([
      { job_name: "order-service", static_configs: [{ targets: ["127.0.0.1:1"] }] },
      { job_name: "alertmanager", static_configs: [{ targets: ["127.0.0.1:2"] }] },
    ]);
    expect(config.alerting.alertmanagers).toEqual([{ static_configs: [{ targets: ["127.0.0.1:2"] }] }]);
    expect(config.alerting.alert_relabel_configs).toEqual(prometheus.alerting.alert_relabel_configs);
  });

  it("has the rules of a folder", () => {
    const { rule_files } = relocatePrometheus(prometheus, { addresses: SAME, rules: "/elsewhere" });
    expect(rule_files).toEqual(["/elsewhere/*.yml"]);
  });

  it("links to another Grafana", () => {
    const grafanaUrl = "http://127.0.0.1:3";
    const { global } = relocatePrometheus(prometheus, { addresses: SAME, rules: "/rules", grafanaUrl });
    expect(global).toEqual({ ...prometheus.global, external_labels: { grafana_url: grafanaUrl } });
  });
});

describe("Alertmanager's configuration, elsewhere", () => {
  const config = relocateAlertmanager(alertmanager, "http://127.0.0.1:4/");

  it("tells one URL all that it would tell any, of ends, too", () => {
    const webhook = { url: "http://127.0.0.1:4/", send_resolved: true };
    for (const receiver of config.receivers) {
      expect(receiver).toEqual({ name: expect.any(String), webhook_configs: [webhook] });
    }
  });

  it("is the committed one in everything else", () => {
    const names = ({ receivers }: { receivers: { name: string }[] }) => receivers.map(({ name }) => name);
    expect(names(config)).toEqual(names(alertmanager));
    expect({ ...config, receivers: [] }).toEqual({ ...alertmanager, receivers: [] });
  });
});

describe("Grafana's provisioning, elsewhere", () => {
  it("has the data sources that are there", () => {
    const datasources = [
      { uid: "prometheus", url: "http://prometheus:9090" },
      { uid: "tempo", url: "http://tempo:3200" },
    ];
    expect(relocateDatasources({ datasources }, { "prometheus:9090": "127.0.0.1:5" })).toEqual({
      datasources: [{ uid: "prometheus", url: "http://127.0.0.1:5" }],
    });
  });

  it("takes the dashboards from a folder", () => {
    const providers = [{ name: "Queuescope", options: { path: "/var/lib/grafana/dashboards" } }];
    expect(relocateDashboards({ providers }, "/elsewhere")).toEqual({
      providers: [{ name: "Queuescope", options: { path: "/elsewhere" } }],
    });
  });
});
