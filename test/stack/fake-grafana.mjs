// Stands in for Grafana: listens where it is told to, and tells with what it was started.
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";

const { GF_PATHS_PROVISIONING: folder, GF_SERVER_HTTP_ADDR, GF_SERVER_HTTP_PORT } = process.env;
const files = ["datasources", "dashboards"].flatMap((kind) =>
  readdirSync(`${folder}/${kind}`).map((name) => [
    `${kind}/${name}`,
    readFileSync(`${folder}/${kind}/${name}`, "utf8"),
  ]),
);
const seen = { args: process.argv.slice(2), env: process.env, files: Object.fromEntries(files) };

createServer((_request, response) => response.end(JSON.stringify(seen))).listen(
  Number(GF_SERVER_HTTP_PORT),
  GF_SERVER_HTTP_ADDR,
);
