#!/usr/bin/env node
import { dispatch } from "./dispatch.js";

// A pipe whose reader has gone (`| head`) is no fault.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
}

// Not `process.exit`: what is written to a pipe may still be on its way.
process.exitCode = await dispatch(process.argv.slice(2), {
  print: (text) => process.stdout.write(`${text}\n`),
  note: (text) => process.stderr.write(`${text}\n`),
});
