import type { Clock, Timer, Timers } from "../../src/replica/ports.js";

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that passes only when something is due: events run in order of time, then of arrival. */
export class VirtualTime {
  readonly #heap: Event[] = [];
  #now = 0;
  #order = 0;

  get now(): number {
    return this.#now;
  }

  schedule(delayMs: number, run: () => void): Timer {
    let cancelled = false;
    this.#push({
      at: this.#now + Math.max(0, delayMs),
      order: this.#order++,
      run: () => {
        if (!cancelled) run();
      },
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  /** Runs events until the condition holds; throws when it does not within the limit of virtual time. */
  until(holds: () => boolean, limitMs = 60_000): void {
    const end = this.#now + limitMs;
    while (!holds()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end)
        throw new Error(`the condition did not hold within ${limitMs} virtual ms`);
      this.#step();
    }
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    while ((this.#heap[0]?.at ?? Number.POSITIVE_INFINITY) <= end) this.#step();
    this.#now = end;
  }

  #step(): void {
    const event = this.#pop();
    if (event === undefined) return;
    this.#now = event.at;
    event.run();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[place] = heap[parent] as Event;
      place = parent;
    }
    heap[place] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[place] = heap[child] as Event;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(one: Event | undefined, other: Event | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** One node's clock, timers and life: what was scheduled before a crash never runs after it. */
export class NodeTime implements Clock, Timers {
  readonly #time: VirtualTime;
  #life = 0;
  #pausedUntilResumed: (() => void)[] | undefined;
  wallOffsetMs = 0;
  /** How late every timer is, as on a machine with too much to do. */
  timersLateMs = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  monotonic(): number {
    return this.#time.now;
  }

  wall(): number {
    return 1_800_000_000_000 + Math.floor(this.#time.now) + this.wallOffsetMs;
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#time.schedule(delayMs + this.timersLateMs, this.guard(callback));
  }

  afterInput(callback: () => void): void {
    this.#time.schedule(0.01, this.guard(callback));
  }

  /** The callback as long as this life lasts; while the node is paused, when it goes on. */
  guard(callback: () => void): () => void {
    const life = this.#life;
    const run = () => {
      if (life !== this.#life) return;
      if (this.#pausedUntilResumed === undefined) callback();
      else this.#pausedUntilResumed.push(run);
    };
    return run;
  }

  crash(): void {
    this.#life++;
    this.#pausedUntilResumed = undefined;
  }

  pause(): void {
    this.#pausedUntilResumed ??= [];
  }

  /** Goes on: timers are late and come first, as an event loop would have it. */
  resume(): void {
    const waiting = this.#pausedUntilResumed ?? [];
    this.#pausedUntilResumed = undefined;
    for (const run of waiting) run();
  }
}
