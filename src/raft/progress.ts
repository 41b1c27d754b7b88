import { invariant } from "../assert.js";
import type { LogIndex } from "./types.js";

/** A peer that was removed: it is served until it knows (§4.2.3), but not for long. */
export interface Departure {
  /** The configuration without it. */
  readonly removedAt: LogIndex;
  /** Once that has committed: the round that tells it so, and until when that is tried. */
  told: { readonly round: number; readonly deadline: number } | undefined;
}

/**
 * What the leader knows of one peer's log, built afresh for each leadership and each joining.
 *
 * Invariant: 0 <= matchIndex < nextIndex <= leader's lastIndex + 1. matchIndex never goes back;
 * nextIndex is a guess, optimistic while replicating. Its floor is the leader's base or the entry
 * that made the peer a member, whichever is later.
 *
 * - probe: where the logs agree is not known; one empty request at a time finds it.
 * - replicate: they agree; entries are sent without waiting, up to a window of messages in flight.
 * - snapshot: what it needs next lies at or below the floor, so it was told to fetch a snapshot.
 *   Nothing is in flight. A match at or above the floor ends it.
 */
export class Progress {
  mode: "probe" | "replicate" | "snapshot" = "probe";
  matchIndex: LogIndex = 0;
  nextIndex: LogIndex;
  /** It has been a member since this entry: it never replays configurations without itself. */
  readonly joinedIndex: LogIndex;
  /** The newest of the leader's rounds that the peer answered. */
  roundAcked = 0;
  /** Monotonic ms of the last answer of this term; the start of the term before the first. */
  contactAt: number;
  /** It has answered in this term: before, that it is there is only hoped. */
  hasAnswered = false;
  /** The commit index and the round of the newest request sent to it. */
  commitSent: LogIndex = 0;
  roundSent = 0;
  /** Probe and snapshot: a request is on its way; the next one leaves with the next heartbeat. */
  probeOutstanding = false;
  /** Set for one that is not a member any more. */
  departure: Departure | undefined = undefined;
  /** Last entry of every request in flight that carried entries, ascending. */
  readonly #inFlight: LogIndex[] = [];

  constructor(start: { readonly nextIndex: LogIndex; readonly joinedIndex: LogIndex; readonly now: number }) {
    this.nextIndex = start.nextIndex;
    this.joinedIndex = start.joinedIndex;
    this.contactAt = start.now;
  }

  /** Something was heard of it, in this term. */
  answered(now: number): void {
    this.contactAt = now;
    this.hasAnswered = true;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  /** Below it, nothing can be sent or is wanted: the entry at the floor comes with a snapshot. */
  floor(baseIndex: LogIndex): LogIndex {
    return baseIndex > this.joinedIndex ? baseIndex : this.joinedIndex;
  }

  /** Entries up to `lastIndex` were sent; optimistic, the reply will tell. */
  sent(lastIndex: LogIndex): void {
    invariant(this.mode === "replicate", "entries are sent only where the logs are known to agree");
    invariant(lastIndex >= this.nextIndex, "what was sent is new");
    this.#inFlight.push(lastIndex);
    this.nextIndex = lastIndex + 1;
  }

  /** The peer's durable log agrees up to `matchIndex`. Late answers change nothing. */
  matched(matchIndex: LogIndex, baseIndex: LogIndex): void {
    while ((this.#inFlight[0] ?? Number.POSITIVE_INFINITY) <= matchIndex) this.#inFlight.shift();
    if (matchIndex > this.matchIndex) this.matchIndex = matchIndex;
    if (this.nextIndex <= this.matchIndex) this.nextIndex = this.matchIndex + 1;
    if (this.mode === "replicate") return;
    this.nextIndex = this.matchIndex + 1;
    // Its snapshot is still under way: the next heartbeat asks again.
    if (this.mode === "snapshot" && this.nextIndex <= this.floor(baseIndex)) return;
    this.mode = "replicate";
    this.probeOutstanding = false;
  }

  /**
   * The peer refused a request that followed `rejectedIndex`. Returns whether that is news: a late
   * refusal must move nothing (classic bug 7).
   */
  isNewsOfConflict(rejectedIndex: LogIndex): boolean {
    if (rejectedIndex <= this.matchIndex || this.mode === "snapshot") return false;
    return this.mode === "replicate" ? rejectedIndex < this.nextIndex : rejectedIndex === this.nextIndex - 1;
  }

  /** Looks for the place of agreement from `nextIndex` on. */
  probeFrom(nextIndex: LogIndex): void {
    this.mode = "probe";
    this.probeOutstanding = false;
    this.#inFlight.length = 0;
    this.nextIndex = Math.max(nextIndex, this.matchIndex + 1);
  }

  /** What it needs next cannot be sent. */
  awaitSnapshot(): void {
    if (this.mode === "snapshot") return;
    this.mode = "snapshot";
    this.probeOutstanding = false;
    this.#inFlight.length = 0;
  }
}
