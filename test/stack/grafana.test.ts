import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect } from "vitest";
import { inRepository } from "../../scripts/stack/repository.js";
import { temporaryFolder } from "../live/server.js";
import { itWith } from "../live/servers.js";
import { compose } from "./compose.js";
import { ANY_PORTS, RunningStack } from "./running-stack.js";

interface Seen {
  readonly args: string[];
  readonly env: Record<string, string>;
  readonly files: Record<string, string>;
}

const live = itWith("prometheus", "prometheus-alertmanager");

live("npm run stack starts Grafana, too, if it is there: provisioned, and closed", async ({ lifetime }) => {
  const programs = temporaryFolder(lifetime);
  const fake = join(programs, "grafana");
  writeFileSync(
    fake,
    `#!/bin/sh\nexec "${process.execPath}" "${inRepository("test/stack/fake-grafana.mjs")}" "$@"\n`,
  );
  chmodSync(fake, 0o755);
  const stack = new RunningStack(lifetime, ANY_PORTS, { PATH: `${programs}${delimiter}${process.env.PATH}` });
  const rows = await stack.rows();
  expect([...rows.keys()], stack.output).toContain("Grafana");
  const [url, user, passwordFile] = rows.get("Grafana")!.split(", ");

  const { args, env, files } = (await (await fetch(url!)).json()) as Seen;
  expect(args[0]).toBe("server");
  const closed = ["GF_ANALYTICS_REPORTING_ENABLED", "GF_AUTH_ANONYMOUS_ENABLED", "GF_USERS_ALLOW_SIGN_UP"];
  for (const name of closed) expect(env[name], name).toBe(compose.services.grafana!.environment![name]);
  expect(env.GF_SERVER_ROOT_URL).toBe(url);

  expect(user).toBe("admin");
  expect(env.GF_SECURITY_ADMIN_PASSWORD).toBe(`$__file{${passwordFile}}`);
  expect(statSync(passwordFile!).mode & 0o777).toBe(0o600);
  expect(readFileSync(passwordFile!, "utf8")).toMatch(/^[\w-]{24}$/);

  const datasources = Object.values(files).flatMap((file) => JSON.parse(file).datasources ?? []);
  const origins = datasources.map((datasource) => new URL(datasource.url).origin);
  expect(origins).toContain(new URL(rows.get("Alerts")!).origin);
  const providers = Object.values(files).flatMap((file) => JSON.parse(file).providers ?? []);
  expect(providers.map(({ options }) => options.path)).toEqual([inRepository("grafana/dashboards")]);
});
