import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../assert.js";
import type { FailureCode } from "../failure.js";
import { Group, type TaggedCommand } from "../generated/folio/log/v1/log.js";
import type { Recollection } from "../machine/replicated-state.js";
import { LIMITS } from "./options.js";

/** Who waits for a command at its origin. Called exactly once. */
export interface Waiter {
  settle(result: unknown): void;
  fail(code: FailureCode, message: string, retryAfterMs?: number): void;
}

interface Pending {
  readonly request: number;
  readonly command: TaggedCommand;
  readonly deadline: number;
  readonly waiter: Waiter;
  /** On its way in this attempt; undefined: waits in the queue. */
  attempt: Attempt | undefined;
  sentAt: number;
  /** Attempts whose fate is not known: at 0 it was certainly not executed. */
  uncertainAttempts: number;
  /** After how long without an answer an attempt is repeated; doubles. */
  retryMs: number;
}

/** What went together, once, to one leader. */
interface Attempt {
  readonly id: number;
  readonly pendings: readonly Pending[];
  /** How many of them are still on their way in this attempt. */
  open: number;
}

/** One encoded Group on its way into an entry. */
export interface PackedGroup {
  readonly bytes: Uint8Array;
  readonly commandCount: number;
  readonly attempt: number;
}

/**
 * The commands that this node took and has not answered yet. Each is tagged (session, request)
 * once and keeps its tag through every repetition: the session table makes it act at most once.
 */
export class Proposals {
  readonly #retryMs: number;
  readonly #writer = new BinaryWriter();
  readonly #waiting = new Map<number, Pending>();
  readonly #attempts = new Map<number, Attempt>();
  /** Ascending by request: what has to be proposed or forwarded (again). May hold some that wait no more. */
  #queue: Pending[] = [];
  /** Something came back from an attempt, or left: the queue is built anew when it is needed. */
  #queueIsStale = false;
  #nextRequest = 1;
  #lowWater = 1;
  #nextAttempt: number;

  /** @param options.firstId attempts count up from here; no other life of the node may come near */
  constructor(options: { readonly retryMs: number; readonly firstId: number }) {
    this.#retryMs = options.retryMs;
    this.#nextAttempt = options.firstId;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get hasQueued(): boolean {
    return this.#queueIsStale || this.#queue.length > 0;
  }

  /** Takes a command; the waiter is registered before anything can answer it. */
  submit(command: { readonly machine: number; readonly payload: Uint8Array }, deadline: number, waiter: Waiter): void {
    // Without a leader nothing is packed for long, and all that came meanwhile may be finished.
    if (this.#nextRequest - this.#lowWater >= LIMITS.requestSpanMax) this.#advanceLowWater();
    const span = this.#nextRequest - this.#lowWater;
    if (this.#waiting.size >= LIMITS.waitersMax || span >= LIMITS.requestSpanMax) {
      waiter.fail("NOT_EXECUTED", "Too many requests are waiting at this node.", 1000);
      return;
    }
    const request = this.#nextRequest++;
    const pending: Pending = {
      request,
      command: { request, machine: command.machine, payload: command.payload },
      deadline,
      waiter,
      attempt: undefined,
      sentAt: 0,
      uncertainAttempts: 0,
      retryMs: this.#retryMs,
    };
    this.#waiting.set(request, pending);
    this.#queue.push(pending);
  }

  /**
   * Packs as much of the queue as fits into one group; from then on these attempts are uncertain.
   * @param now monotonic ms
   */
  pack(
    session: number,
    limit: { readonly commands: number; readonly bytes: number },
    now: number,
  ): PackedGroup | undefined {
    this.#refreshQueue();
    const pendings: Pending[] = [];
    let bytes = 0;
    let taken = 0;
    for (const pending of this.#queue) {
      const size = pending.command.payload.length + 16;
      if (pendings.length > 0 && (pendings.length >= limit.commands || bytes + size > limit.bytes)) break;
      taken++;
      if (!this.#waiting.has(pending.request)) continue;
      pendings.push(pending);
      bytes += size;
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    if (pendings.length === 0) return undefined;
    const { id } = this.#attempt(pendings, now);
    const commands = pendings.map((pending) => pending.command);
    const group = Group.encode({ session, lowWater: this.#advanceLowWater(), commands }, this.#writer);
    return { bytes: group.finish(), commandCount: commands.length, attempt: id };
  }

  #attempt(pendings: readonly Pending[], now: number): Attempt {
    const attempt: Attempt = { id: this.#nextAttempt++, pendings, open: pendings.length };
    this.#attempts.set(attempt.id, attempt);
    for (const pending of pendings) {
      pending.attempt = attempt;
      pending.sentAt = now;
      pending.uncertainAttempts++;
    }
    return attempt;
  }

  /** The mark below which every request is finished. */
  #advanceLowWater(): number {
    while (this.#lowWater < this.#nextRequest && !this.#waiting.has(this.#lowWater)) this.#lowWater++;
    return this.#lowWater;
  }

  settled(request: number, result: unknown): void {
    const pending = this.#waiting.get(request);
    if (pending === undefined) return;
    this.#finish(pending);
    pending.waiter.settle(result);
  }

  /** The attempt certainly did not happen: its commands are as uncertain as before it. */
  refused(attemptId: number): void {
    for (const pending of this.#onTheirWayIn(attemptId)) {
      pending.uncertainAttempts--;
      invariant(pending.uncertainAttempts >= 0, "an attempt is refused once");
      this.#requeue(pending);
    }
  }

  /** Ends the commands of a refused attempt that were not tried otherwise; the rest waits on. */
  failRefused(attemptId: number, message: string, retryAfterMs: number): void {
    const neverTried = this.#onTheirWayIn(attemptId).filter(({ uncertainAttempts }) => uncertainAttempts === 1);
    this.refused(attemptId);
    for (const pending of neverTried) this.#fail(pending, message, retryAfterMs);
  }

  /** Ends what waits in the queue and was never tried, or certainly refused each time. */
  failQueued(message: string): void {
    if (!this.hasQueued) return;
    this.#refreshQueue();
    const neverTried = this.#queue.filter(({ uncertainAttempts }) => uncertainAttempts === 0);
    for (const pending of neverTried) this.#fail(pending, message, 1000);
    this.#queueIsStale = true;
  }

  /** Whoever was to execute them is gone: all that is on its way goes again, under the same tags. */
  repeatAll(): void {
    for (const pending of this.#waiting.values()) this.#requeue(pending);
  }

  /**
   * The session was closed, and this node has applied the entry that closed it (or has recalled what
   * acted in entries that it passed over): what acted was settled, and what still waits never acted and
   * never will under its old tag. So it is tagged anew, for the next session.
   */
  retagAll(): void {
    const pendings = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#attempts.clear();
    this.#queue = [];
    for (const { command, deadline, waiter } of pendings) this.submit(command, deadline, waiter);
  }

  /**
   * Entries were passed over, with a snapshot in their place: of what waits, some acted in them. What
   * acted is answered with its very result; what did not, and still may, goes again under its tag. Where
   * that cannot be told (the session was closed meanwhile), what may have acted ends as unknown, and
   * what certainly did not waits on for another tag.
   */
  recall(recollect: (request: number) => Recollection): void {
    for (const pending of [...this.#waiting.values()]) {
      const memory = recollect(pending.request);
      if (memory.kind === "acted") this.settled(pending.request, memory.result);
      else if (memory.kind === "open") this.#requeue(pending);
      else if (pending.uncertainAttempts > 0) {
        this.#fail(pending, "This node was away while the request was decided, and what became of it is not known.", 0);
      }
    }
  }

  /** Ends what is past its deadline and repeats what was not answered for long. */
  housekeep(now: number, options: { readonly repeatUnanswered: boolean }): void {
    const expired: Pending[] = [];
    for (const pending of this.#waiting.values()) {
      if (now >= pending.deadline) expired.push(pending);
      else if (options.repeatUnanswered && pending.attempt !== undefined && now - pending.sentAt >= pending.retryMs) {
        pending.retryMs *= 2;
        this.#requeue(pending);
      }
    }
    for (const pending of expired) {
      const message =
        pending.uncertainAttempts === 0
          ? "No leader took the request before its deadline."
          : "The request was under way when its deadline passed.";
      this.#fail(pending, message, 1000);
    }
    if (expired.length === 0) return;
    // Without a leader nobody packs: what has ended would stay in the queue, with all that it carries.
    this.#queueIsStale = true;
    this.#refreshQueue();
  }

  /** Everything still waiting ends, as the node does. */
  failAll(message: string): void {
    for (const pending of [...this.#waiting.values()]) this.#fail(pending, message, 1000);
    this.#queue = [];
  }

  /** Tells the waiter the truth: what was tried and not refused may still act. */
  #fail(pending: Pending, message: string, retryAfterMs: number): void {
    if (!this.#waiting.has(pending.request)) return;
    this.#finish(pending);
    if (pending.uncertainAttempts === 0) pending.waiter.fail("NOT_EXECUTED", message, retryAfterMs);
    else pending.waiter.fail("OUTCOME_UNKNOWN", message);
  }

  #onTheirWayIn(attemptId: number): Pending[] {
    const attempt = this.#attempts.get(attemptId);
    return attempt?.pendings.filter((pending) => pending.attempt === attempt) ?? [];
  }

  #finish(pending: Pending): void {
    this.#waiting.delete(pending.request);
    this.#leaveAttempt(pending);
  }

  #requeue(pending: Pending): void {
    this.#leaveAttempt(pending);
    this.#queueIsStale = true;
  }

  #leaveAttempt(pending: Pending): void {
    const { attempt } = pending;
    if (attempt === undefined) return;
    pending.attempt = undefined;
    attempt.open--;
    if (attempt.open === 0) this.#attempts.delete(attempt.id);
  }

  #refreshQueue(): void {
    if (!this.#queueIsStale) return;
    this.#queueIsStale = false;
    this.#queue = [...this.#waiting.values()].filter((pending) => pending.attempt === undefined);
  }
}
