// For threads of the tests: tsx starts itself in the main thread only.
import { register } from "tsx/esm/api";

register();
