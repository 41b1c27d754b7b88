import type { LogIndex, ReadOutcome } from "../raft/types.js";
import { LIMITS } from "./options.js";

/** Called exactly once. */
export interface ReadWaiter {
  /** The node has applied everything that was committed when the read was asked. */
  ready(): void;
  fail(message: string): void;
}

interface Waiting {
  readonly waiter: ReadWaiter;
  readonly deadline: number;
}

/**
 * Linearizable reads (dissertation §6.4): everything asked in one turn shares one read index, and
 * waits until this node has applied that far.
 */
export class Reads {
  readonly #retryMs: number;
  #queued: Waiting[] = [];
  readonly #asked = new Map<number, { readonly waiting: readonly Waiting[]; readonly askedAt: number }>();
  #confirmed: { readonly readIndex: LogIndex; readonly waiting: readonly Waiting[] }[] = [];
  #nextReadId: number;
  #count = 0;
  #notBefore = 0;

  /** @param options.firstId read ids count up from here; no other life of the node may come near */
  constructor(options: { readonly retryMs: number; readonly firstId: number }) {
    this.#retryMs = options.retryMs;
    this.#nextReadId = options.firstId;
  }

  get count(): number {
    return this.#count;
  }

  add(waiter: ReadWaiter, deadline: number): void {
    if (this.#count >= LIMITS.readsMax) {
      waiter.fail("Too many reads are waiting at this node.");
      return;
    }
    this.#count++;
    this.#queued.push({ waiter, deadline });
  }

  /** The id to ask a read index for, if something waits to be asked. */
  nextAsk(now: number): number | undefined {
    if (this.#queued.length === 0 || now < this.#notBefore) return undefined;
    const readId = this.#nextReadId++;
    this.#asked.set(readId, { waiting: this.#queued, askedAt: now });
    this.#queued = [];
    return readId;
  }

  outcome(outcome: ReadOutcome, now: number): void {
    const asked = this.#asked.get(outcome.readId);
    if (asked === undefined) return;
    this.#asked.delete(outcome.readId);
    if (outcome.kind === "ready") {
      this.#confirmed.push({ readIndex: outcome.readIndex, waiting: asked.waiting });
    } else {
      this.#queued = [...asked.waiting, ...this.#queued];
      // Refused for want of a leader: asking in every turn would only spin.
      this.#notBefore = now + this.#retryMs / 8;
    }
  }

  /** A leader is known (again): ask at once. */
  leaderKnown(): void {
    this.#notBefore = 0;
    this.#askAgain(() => true);
  }

  /** Answers what the node has caught up with. */
  applied(appliedIndex: LogIndex): void {
    if (this.#confirmed.length === 0) return;
    const ready = this.#confirmed.filter((batch) => batch.readIndex <= appliedIndex);
    if (ready.length === 0) return;
    this.#confirmed = this.#confirmed.filter((batch) => batch.readIndex > appliedIndex);
    for (const batch of ready) {
      this.#count -= batch.waiting.length;
      for (const { waiter } of batch.waiting) waiter.ready();
    }
  }

  /** Asks again where the answer was lost, and ends what is past its deadline. */
  housekeep(now: number): void {
    if (this.#count === 0) return;
    this.#askAgain((askedAt) => now - askedAt >= this.#retryMs);
    const expired: Waiting[] = [];
    this.#queued = stillWaiting(this.#queued, now, expired);
    for (const [readId, asked] of this.#asked) {
      this.#asked.set(readId, { ...asked, waiting: stillWaiting(asked.waiting, now, expired) });
    }
    this.#confirmed = this.#confirmed.map((batch) => ({
      ...batch,
      waiting: stillWaiting(batch.waiting, now, expired),
    }));
    // Told last: a reader may ask again at once.
    this.#count -= expired.length;
    for (const { waiter } of expired) waiter.fail("No read index was confirmed by a majority before the deadline.");
  }

  failAll(message: string): void {
    const all = [...this.#queued];
    for (const { waiting } of [...this.#asked.values(), ...this.#confirmed]) all.push(...waiting);
    this.#queued = [];
    this.#asked.clear();
    this.#confirmed = [];
    this.#count = 0;
    for (const { waiter } of all) waiter.fail(message);
  }

  #askAgain(isDue: (askedAt: number) => boolean): void {
    for (const [readId, { waiting, askedAt }] of this.#asked) {
      if (!isDue(askedAt)) continue;
      this.#asked.delete(readId);
      this.#queued = [...waiting, ...this.#queued];
    }
  }
}

function stillWaiting(waiting: readonly Waiting[], now: number, expired: Waiting[]): Waiting[] {
  return waiting.filter((one) => {
    if (now < one.deadline) return true;
    expired.push(one);
    return false;
  });
}
