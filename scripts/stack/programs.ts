import { findProgram } from "./find-program.js";

/** The programs by the names that they go by, and the Debian packages that have them. */
const PROGRAMS = {
  prometheus: { names: ["prometheus"], debian: "prometheus" },
  alertmanager: { names: ["alertmanager", "prometheus-alertmanager"], debian: "prometheus-alertmanager" },
} as const;

type Needed = keyof typeof PROGRAMS;

/** A program, and what its arguments begin with. */
export interface Found {
  readonly program: string;
  readonly args: readonly string[];
}

/** Where they are. */
export type Programs = Readonly<Record<Needed, string>> & { readonly grafana: Found | undefined };

/** Throws an error with a message for the one at the keyboard if one isn't there that must be. */
export function findPrograms(): Programs {
  const found = Object.entries(PROGRAMS).map(([key, { names }]) => [key, findProgram(...names)] as const);
  const missing = found.flatMap(([key, path]) => (path === undefined ? [PROGRAMS[key as Needed]] : []));
  if (missing.length > 0) {
    const names = missing.map((program) => program.names.join(" or ")).join(", ");
    const packages = missing.map(({ debian }) => debian).join(" ");
    throw new Error(
      `Not in PATH: ${names}. On Debian or Ubuntu: apt-get install ${packages}\n` +
        "(The packages start services of their own; this needs none of them: systemctl disable --now …)\n" +
        "With Docker, nothing needs to be installed: docs/stack.md",
    );
  }
  return { ...(Object.fromEntries(found) as Record<Needed, string>), grafana: findGrafana() };
}

function findGrafana(): Found | undefined {
  const grafana = findProgram("grafana");
  if (grafana !== undefined) return { program: grafana, args: ["server"] };
  const server = findProgram("grafana-server");
  return server === undefined ? undefined : { program: server, args: [] };
}
