import { readdirSync, readFileSync } from "node:fs";
import { ScaledObject } from "@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject";
import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor";
import { PrometheusRule } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { Service } from "kubernetes-models/v1/Service";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { deployment } from "../../grafana/build/kubernetes/deployment.js";
import { kubernetesFiles } from "../../grafana/build/kubernetes/files.js";
import { QUERY } from "../../grafana/build/kubernetes/scaled-object.js";
import { podMonitor, service, serviceMonitor } from "../../grafana/build/kubernetes/scraping.js";
import { mixinFiles } from "../../grafana/build/mixin/files.js";
import { ruleGroups } from "../../grafana/build/rules.js";
import { committed, NAMES } from "./dashboards.js";
import { problemsOf } from "./promql.js";
import { recorded, ruleFiles } from "./rules.js";

/** What `kubectl apply` may keep in its annotation, in bytes. */
const ANNOTATION_BYTES = 262_144;

const MODELS = { ConfigMap, Deployment, PodMonitor, PrometheusRule, ScaledObject, Service, ServiceMonitor };

interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof typeof MODELS;
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly data: Record<string, string>;
  readonly spec: { readonly groups: unknown };
}

const made = [...kubernetesFiles()];
const manifests = new Map(made.map(([name, text]) => [name, parse(text) as Manifest]));

describe("npm run dashboards would change nothing in", () => {
  it.each([
    ...made.map(([name, text]) => [`kubernetes/${name}`, text] as const),
    ...[...mixinFiles()].map(([name, text]) => [`mixin/${name}`, text] as const),
  ])("%s", (file, text) => {
    expect(readFileSync(`grafana/${file}`, "utf8")).toBe(text);
  });

  it("files that nothing makes any more: there are none", () => {
    const there = readdirSync("grafana/kubernetes", { recursive: true }).filter((file) =>
      `${file}`.includes("."),
    );
    expect(there.sort()).toEqual(made.map(([name]) => name).sort());
  });
});

// A field that the schema doesn't know is an error of the type checker, as manifests are written in TypeScript.
describe("fits the schema of its kind:", () => {
  it.each([...manifests])("%s", (_, manifest) => {
    const { apiVersion, kind } = new MODELS[manifest.kind]();
    expect({ apiVersion, kind }).toEqual({ apiVersion: manifest.apiVersion, kind: manifest.kind });
    new (MODELS[manifest.kind] as typeof ConfigMap)(manifest).validate();
  });

  it("and what doesn't fit is noticed", () => {
    const wrong = {
      metadata: { name: "a" },
      spec: { podMetricsEndpoints: [{ interval: "15 s" }], selector: {} },
    };
    expect(() => new PodMonitor(wrong).validate()).toThrow("interval");
  });
});

it("the PrometheusRule has all committed groups, once", () => {
  const { spec } = manifests.get("prometheusrule.yaml")!;
  expect(spec.groups).toEqual([...ruleFiles.values()].flatMap(({ groups }) => groups));
  const names = ruleGroups().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

it.each(NAMES)("the ConfigMap of %s has the committed dashboard, is found, and can be applied", (name) => {
  const { metadata, data } = manifests.get(`dashboards/queuescope-${name}.yaml`)!;
  expect(metadata.labels.grafana_dashboard).toBe("1");
  expect(Object.keys(data)).toEqual([`queuescope-${name}.json`]);
  expect(JSON.parse(data[`queuescope-${name}.json`]!)).toEqual(committed(name));
  expect(Buffer.byteLength(JSON.stringify({ metadata, data }))).toBeLessThan(ANNOTATION_BYTES);
});

describe("what selects another finds it:", () => {
  const { template } = deployment.spec!;
  const portsOfPod = template.spec!.containers![0]!.ports!.map(({ name }) => name);

  it("the PodMonitor the pods, their port, and the label that names the job", () => {
    const { jobLabel, selector, podMetricsEndpoints } = podMonitor.spec!;
    expect(template.metadata!.labels).toMatchObject(selector!.matchLabels!);
    expect(template.metadata!.labels).toHaveProperty([jobLabel!], "order-worker");
    for (const { port } of podMetricsEndpoints!) expect(portsOfPod).toContain(port);
  });

  it("the ServiceMonitor the Service, its port, and the label that names the job", () => {
    const { jobLabel, selector, endpoints } = serviceMonitor.spec!;
    expect(service.metadata!.labels).toMatchObject(selector!.matchLabels!);
    expect(service.metadata!.labels).toHaveProperty([jobLabel!], "order-api");
    for (const { port } of endpoints!) expect(service.spec!.ports!.map(({ name }) => name)).toContain(port);
  });

  it("probes a port of their container", () => {
    const { startupProbe, livenessProbe, readinessProbe } = template.spec!.containers![0]!;
    for (const probe of [startupProbe, livenessProbe, readinessProbe])
      expect(portsOfPod).toContain(probe!.httpGet!.port);
  });
});

it("KEDA asks for series and labels that there are", () => {
  expect(problemsOf(QUERY, recorded)).toEqual([]);
});
