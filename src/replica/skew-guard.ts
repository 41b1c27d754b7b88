import type { RaftCore } from "../raft/core.js";
import { voterIds } from "../raft/quorum.js";
import type { NodeId } from "../raft/types.js";
import { ClockWatch, type Moment } from "./clock-watch.js";
import type { ReplicaObserver } from "./ports.js";

/** A leader whose clock strays from the cluster's hands over, and stamps nothing meanwhile. */
export class SkewGuard {
  readonly #nodeId: NodeId;
  readonly #skewMaxMs: number;
  readonly #observer: ReplicaObserver;
  readonly #clocks: ClockWatch;
  #isSkewed = false;
  /** How often each voter was handed leadership since the clock was found to stray. */
  readonly #attempts = new Map<NodeId, number>();
  /** Of which term, and at which wall clock (less the monotonic one), the clocks were looked at last. */
  #watchedTerm = 0;
  #watchedWallMs = 0;

  constructor(options: {
    readonly nodeId: NodeId;
    readonly skewMaxMs: number;
    readonly windowMs: number;
    readonly observer: ReplicaObserver;
  }) {
    this.#nodeId = options.nodeId;
    this.#skewMaxMs = options.skewMaxMs;
    this.#observer = options.observer;
    this.#clocks = new ClockWatch({ windowMs: options.windowMs });
  }

  /** @param peerWall the peer's wall clock as its frame carried it */
  heard(peer: NodeId, now: number, peerWall: number): void {
    this.#clocks.sample(peer, now, peerWall);
  }

  /**
   * Whether the leader's clock must not stamp. To be asked before each stamp, since one stamp too far
   * ahead is for ever: a term just begun, or a leap of our own clock, is looked at at once.
   */
  forbidsStamp(core: RaftCore, at: Moment): boolean {
    const leapMs = Math.abs(at.wall - at.now - this.#watchedWallMs);
    if (core.term !== this.#watchedTerm || leapMs > this.#skewMaxMs / 4) this.watch(core, at);
    return this.#isSkewed;
  }

  /** Looks at the clocks; to be called now and then. */
  watch(core: RaftCore, at: Moment): void {
    this.#watchedTerm = core.term;
    this.#watchedWallMs = at.wall - at.now;
    const voters = voterIds(core.configuration);
    const offsetMs = core.roleName === "leader" ? this.#clocks.medianOffset(this.#nodeId, voters, at) : 0;
    const isSkewed = Math.abs(offsetMs) > this.#skewMaxMs;
    if (isSkewed !== this.#isSkewed) {
      this.#isSkewed = isSkewed;
      const text = isSkewed
        ? "This leader's clock strays from the cluster's"
        : "This node leads with a steady clock or not at all";
      this.#observer.notice(isSkewed ? "error" : "info", `${text}.`, { offsetMs: Math.round(offsetMs) });
    }
    if (!isSkewed) {
      this.#attempts.clear();
      return;
    }
    const steady = voters.filter((voter) => {
      const voterOffsetMs = voter === this.#nodeId ? undefined : this.#clocks.offsetOf(voter, at);
      return voterOffsetMs !== undefined && Math.abs(voterOffsetMs - offsetMs) <= this.#skewMaxMs;
    });
    // One that was heard lately may be deaf or gone by now: the one that holds most of the log is
    // likeliest to hear, and whoever did not take over lets the others have a try.
    const attemptsOf = (voter: NodeId) => this.#attempts.get(voter) ?? 0;
    const matchOf = (voter: NodeId) => core.matchIndexOf(voter) ?? 0;
    const steadier = steady.sort((a, b) => attemptsOf(a) - attemptsOf(b) || matchOf(b) - matchOf(a))[0];
    if (steadier === undefined || !core.transferLeadership(steadier, at.now)) return;
    this.#attempts.set(steadier, attemptsOf(steadier) + 1);
  }
}
