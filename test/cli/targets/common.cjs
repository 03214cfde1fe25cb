// CommonJS, which is blocked when it is told to.
const { pbkdf2Sync } = require("node:crypto");

const held = [];

async function plain() {
  await new Promise((resolve) => held.push(resolve)); // at:plain
}

function spin() {
  let i = 0;
  while (true) i = (i + 1) % 7; // at:spin
}

const blocks = { code: spin, native: () => pbkdf2Sync("a", "b", 2 ** 31 - 1, 64, "sha512") };

plain();
// Its function could reach what it does not.
setInterval(() => {}, 1_000);
process.on("message", (how) => {
  process.send("now", () => setImmediate(blocks[how]));
});
process.send("ready");
