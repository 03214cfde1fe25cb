import { render } from "preact";
import { App } from "./app.js";
import { Store } from "./state/store.js";
import { applyTheme } from "./state/theme.js";

applyTheme();
render(<App store={new Store().open()} />, document.getElementById("page")!);
