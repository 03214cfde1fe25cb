// What a tool makes of it has other lines than it has.
interface Order {
  readonly id: string;
}

enum State {
  Open,
  Paid,
}

const held: (() => void)[] = [];

type Paid = Order & { readonly state: State };

export class Till<T extends Order> {
  constructor(private readonly rate: number) {}

  async charge(order: T): Promise<Paid> {
    await new Promise<void>((resolve) => held.push(resolve)); // at:charge
    return { ...order, state: this.rate > 0 ? State.Paid : State.Open };
  }
}

async function main(): Promise<void> {
  const paid: Paid = await new Till<Order>(1).charge({ id: "1" }); // at:main
  held.length = paid.state;
}

main();
setInterval(() => held.length, 1_000);
process.send?.("ready");
