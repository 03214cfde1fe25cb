import type { Labels } from "../labels.js";
import type { OrderQueue } from "../orders.js";
import type { Shipping } from "../shipping.js";
import type { Staff } from "../staff.js";

/** What can be broken. */
export interface Breakable {
  readonly orders: OrderQueue;
  readonly shipping: Shipping;
  readonly labels: Labels;
  readonly staff: Staff;
  /** Orders a second that the consumers manage while nothing is wrong. */
  readonly managed: number;
}

/** Something that goes wrong, with a symptom that shows without any other load. */
export interface Fault {
  readonly name: string;
  /** What happens, for the one who looks on. */
  readonly says: string;
  /** Begins at once; what it returns ends it. */
  begin(service: Breakable): () => void;
}
