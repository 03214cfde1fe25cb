import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import type { Place } from "./place.js";
import type { Found } from "./programs.js";
import {
  type DashboardProviders,
  type Datasources,
  relocateDashboards,
  relocateDatasources,
} from "./relocate.js";
import { inRepository, readYaml } from "./repository.js";
import type { Server } from "./servers.js";

/** Where its packages put what it needs; elsewhere it must know by itself. */
const HOME = "/usr/share/grafana";

/** The file in the place's folder that has the password of `admin`, made up anew each time. */
export const PASSWORD_FILE = "grafana-admin-password";

/** Grafana with the committed provisioning, as closed as in docker-compose.otel.yml, and nothing left of it afterwards. */
export function grafana({ program, args }: Found, place: Place): Server {
  const { addresses } = place;
  const dashboards = inRepository("grafana/dashboards");
  rewrite<Datasources>(place, "datasources", (file) => relocateDatasources(file, addresses));
  rewrite<DashboardProviders>(place, "dashboards", (file) => relocateDashboards(file, dashboards));
  writeFileSync(place.path(PASSWORD_FILE), randomBytes(18).toString("base64url"), { mode: 0o600 });
  const home = existsSync(HOME) ? ["--homepath", HOME] : [];
  return {
    command: {
      name: "grafana",
      program,
      args: [...args, ...home],
      env: {
        GF_ANALYTICS_REPORTING_ENABLED: "false",
        GF_AUTH_ANONYMOUS_ENABLED: "false",
        GF_LOG_MODE: "console",
        GF_PATHS_DATA: place.path("grafana"),
        GF_PATHS_PROVISIONING: place.path("provisioning"),
        GF_PLUGINS_PREINSTALL_AUTO_UPDATE: "false",
        GF_SECURITY_ADMIN_PASSWORD: `$__file{${place.path(PASSWORD_FILE)}}`,
        GF_SERVER_HTTP_ADDR: "127.0.0.1",
        GF_SERVER_HTTP_PORT: `${place.port("grafana")}`,
        GF_SERVER_ROOT_URL: place.url("grafana"),
        GF_USERS_ALLOW_SIGN_UP: "false",
      },
    },
    readyAt: place.url("grafana", "/api/health"),
  };
}

function rewrite<File extends object>(place: Place, kind: string, change: (file: File) => File): void {
  const committed = `grafana/provisioning/${kind}`;
  mkdirSync(place.path(`provisioning/${kind}`), { recursive: true });
  for (const name of readdirSync(inRepository(committed))) {
    place.write(`provisioning/${kind}/${name}`, change(readYaml<File>(`${committed}/${name}`)));
  }
}
