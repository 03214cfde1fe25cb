/**
 * Backpressure for peers that have none of their own, with the meaning that ours has: a put waits while `capacity` items
 * are under way, and goes on as soon as there is room. One promise for each wait, and nothing else.
 */
export class Gate {
  private underWay = 0;
  private threshold = 0;
  private open: (() => void) | undefined = undefined;

  constructor(private readonly capacity: number) {}

  get isFull(): boolean {
    return this.underWay >= this.capacity;
  }

  enter(): void {
    this.underWay++;
  }

  leave(): void {
    if (--this.underWay > this.threshold || this.open === undefined) return;
    const { open } = this;
    this.open = undefined;
    open();
  }

  /** Resolves when there is room. Only while it is full. */
  room(): Promise<void> {
    return this.wait(this.capacity - 1);
  }

  /** Resolves when everything is through. */
  passed(): Promise<void> {
    return this.underWay === 0 ? Promise.resolve() : this.wait(0);
  }

  private wait(threshold: number): Promise<void> {
    this.threshold = threshold;
    return new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
