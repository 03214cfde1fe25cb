import { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";
import { awaitTree } from "./await-tree.js";
import type { DevTools } from "./devtools.js";

/** The program of the thread that looks at main. Main only writes its heap down; what is made of that is made here. */
const session = new Session();
session.connectToMainThread();

const devTools: DevTools = {
  post: (method, params) =>
    new Promise((resolve, reject) => {
      session.post(method, params, (error, result) => (error === null ? resolve(result) : reject(error)));
    }),
  on(event, listener) {
    const hear = ({ params }: { params: object }) => listener(params);
    session.on(event, hear);
    return () => session.off(event, hear);
  },
};

parentPort!.postMessage(await awaitTree(devTools, workerData));
session.disconnect();
