import { MissingPeerError } from "../../base/errors.js";

/** Bundlers take it that what is caught may be missing, and leave it to the run. */
const pass = (error: unknown): never => {
  throw error;
};

interface Packages {
  readonly "@opentelemetry/sdk-node": typeof import("@opentelemetry/sdk-node");
  readonly "@opentelemetry/sdk-trace": typeof import("@opentelemetry/sdk-trace");
  readonly "@opentelemetry/exporter-prometheus": typeof import("@opentelemetry/exporter-prometheus");
  readonly "@opentelemetry/exporter-trace-otlp-http": typeof import("@opentelemetry/exporter-trace-otlp-http");
  readonly "@opentelemetry/exporter-metrics-otlp-http": typeof import("@opentelemetry/exporter-metrics-otlp-http");
  readonly "@opentelemetry/sdk-metrics": typeof import("@opentelemetry/sdk-metrics");
}

type Always = "@opentelemetry/sdk-node" | "@opentelemetry/sdk-trace";
/** What was loaded, by the names of the packages. */
export type Peers = Pick<Packages, Always> & Partial<Packages>;

const LOADERS: { readonly [Name in keyof Packages]: () => Promise<Packages[Name]> } = {
  "@opentelemetry/sdk-node": () => import("@opentelemetry/sdk-node").catch(pass),
  "@opentelemetry/sdk-trace": () => import("@opentelemetry/sdk-trace").catch(pass),
  "@opentelemetry/exporter-prometheus": () => import("@opentelemetry/exporter-prometheus").catch(pass),
  "@opentelemetry/exporter-trace-otlp-http": () =>
    import("@opentelemetry/exporter-trace-otlp-http").catch(pass),
  "@opentelemetry/exporter-metrics-otlp-http": () =>
    import("@opentelemetry/exporter-metrics-otlp-http").catch(pass),
  "@opentelemetry/sdk-metrics": () => import("@opentelemetry/sdk-metrics").catch(pass),
};

/** Which of the packages are wanted, besides those that always are. */
export interface Wanted {
  readonly prometheus: boolean;
  readonly otlp: "traces" | "traces-and-metrics" | "nothing";
}

/**
 * Loads what is wanted. Rejects with `MissingPeerError`, which names all packages that are missing and the command that installs them for
 * this version of Node.
 */
export async function loadPeers({ prometheus, otlp }: Wanted): Promise<Peers> {
  const wanted: (keyof Packages)[] = ["@opentelemetry/sdk-node", "@opentelemetry/sdk-trace"];
  if (prometheus) wanted.push("@opentelemetry/exporter-prometheus");
  if (otlp !== "nothing") wanted.push("@opentelemetry/exporter-trace-otlp-http");
  if (otlp === "traces-and-metrics") {
    wanted.push("@opentelemetry/exporter-metrics-otlp-http", "@opentelemetry/sdk-metrics");
  }
  const loaded: Record<string, unknown> = {};
  const missing: string[] = [];
  let cause: unknown;
  for (const name of wanted) {
    try {
      loaded[name] = await LOADERS[name]();
    } catch (error) {
      if (!isAbsence(error, name)) throw error;
      missing.push(name);
      cause ??= error;
    }
  }
  if (missing.length > 0) {
    throw new MissingPeerError("queuescope/sdk", missing, installCommand(wanted), { cause });
  }
  return loaded as unknown as Peers;
}

/** Whether the package itself is not there; one of its own may be missing, too, and is another fault. */
function isAbsence(error: unknown, name: string): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return false;
  return message.includes(`'${name}'`) || message.includes(`"${name}"`);
}

/** The SDK's line 3.x needs a newer Node, and a newer API. */
const SDK_3_NEEDS = { major: 22, minor: 15 };

/** Names every package that is wanted, not only those that are missing: each line of the SDK works only with its own. */
export function installCommand(packages: readonly string[], node = process.versions.node): string {
  const [major = 0, minor = 0] = node.split(".").map(Number);
  const isNew = major > SDK_3_NEEDS.major || (major === SDK_3_NEEDS.major && minor >= SDK_3_NEEDS.minor);
  const api = isNew ? "@opentelemetry/api" : "@opentelemetry/api@1.9";
  return `npm install ${[api, ...packages].join(" ")}`;
}
