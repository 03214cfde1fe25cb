// CommonJS, which is blocked when it is told to.
const { pbkdf2Sync } = require("node:crypto");

globalThis.held = [];

async function plain() {
  await new Promise((resolve) => globalThis.held.push(resolve)); // at:plain
}

function spin() {
  let i = 0;
  while (true) i = (i + 1) % 7; // at:spin
}

const blocks = { code: spin, native: () => pbkdf2Sync("a", "b", 2 ** 31 - 1, 64, "sha512") };

plain();
process.on("message", (how) => {
  process.send("now", () => setImmediate(blocks[how]));
});
process.send("ready");
