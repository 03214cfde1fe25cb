import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

/** A module of the library that is no entry, compiled as the entries are; tsx would add something to each of its functions. */
export async function compiled<Module>(file: string): Promise<Module> {
  const build = await rolldown({ input: SRC + file, platform: "node", transform: { target: "node20.19" } });
  const { output } = await build.generate({ format: "es" });
  await build.close();
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`) as Promise<Module>;
}
