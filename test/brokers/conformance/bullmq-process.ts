import type { BrokerAdapter } from "../../../src/contracts/index.js";
import { serveBroker } from "../../../src/testing.js";
import { bullmqKind } from "./bullmq.js";

/** The other process of the suite: `bullmq-process.ts MAJOR PORT [loses-the-carrier]`. */
const [major, port, fault] = process.argv.slice(2) as [string, string, string?];
const kind = bullmqKind(Number(major), Number(port));

function without(adapter: BrokerAdapter): BrokerAdapter {
  return Object.assign(Object.create(adapter), {
    attach: ((client, hub) => {
      const send: typeof hub.send = (...args) => ({ ...hub.send(...args), carrier: {} });
      return adapter.attach(client, Object.assign(Object.create(hub), { send }));
    }) as BrokerAdapter["attach"],
  });
}

serveBroker(fault === undefined ? kind : { ...kind, adapter: () => without(kind.adapter()) });
