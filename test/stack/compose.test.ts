import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { readOptions } from "../../scripts/stack/options.js";
import { Place } from "../../scripts/stack/place.js";
import { inRepository } from "../../scripts/stack/repository.js";
import { commentOnHealthCheck, compose, listens, mounts, published, read, services } from "./compose.js";

const names = services.map(([name]) => name);
const each = it.for(names);
const service = (name: string) => compose.services[name]!;
const prometheus = read("grafana/prometheus/prometheus.yml");
const tempo = read("grafana/tempo/tempo.yml");

describe("what is mounted", () => {
  it("is in the repository, and can't be written to", () => {
    const files = mounts.filter(({ source }) => source.startsWith("."));
    expect(files.length).toBeGreaterThan(0);
    for (const { source, mode } of files) {
      expect(existsSync(inRepository(source)), source).toBe(true);
      expect(mode, source).toBe("ro");
    }
  });

  it("is a folder where a folder is meant: a missing file would become one", () => {
    for (const { source, target } of mounts.filter(({ source }) => source.startsWith("."))) {
      expect(statSync(inRepository(source)).isFile(), source).toBe(/\.ya?ml$/.test(target));
    }
  });

  it("is otherwise a volume with a name, and every volume is mounted", () => {
    const used = mounts.map(({ source }) => source).filter((source) => !source.startsWith("."));
    expect(used.sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  it("is what the program is told to read", () => {
    for (const { service: name, target } of mounts.filter(({ target }) => /\.ya?ml$/.test(target))) {
      const told = service(name).command?.some((argument) => argument.endsWith(`=${target}`));
      expect(told, `${name} reads ${target}`).toBe(true);
    }
  });

  it("has rules where Prometheus looks for them, and their tests elsewhere", () => {
    const rules = mounts.find(({ source }) => source === "./grafana/rules")!;
    expect(prometheus.rule_files.map(posix.dirname)).toEqual([rules.target]);
    expect(readdirSync(inRepository("grafana/rules")).filter((name) => name.endsWith(".yml"))).toEqual(
      readdirSync(inRepository("grafana/rules")).filter((name) => name.endsWith(".rules.yml")),
    );
  });

  it("has dashboards where their provider looks for them", () => {
    const dashboards = mounts.find(({ source }) => source === "./grafana/dashboards")!;
    const paths = provisioned("dashboards").flatMap((file) =>
      file.providers.map((provider: { options: { path: string } }) => provider.options.path),
    );
    expect([...new Set(paths)]).toEqual([dashboards.target]);
  });
});

describe("every address", () => {
  const addresses: [string, string][] = [
    ...targets(prometheus.scrape_configs).map((at): [string, string] => ["a scrape target", at]),
    ...targets(prometheus.alerting.alertmanagers).map((at): [string, string] => ["an Alertmanager", at]),
    ...Object.entries<{ endpoint?: string }>(read("grafana/collector/collector.yml").exporters).flatMap(
      ([name, { endpoint }]): [string, string][] => (endpoint === undefined ? [] : [[name, endpoint]]),
    ),
    ...tempo.metrics_generator.storage.remote_write.map(({ url }: { url: string }): [string, string] => [
      "what Tempo writes to",
      new URL(url).host,
    ]),
    ["the demo's collector", new URL(service("demo").environment!.OTEL_EXPORTER_OTLP_ENDPOINT!).host],
    ["the customers' demo", new URL(service("customers").command![0]!).host],
    ...provisioned("datasources").flatMap((file) =>
      file.datasources.map(({ name, url }: { name: string; url: string }) => [name, new URL(url).host]),
    ),
  ];

  it.for(addresses)("%s, %s, is a service and a port on which it listens", ([, address]) => {
    const [host = "", port] = address.split(":");
    expect(names).toContain(host);
    expect(listens[host]).toContain(Number(port));
  });

  it("of a server that runs without Docker, too, is replaced", () => {
    const place = new Place("nowhere", { demo: 1, metrics: 2, prometheus: 3, alertmanager: 4, grafana: 5 });
    const asked = [...targets(prometheus.scrape_configs), ...targets(prometheus.alerting.alertmanagers)];
    const without = asked.filter((address) => !/^(collector|tempo):/.test(address));
    expect(Object.keys(place.addresses).sort()).toEqual([...new Set(without)].sort());
  });
});

describe("what is published", () => {
  it("is on loopback, at the port that it has inside", () => {
    expect(published.length).toBeGreaterThan(0);
    for (const port of published) {
      expect(port).toMatchObject({ address: "127.0.0.1", outside: port.inside });
      expect(listens[port.service], port.service).toContain(port.inside);
    }
  });

  it("is where the stack without Docker is", () => {
    const { ports } = readOptions([]) as Exclude<ReturnType<typeof readOptions>, "help">;
    const ours = Object.values(ports).map(({ port }) => port);
    const theirs = published.filter(({ service: name }) => name !== "collector");
    expect(theirs.map(({ outside }) => outside).sort()).toEqual(ours.sort());
  });

  it("is where links lead", () => {
    const grafana = service("grafana").environment!.GF_SERVER_ROOT_URL;
    expect(prometheus.global.external_labels.grafana_url).toBe(grafana);
    const links = services.flatMap(([, { command = [] }]) =>
      command.flatMap((argument) => /^--web\.external-url=(.+)$/.exec(argument)?.[1] ?? []),
    );
    for (const link of [grafana!, ...links]) {
      const { hostname, port } = new URL(link);
      expect(published).toContainEqual(expect.objectContaining({ address: hostname, outside: Number(port) }));
    }
  });
});

describe("every container", () => {
  each("%s has a version that stays the same", (name) => {
    const { image, build } = service(name);
    const file = build && readFileSync(inRepository(build.dockerfile), "utf8");
    const images =
      image === undefined ? [...file!.matchAll(/^FROM (\S+)/gm)].map(([, from]) => from) : [image];
    expect(images.length).toBeGreaterThan(0);
    for (const name of images) expect(name).toMatch(/:v?\d+\.\d+\.\d+(-[a-z-]+)?$/);
  });

  each("%s has no privileges, can't get any, and can't write to its image", (name) => {
    expect(service(name)).toMatchObject({
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      read_only: true,
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
    });
    expect(service(name).privileged).toBeUndefined();
    expect(service(name).network_mode).toBeUndefined();
  });

  each("%s has a health check, or says why not", (name) => {
    const { test, disable } = service(name).healthcheck ?? {};
    if (disable) return expect(commentOnHealthCheck(name)).toMatch(/\w{3,} \w+/);
    // Most of these images have no shell.
    expect(test?.[0]).toBe("CMD");
    expect(IN_IMAGE[name]).toBe(test?.[1]);
    for (const [, port] of test!.join(" ").matchAll(/127\.0\.0\.1:(\d+)/g)) {
      expect(listens[name]).toContain(Number(port));
    }
  });

  each("%s waits for the health only of those who have a check", (name) => {
    const needed = Object.entries(service(name).depends_on ?? {});
    for (const [other] of needed.filter(([, { condition }]) => condition === "service_healthy")) {
      expect(service(other).healthcheck?.disable, other).toBeUndefined();
    }
  });
});

/** Programs that the images have, and that can tell. The collector's has only itself. */
const IN_IMAGE: Readonly<Record<string, string>> = {
  alertmanager: "/bin/amtool",
  demo: "node",
  grafana: "wget",
  prometheus: "/bin/promtool",
  tempo: "/tempo",
};

describe("no stranger gets in", () => {
  it("to Grafana without the password", () => {
    expect(service("grafana").environment).toMatchObject({
      GF_ANALYTICS_REPORTING_ENABLED: "false",
      GF_AUTH_ANONYMOUS_ENABLED: "false",
      GF_SECURITY_ADMIN_PASSWORD__FILE: "/run/secrets/grafana-admin-password",
      GF_USERS_ALLOW_SIGN_UP: "false",
    });
  });

  it("by a secret that stands in a file of the repository", () => {
    for (const [, { environment = {} }] of services) {
      const secrets = Object.keys(environment).filter((key) => /PASSWORD|SECRET|TOKEN|_KEY/.test(key));
      for (const key of secrets) expect(key).toMatch(/__FILE$/);
    }
    const [ignored, image] = [".gitignore", ".dockerignore"].map((file) =>
      readFileSync(inRepository(file), "utf8").split("\n"),
    );
    for (const [name, { file }] of Object.entries(compose.secrets)) {
      expect(services.some(([, { secrets = [] }]) => secrets.includes(name))).toBe(true);
      expect(ignored).toContain(`${posix.dirname(posix.normalize(file))}/`);
    }
    expect(image).toContain("*");
    expect(image!.filter((line) => line.startsWith("!grafana"))).toEqual([]);
  });

  it("to what deletes, stops or reloads Prometheus", () => {
    const enabled = service("prometheus").command!.filter((argument) => argument.includes("enable"));
    expect(enabled).toEqual(["--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage"]);
  });
});

describe("what is made of spans", () => {
  const [generator, processors] = [tempo.metrics_generator, tempo.overrides.defaults.metrics_generator];
  const datasources = provisioned("datasources").flatMap((file) => file.datasources);
  const datasource = (type: string) => datasources.find((each) => each.type === type);

  it("goes to Prometheus, which takes it, with exemplars", () => {
    expect(processors.processors).toEqual(["service-graphs", "span-metrics"]);
    const [target] = generator.storage.remote_write;
    expect(new URL(target.url).pathname).toBe("/api/v1/write");
    expect(target.send_exemplars).toBe(true);
    const { command } = service("prometheus");
    expect(command).toContain("--web.enable-remote-write-receiver");
    expect(command).toContain("--enable-feature=exemplar-storage");
  });

  it("is kept, until it is sent, where Tempo may write", () => {
    const folders = mounts.filter(({ service: name, mode }) => name === "tempo" && mode !== "ro");
    expect(folders.map(({ target }) => posix.relative(target, generator.storage.path))).toContain(
      "generator",
    );
  });

  it("has settings only of processors that are on", () => {
    const on = processors.processors.map((name: string) => name.replaceAll("-", "_"));
    expect(Object.keys(generator.processor).sort()).toEqual([...on].sort());
  });

  it("calls queues, tiers and traces as our own metrics do", () => {
    const names = generator.processor.span_metrics.dimension_mappings.map(
      ({ name }: { name: string }) => name,
    );
    const tags = datasource("tempo").jsonData.tracesToMetrics.tags;
    expect(tags.map(({ value }: { value: string }) => value)).toEqual(names);
    for (const { name, source_labels: attributes } of generator.processor.span_metrics.dimension_mappings) {
      expect(tags).toContainEqual({ key: attributes[0], value: name });
    }
    const destinations = datasource("prometheus").jsonData.exemplarTraceIdDestinations;
    expect(destinations).toEqual([
      { name: processors.trace_id_label_name, datasourceUid: datasource("tempo").uid },
    ]);
  });

  it("is where Grafana looks for the service map", () => {
    const { serviceMap, nodeGraph, tracesToMetrics } = datasource("tempo").jsonData;
    expect(serviceMap.datasourceUid).toBe(datasource("prometheus").uid);
    expect(tracesToMetrics.datasourceUid).toBe(datasource("prometheus").uid);
    expect(nodeGraph).toEqual({ enabled: true });
  });
});

it("Grafana doesn't update plugins that are part of a read-only image", () => {
  expect(service("grafana").environment).toMatchObject({ GF_PLUGINS_PREINSTALL_AUTO_UPDATE: "false" });
});

function targets(groups: readonly { static_configs: { targets: string[] }[] }[]): string[] {
  return groups.flatMap((group) => group.static_configs.flatMap((some) => some.targets));
}

function provisioned(kind: string) {
  const folder = `grafana/provisioning/${kind}`;
  return readdirSync(inRepository(folder)).map((name) => read(`${folder}/${name}`));
}
