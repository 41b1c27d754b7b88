import type { RaftCore } from "../raft/core.js";
import { voterIds } from "../raft/quorum.js";
import type { NodeId } from "../raft/types.js";
import { ClockWatch } from "./clock-watch.js";
import type { ReplicaObserver } from "./ports.js";

/** A leader whose clock strays from the cluster's hands over, and stamps nothing meanwhile. */
export class SkewGuard {
  readonly #nodeId: NodeId;
  readonly #skewMaxMs: number;
  readonly #observer: ReplicaObserver;
  readonly #clocks: ClockWatch;
  #isSkewed = false;

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

  /** Whether this node leads with a clock that must not stamp. */
  get isSkewed(): boolean {
    return this.#isSkewed;
  }

  /** @param offsetMs the peer's wall clock in its frame minus ours on arrival */
  heard(peer: NodeId, now: number, offsetMs: number): void {
    this.#clocks.sample(peer, now, offsetMs);
  }

  /** Looks at the clocks; to be called now and then. */
  watch(core: RaftCore, now: number): void {
    const voters = voterIds(core.configuration);
    const offsetMs = core.roleName === "leader" ? this.#clocks.medianOffset(this.#nodeId, voters, now) : 0;
    const isSkewed = Math.abs(offsetMs) > this.#skewMaxMs;
    if (isSkewed !== this.#isSkewed) {
      this.#isSkewed = isSkewed;
      const text = isSkewed
        ? "This leader's clock strays from the cluster's"
        : "This node leads with a steady clock or not at all";
      this.#observer.notice(isSkewed ? "error" : "info", `${text}.`, { offsetMs: Math.round(offsetMs) });
    }
    if (!isSkewed) return;
    const steady = voters.filter((voter) => {
      const voterOffsetMs = voter === this.#nodeId ? undefined : this.#clocks.offsetOf(voter, now);
      return voterOffsetMs !== undefined && Math.abs(voterOffsetMs - offsetMs) <= this.#skewMaxMs;
    });
    // One that was heard lately may be gone by now: the one that holds most of the log is there.
    const steadier = steady.sort((a, b) => (core.matchIndexOf(b) ?? 0) - (core.matchIndexOf(a) ?? 0))[0];
    if (steadier !== undefined) core.transferLeadership(steadier, now);
  }
}
