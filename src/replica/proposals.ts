import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../assert.js";
import type { FailureCode } from "../failure.js";
import { Group, type TaggedCommand } from "../generated/folio/log/v1/log.js";
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
  /** Waits in the queue, or is on its way in the attempt of that number. */
  attempt: number | undefined;
  sentAt: number;
  /** Attempts whose fate is not known: at 0 it was certainly not executed. */
  uncertainAttempts: number;
  /** After how long without an answer an attempt is repeated; doubles. */
  retryMs: number;
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
  /** Ascending by request: what has to be proposed or forwarded (again). */
  #queue: Pending[] = [];
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
    return this.#queue.length > 0;
  }

  /** Takes a command; the waiter is registered before anything can answer it. */
  submit(command: { readonly machine: number; readonly payload: Uint8Array }, deadline: number, waiter: Waiter): void {
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
    const attempt = this.#nextAttempt;
    const commands: TaggedCommand[] = [];
    let bytes = 0;
    let taken = 0;
    for (const pending of this.#queue) {
      const size = pending.command.payload.length + 16;
      if (commands.length > 0 && (commands.length >= limit.commands || bytes + size > limit.bytes)) break;
      taken++;
      if (!this.#waiting.has(pending.request)) continue;
      pending.attempt = attempt;
      pending.sentAt = now;
      pending.uncertainAttempts++;
      commands.push(pending.command);
      bytes += size;
    }
    this.#queue = taken === this.#queue.length ? [] : this.#queue.slice(taken);
    if (commands.length === 0) return undefined;
    this.#nextAttempt++;
    const group = Group.encode({ session, lowWater: this.#advanceLowWater(), commands }, this.#writer);
    return { bytes: group.finish(), commandCount: commands.length, attempt };
  }

  /** The mark below which every request is finished. */
  #advanceLowWater(): number {
    while (this.#lowWater < this.#nextRequest && !this.#waiting.has(this.#lowWater)) this.#lowWater++;
    return this.#lowWater;
  }

  settled(request: number, result: unknown): void {
    const pending = this.#waiting.get(request);
    if (pending === undefined) return;
    this.#waiting.delete(request);
    pending.waiter.settle(result);
  }

  /** The attempt certainly did not happen: its commands are as uncertain as before it. */
  refused(attempt: number): void {
    for (const pending of this.#waiting.values()) {
      if (pending.attempt !== attempt) continue;
      pending.uncertainAttempts--;
      invariant(pending.uncertainAttempts >= 0, "an attempt is refused once");
      pending.attempt = undefined;
    }
    this.#rebuildQueue();
  }

  /** Ends the commands of a refused attempt that were not tried otherwise; the rest waits on. */
  failRefused(attempt: number, message: string, retryAfterMs: number): void {
    for (const pending of [...this.#waiting.values()]) {
      if (pending.attempt !== attempt || pending.uncertainAttempts > 1) continue;
      this.#waiting.delete(pending.request);
      pending.waiter.fail("NOT_EXECUTED", message, retryAfterMs);
    }
    this.refused(attempt);
  }

  /** Ends what waits in the queue and was never tried, or certainly refused each time. */
  failQueued(message: string): void {
    for (const pending of this.#queue) {
      if (pending.uncertainAttempts > 0 || !this.#waiting.delete(pending.request)) continue;
      pending.waiter.fail("NOT_EXECUTED", message, 1000);
    }
    this.#rebuildQueue();
  }

  /** Whoever was to execute them is gone: all that is on its way goes again, under the same tags. */
  repeatAll(): void {
    for (const pending of this.#waiting.values()) pending.attempt = undefined;
    this.#rebuildQueue();
  }

  /**
   * The session was closed, and this node has applied the entry that closed it: what acted before
   * was settled before, and what still waits never acted and never will under its old tag. So it
   * is tagged anew, for the next session.
   */
  retagAll(): void {
    const pendings = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#queue = [];
    for (const { command, deadline, waiter } of pendings) this.submit(command, deadline, waiter);
  }

  /** Ends what is past its deadline and repeats what was not answered for long. */
  housekeep(now: number, options: { readonly repeatUnanswered: boolean }): void {
    let repeat = false;
    for (const pending of this.#waiting.values()) {
      if (now >= pending.deadline) this.#expire(pending);
      else if (options.repeatUnanswered && pending.attempt !== undefined && now - pending.sentAt >= pending.retryMs) {
        pending.attempt = undefined;
        pending.retryMs *= 2;
        repeat = true;
      }
    }
    if (repeat) this.#rebuildQueue();
  }

  #expire(pending: Pending): void {
    this.#waiting.delete(pending.request);
    if (pending.uncertainAttempts === 0) {
      pending.waiter.fail("NOT_EXECUTED", "No leader took the request before its deadline.", 1000);
    } else {
      pending.waiter.fail("OUTCOME_UNKNOWN", "The request was under way when its deadline passed.");
    }
  }

  /** Everything still waiting ends, as the node does. */
  failAll(message: string): void {
    for (const pending of [...this.#waiting.values()]) {
      this.#waiting.delete(pending.request);
      pending.waiter.fail(pending.uncertainAttempts === 0 ? "NOT_EXECUTED" : "OUTCOME_UNKNOWN", message, 1000);
    }
    this.#queue = [];
  }

  #rebuildQueue(): void {
    this.#queue = [...this.#waiting.values()].filter((pending) => pending.attempt === undefined);
  }
}
