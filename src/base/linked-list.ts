/** A node of a {@link LinkedList}. */
export interface Links<N> {
  previous: N | undefined;
  next: N | undefined;
}

/** A doubly linked list whose links live in its nodes: append and remove are O(1) and allocate nothing. */
export class LinkedList<N extends Links<N>> {
  first: N | undefined = undefined;
  last: N | undefined = undefined;
  size = 0;

  append(node: N): void {
    const { last } = this;
    node.previous = last;
    if (last === undefined) this.first = node;
    else last.next = node;
    this.last = node;
    this.size++;
  }

  /** After `previous`, which is in this list; before all others if that is undefined. */
  insertAfter(previous: N | undefined, node: N): void {
    const next = previous === undefined ? this.first : previous.next;
    node.previous = previous;
    node.next = next;
    if (previous === undefined) this.first = node;
    else previous.next = node;
    if (next === undefined) this.last = node;
    else next.previous = node;
    this.size++;
  }

  /** Takes the first node away. Only when there is one. */
  shift(): void {
    const first = this.first!;
    const { next } = first;
    this.first = next;
    if (next === undefined) this.last = undefined;
    else next.previous = undefined;
    first.next = undefined;
    this.size--;
  }

  /** The node must be in this list. */
  remove(node: N): void {
    const { previous, next } = node;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    node.previous = undefined;
    node.next = undefined;
    this.size--;
  }
}
