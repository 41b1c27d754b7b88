import { invariant } from "../assert.js";
import type { RaftCore } from "../raft/core.js";
import { isVoter } from "../raft/quorum.js";
import type { LogIndex, NodeId } from "../raft/types.js";
import type { StateStore } from "../storage/state-store.js";
import type { SnapshotAnswer, SnapshotSource } from "../transport/transport.js";
import type { Applier } from "./applier.js";
import type { Life } from "./life.js";
import { LIMITS } from "./options.js";
import type { Pace } from "./pace.js";
import type { Clock, ReplicaObserver } from "./ports.js";
import { CheckpointSource } from "./snapshot-source.js";

/**
 * The log from here on is kept for a peer that was sent a snapshot of what comes before, until it is no further behind
 * than the tail that is kept in any case: else it would need the next snapshot as soon as it had the first.
 */
interface Pin {
  readonly peer: NodeId;
  /** What it holds, as far as is known. */
  index: LogIndex;
  /** So long, monotonic ms, if its log comes no further. */
  until: number;
}

/** Hands out consistent copies of this node's state, to peers that are behind and for backups. */
export class SnapshotServing {
  readonly #options: SnapshotServingOptions;
  /** Sources that are open, by whom they are for; undefined: a backup. */
  readonly #open = new Map<CheckpointSource, NodeId | undefined>();
  /** Requests that wait for their checkpoint, of each kind. */
  readonly #preparing = { peer: 0, backup: 0 };
  #pins: readonly Pin[] = [];

  constructor(options: SnapshotServingOptions) {
    this.#options = options;
  }

  /**
   * Opens a copy of the state that reaches at least to `least`; `done` once, perhaps at once.
   * @param peer undefined: for a backup, which needs no log behind it
   */
  open(peer: NodeId | undefined, least: LogIndex, done: (answer: SnapshotAnswer) => void): void {
    const kind = peer === undefined ? "backup" : "peer";
    // Nobody makes room for what could not be answered anyway.
    if (this.#isVoter(peer) && this.#inability(least) === undefined) this.#makeRoom();
    const refusal = this.#refusal(kind, least);
    if (refusal !== undefined) {
      done({ refusal });
      return;
    }
    const { life, applier } = this.#options;
    this.#preparing[kind]++;
    life.guarded(() =>
      applier.checkpoint(() => {
        this.#preparing[kind]--;
        // The state may have been replaced, or the node told to stop, while this waited for its checkpoint.
        const reason = this.#refusal(kind, least);
        if (reason === undefined) done({ source: this.#openSource(peer) });
        else done({ refusal: reason });
      }),
    );
  }

  #isVoter(peer: NodeId | undefined): boolean {
    const configuration = this.#options.core()?.configuration;
    return peer !== undefined && configuration !== undefined && isVoter(configuration, peer);
  }

  /** Nothing may commit before a voter has its snapshot; a learner can wait. */
  #makeRoom(): void {
    const open = [...this.#open].filter(([, peer]) => peer !== undefined);
    if (open.length + this.#preparing.peer < LIMITS.snapshotsServedMax) return;
    const [source] = open.findLast(([, peer]) => !this.#isVoter(peer)) ?? [];
    source?.end("a voter needs one more urgently");
  }

  #inability(least: LogIndex): string | undefined {
    const { life, applier, core } = this.#options;
    if (life.isStopping) return "this node is shutting down";
    if (core() === undefined || applier.clusterId === "") return "this node has no state of a cluster";
    if (applier.appliedIndex >= least) return undefined;
    return `this node has applied entries up to ${applier.appliedIndex}, and ${least} is asked for`;
  }

  #refusal(kind: "peer" | "backup", least: LogIndex): string | undefined {
    const inability = this.#inability(least);
    if (inability !== undefined) return inability;
    const { snapshotsServedMax } = LIMITS;
    const open = [...this.#open.values()].filter((peer) => (peer === undefined) === (kind === "backup")).length;
    if (open + this.#preparing[kind] < snapshotsServedMax) return undefined;
    return `${snapshotsServedMax} ${kind === "backup" ? "backups" : "snapshots"} are read from this node already`;
  }

  #openSource(peer: NodeId | undefined): SnapshotSource {
    const { applier, state, clock, pace, nodeId, version, core, life } = this.#options;
    const { position, configuration } = applier.checkpointed;
    const currentTerm = core()?.term;
    invariant(
      configuration !== undefined && currentTerm !== undefined,
      "a node with a seat has applied its membership",
    );
    const { clusterId } = configuration;
    const source = new CheckpointSource({
      header: { clusterId, position, currentTerm, configuration, time: clock.wall(), nodeId, version },
      view: state.openView(),
      pace,
      clock,
      over: (ended, failure) => this.#ended(ended, failure),
      // A leader that went on would keep everybody out who needs a snapshot.
      unreadable: (failure) => life.fail(failure),
    });
    this.#open.set(source, peer);
    return source;
  }

  #ended(source: CheckpointSource, failure: string | undefined): void {
    const { clock, observer } = this.#options;
    const peer = this.#open.get(source);
    this.#open.delete(source);
    const { index } = source.header.position;
    const now = clock.monotonic();
    if (failure === undefined && peer !== undefined) {
      const others = this.#pins.filter((pin) => pin.peer !== peer);
      this.#pins = [...others, { peer, index, until: now + LIMITS.snapshotPinMs }];
    }
    const { bytes, startedAt } = source;
    observer.snapshotMoved({ direction: "sent", peer, index, bytes, durationMs: now - startedAt, failure });
  }

  /** The least index that the log is still wanted from. */
  pinnedAt(core: RaftCore): LogIndex | undefined {
    const wanted: LogIndex[] = this.#pins.filter((pin) => this.#isBehind(core, pin)).map(({ index }) => index);
    for (const [source, peer] of this.#open) if (peer !== undefined) wanted.push(source.header.position.index);
    return wanted.length === 0 ? undefined : Math.min(...wanted);
  }

  /** Ends what nobody asks for any more. */
  housekeep(now: number): void {
    for (const source of [...this.#open.keys()]) {
      if (source.isStalled(now)) source.end("nobody asked for the next part for too long");
    }
    const core = this.#options.core();
    for (const pin of this.#pins) {
      const matchIndex = core?.matchIndexOf(pin.peer) ?? 0;
      if (matchIndex <= pin.index) continue;
      pin.index = matchIndex;
      pin.until = now + LIMITS.snapshotPinMs;
    }
    this.#pins = this.#pins.filter((pin) => now < pin.until && (core === undefined || this.#isBehind(core, pin)));
  }

  #isBehind(core: RaftCore, { peer, index }: Pin): boolean {
    const matchIndex = core.matchIndexOf(peer);
    if (matchIndex === undefined) return false;
    return matchIndex < index || core.lastIndex - matchIndex > this.#options.logTailEntries;
  }

  /** The node ends: so does every copy that is being read. */
  stop(reason: string): void {
    for (const source of [...this.#open.keys()]) source.end(reason);
  }
}

export interface SnapshotServingOptions {
  readonly nodeId: NodeId;
  readonly version: string;
  readonly core: () => RaftCore | undefined;
  readonly life: Life;
  readonly applier: Applier;
  readonly state: StateStore;
  /** Kept in any case. */
  readonly logTailEntries: number;
  /** Of all that this node sends. */
  readonly pace: Pace;
  readonly clock: Clock;
  readonly observer: ReplicaObserver;
}
