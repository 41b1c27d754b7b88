/** What an event is to the node it happens at: after a pause, timers come first, then input. */
export type EventKind = "timer" | "input" | "world";

/** Whose event it is: it takes place in the life that it was meant for, or not at all. */
export interface EventOwner {
  readonly life: number;
  /** Runs the event now, or when its owner goes on. Returns whether it ran. */
  offer(event: SimulatedEvent): boolean;
}

/** Something that will happen. At most one node notices it, in the life it was meant for. */
export interface SimulatedEvent {
  readonly atMs: number;
  readonly order: number;
  readonly kind: EventKind;
  readonly node: EventOwner | undefined;
  readonly life: number;
  readonly run: () => void;
  cancelled: boolean;
  /** The term of the request of a leader that it brings; 0 for all else. */
  heartbeatTerm: number;
}

/** Time that passes only when something is due: events in order of time, then of being scheduled. */
export class EventQueue {
  readonly #heap: SimulatedEvent[] = [];
  #nowMs = 0;
  #order = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  get nextAtMs(): number {
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  schedule(delayMs: number, kind: EventKind, node: EventOwner | undefined, run: () => void): SimulatedEvent {
    const atMs = this.#nowMs + Math.max(0, delayMs);
    const life = node === undefined ? 0 : node.life;
    const event: SimulatedEvent = {
      atMs,
      order: this.#order++,
      kind,
      node,
      life,
      run,
      cancelled: false,
      heartbeatTerm: 0,
    };
    this.#push(event);
    return event;
  }

  /** The next event, with the time set to its own; undefined when nothing will ever happen again. */
  take(): SimulatedEvent | undefined {
    const event = this.#pop();
    if (event !== undefined) this.#nowMs = event.atMs;
    return event;
  }

  /** Nothing happens until then. */
  advanceTo(atMs: number): void {
    if (atMs > this.#nowMs) this.#nowMs = atMs;
  }

  #push(event: SimulatedEvent): void {
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as SimulatedEvent;
      if (!isBefore(event, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  #pop(): SimulatedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    const { length } = heap;
    let place = 0;
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && isBefore(heap[child + 1] as SimulatedEvent, heap[child] as SimulatedEvent)) child++;
      const below = heap[child] as SimulatedEvent;
      if (!isBefore(below, last)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one: SimulatedEvent, other: SimulatedEvent): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
