import { invariant } from "../assert.js";
import type { LogIndex } from "./types.js";

/**
 * What the leader knows of one peer's log, built afresh for each leadership.
 *
 * Invariant: 0 <= matchIndex < nextIndex <= leader's lastIndex + 1. matchIndex never goes back;
 * nextIndex is a guess, optimistic while replicating.
 *
 * - probe: where the logs agree is not known; one empty request at a time finds it.
 * - replicate: they agree; entries are sent without waiting, up to a window of messages in flight.
 */
export class Progress {
  mode: "probe" | "replicate" = "probe";
  matchIndex: LogIndex = 0;
  nextIndex: LogIndex;
  /** The newest of the leader's rounds that the peer answered. */
  roundAcked = 0;
  /** Monotonic ms of the last answer of this term; the start of the term before the first. */
  contactAt: number;
  /** The commit index and the round of the newest request sent to it. */
  commitSent: LogIndex = 0;
  roundSent = 0;
  /** Probe only: a request is on its way; the next one leaves with the next heartbeat. */
  probeOutstanding = false;
  /** Last entry of every request in flight that carried entries, ascending. */
  readonly #inFlight: LogIndex[] = [];

  constructor(nextIndex: LogIndex, now: number) {
    this.nextIndex = nextIndex;
    this.contactAt = now;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  /** Entries up to `lastIndex` were sent; optimistic, the reply will tell. */
  sent(lastIndex: LogIndex): void {
    invariant(this.mode === "replicate", "entries are sent only where the logs are known to agree");
    invariant(lastIndex >= this.nextIndex, "what was sent is new");
    this.#inFlight.push(lastIndex);
    this.nextIndex = lastIndex + 1;
  }

  /** The peer's durable log agrees up to `matchIndex`. Late answers change nothing. */
  matched(matchIndex: LogIndex): void {
    while ((this.#inFlight[0] ?? Number.POSITIVE_INFINITY) <= matchIndex) this.#inFlight.shift();
    if (matchIndex > this.matchIndex) this.matchIndex = matchIndex;
    if (this.nextIndex <= this.matchIndex) this.nextIndex = this.matchIndex + 1;
    if (this.mode === "probe") {
      this.mode = "replicate";
      this.probeOutstanding = false;
      this.nextIndex = this.matchIndex + 1;
    }
  }

  /**
   * The peer refused a request that followed `rejectedIndex`. Returns whether that is news: a late
   * refusal must move nothing (classic bug 7).
   */
  isNewsOfConflict(rejectedIndex: LogIndex): boolean {
    if (rejectedIndex <= this.matchIndex) return false;
    return this.mode === "replicate" ? rejectedIndex < this.nextIndex : rejectedIndex === this.nextIndex - 1;
  }

  /** Looks for the place of agreement from `nextIndex` on. */
  probeFrom(nextIndex: LogIndex): void {
    this.mode = "probe";
    this.probeOutstanding = false;
    this.#inFlight.length = 0;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
  }
}
