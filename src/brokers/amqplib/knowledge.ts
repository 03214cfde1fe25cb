/** What an adapter has learnt of queues, from whatever tells of them: declarations, deliveries, management. */
export class Knowledge {
  private readonly deadLetters = new Map<string, boolean>();
  /** Queues into which messages come from other queues: they count nowhere as published there. */
  readonly fedByOthers = new Set<string>();

  /** Whether what is rejected from the queue goes to another one. */
  learnDeadLettering(queue: string, doesSo: boolean): void {
    this.deadLetters.set(queue, doesSo);
  }

  /** False where it isn't known: the message is gone, as far as anyone here can tell. */
  deadLettersFrom(queue: string): boolean {
    return this.deadLetters.get(queue) === true;
  }
}
