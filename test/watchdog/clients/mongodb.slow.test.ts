import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { BSON, MongoClient } from "mongodb";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Waits } from "../../../src/waits/waits.js";
import { eventually, inWords, task } from "./rig.js";

const OP_MSG = 2013;

let waits: Waits;
let server: net.Server;
let peer: string;
const sockets = new Set<net.Socket>();
/** Answers what is asked of the collection `held`, once it has come. */
let answerHeld: () => Promise<void>;

/** There is no MongoDB among Debian's packages: this has as much of its protocol as the client needs, and answers `find` when told to. */
beforeEach(async () => {
  const held: (() => void)[] = [];
  answerHeld = async () => {
    await eventually(() => expect(held).toHaveLength(1));
    held.pop()!();
  };
  server = net.createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 16 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0);
        const message = received.subarray(0, length);
        received = received.subarray(length);
        const command = BSON.deserialize(message.subarray(21));
        const answer = (body: object) => {
          const document = BSON.serialize({ ...body, ok: 1 });
          const head = Buffer.alloc(21);
          head.writeInt32LE(head.length + document.length, 0);
          head.writeInt32LE(message.readInt32LE(4), 8);
          head.writeInt32LE(OP_MSG, 12);
          socket.write(Buffer.concat([head, document]));
        };
        const cursor = { cursor: { firstBatch: [{ _id: 1 }], id: BSON.Long.ZERO, ns: "shop.orders" } };
        if (command.find === "held") held.push(() => answer(cursor));
        else if (command.find !== undefined) answer(cursor);
        else {
          answer({
            isWritablePrimary: true,
            maxBsonObjectSize: 16_777_216,
            maxMessageSizeBytes: 48_000_000,
            maxWriteBatchSize: 100_000,
            minWireVersion: 0,
            maxWireVersion: 21,
          });
        }
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  peer = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  waits = new Waits();
  waits.start();
});

afterEach(async () => {
  waits.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, "close");
});

it("a task with mongodb waits for a command on a collection, over connections that were open before", async () => {
  const client = new MongoClient(`mongodb://${peer}/?directConnection=true`, {
    serverApi: "1",
    maxPoolSize: 1,
  });
  const shop = client.db("shop");
  await shop.collection("orders").findOne({});
  const first = await task(async () => {
    await shop.collection("orders").findOne({});
    return shop.collection("held").findOne({ card: "secret" });
  });
  await eventually(() =>
    expect(inWords(waits, first.task)).toEqual([`query: mongodb command "find held" at ${peer}`]),
  );
  // The client has one connection, and gives it to the next one.
  const second = await task(() => shop.collection("held").findOne({}));
  expect(inWords(waits, second.task)).toEqual([]);
  await answerHeld();
  await first.result;
  await eventually(() =>
    expect(inWords(waits, second.task)).toEqual([`query: mongodb command "find held" at ${peer}`]),
  );
  expect(inWords(waits, first.task)).toEqual([]);
  await answerHeld();
  await second.result;
  expect(inWords(waits, second.task)).toEqual([]);
  await client.close();
});
