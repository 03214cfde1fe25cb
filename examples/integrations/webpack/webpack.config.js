const path = require("node:path");

module.exports = {
  target: "node20",
  mode: "production",
  entry: "./app.js",
  devtool: "source-map",
  output: { path: path.join(__dirname, "dist"), filename: "app.cjs" },
};
