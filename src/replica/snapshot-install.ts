import { invariant } from "../assert.js";
import type { ReplicatedState } from "../machine/replicated-state.js";
import type { RaftCore } from "../raft/core.js";
import type { LogCut } from "../raft/types.js";
import type { StateStore } from "../storage/state-store.js";
import type { Applier } from "./applier.js";
import type { EntryCache } from "./entry-cache.js";
import type { Life } from "./life.js";
import type { Clock } from "./ports.js";
import type { BuiltSnapshot } from "./snapshot-transfer.js";

type Done = (outcome: "inForce" | "overtaken") => void;

/**
 * Puts a state that was built aside in force. The switch is one write of the log: its base record names
 * the generation of the state that counts from then on. Nothing is applied and no checkpoint is in
 * flight from before that write until the store holds the new state, so a crash leaves the old state with
 * the old log, or the new one with the new.
 */
export class SnapshotInstall {
  readonly #options: SnapshotInstallOptions;
  #awaited: { readonly snapshot: BuiltSnapshot; readonly done: Done } | undefined;

  constructor(options: SnapshotInstallOptions) {
    this.#options = options;
  }

  install(snapshot: BuiltSnapshot, done: Done): void {
    const { applier, life } = this.#options;
    applier.hold(() => life.guarded(() => this.#begin(snapshot, done)));
  }

  #begin(snapshot: BuiltSnapshot, done: Done): void {
    const { applier, core: coreNow, wake, life } = this.#options;
    const core = coreNow();
    if (core === undefined || life.isStopped || !this.#installInCore(core, snapshot)) {
      applier.release();
      done("overtaken");
      return;
    }
    this.#awaited = { snapshot, done };
    wake();
  }

  #installInCore(core: RaftCore, { header, builder }: BuiltSnapshot): boolean {
    const { entries, clock } = this.#options;
    const { position, configuration, currentTerm: term } = header;
    const stateGeneration = builder.generation;
    const outcome = core.installSnapshot({ position, term, configuration, stateGeneration }, clock.monotonic());
    if (outcome === "overtaken") return false;
    entries.snapshotInstalled(position.index, { keepsTail: outcome === "tailKept" });
    return true;
  }

  /** The log on disk begins elsewhere now: perhaps because of the snapshot. */
  baseWritten({ stateGeneration }: LogCut): void {
    const awaited = this.#awaited;
    if (awaited === undefined || stateGeneration !== awaited.snapshot.builder.generation) return;
    this.#awaited = undefined;
    // A node that failed meanwhile starts on the new state.
    if (!this.#options.life.isStopped) this.#options.life.guarded(() => this.#adopt(awaited));
  }

  #adopt({ snapshot, done }: { readonly snapshot: BuiltSnapshot; readonly done: Done }): void {
    const { state, replicated, applier, adopted } = this.#options;
    const { position } = snapshot.header;
    const before = replicated.applied.index;
    state.adopt(snapshot.builder);
    replicated.reload();
    const { index, term } = replicated.applied;
    invariant(index === position.index && term === position.term, "a snapshot holds the state that its header names");
    invariant(index >= before, "lastApplied never goes back");
    applier.replaced();
    adopted();
    applier.release();
    done("inForce");
  }
}

export interface SnapshotInstallOptions {
  readonly core: () => RaftCore | undefined;
  readonly state: StateStore;
  readonly replicated: ReplicatedState;
  readonly applier: Applier;
  readonly entries: EntryCache;
  readonly life: Life;
  readonly clock: Clock;
  /** The new state is in force: whoever waits for what happened in it is to be told. */
  readonly adopted: () => void;
  readonly wake: () => void;
}
