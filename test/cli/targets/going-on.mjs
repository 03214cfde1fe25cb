// Three tasks, each of which is somewhere else a moment later.
async function step() {
  await new Promise((done) => setTimeout(done, 2)); // at:step
}

async function poll() {
  for (let i = 0; ; i++) await step(i); // at:poll
}

for (let i = 0; i < 3; i++) poll();
let turns = 0;
setInterval(() => turns++, 1);
process.on("message", () => process.send(turns));
process.send("ready");
