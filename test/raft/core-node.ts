import { RaftCore } from "../../src/raft/core.js";
import { entrySize } from "../../src/raft/log.js";
import type { CoreOptions, Effects } from "../../src/raft/state.js";
import type { Configuration, Entry, HardState, LogIndex, RaftMessage, Write } from "../../src/raft/types.js";

/** What survives a crash. Entries are shared by reference: the same entry is the same object everywhere. */
export interface CoreDisk {
  hardState: HardState;
  readonly baseConfiguration: Configuration;
  /** entries[i] has index i + 1. */
  entries: Entry[];
}

export function emptyDisk(baseConfiguration: Configuration): CoreDisk {
  return { hardState: { term: 0, votedFor: undefined }, baseConfiguration, entries: [] };
}

/** One core and the plainest possible host: a log in memory, a disk with one atomic write in flight. */
export class CoreNode {
  readonly disk: CoreDisk;
  readonly #options: CoreOptions;
  #core: RaftCore | undefined;
  /** The log as the core sees it, with bodies. */
  log: Entry[] = [];
  write: Write | undefined;
  /** How far this life has applied; the state of an earlier life was checkpointed up to there. */
  appliedIndex: LogIndex = 0;
  /** How far this node's clock runs ahead of the cluster's, ms. Never goes back. */
  aheadMs = 0;
  #checkpointIndex: LogIndex = 0;
  #lives = 0;

  constructor(options: CoreOptions, disk: CoreDisk) {
    this.#options = options;
    this.disk = disk;
  }

  get id(): number {
    return this.#options.id;
  }

  get isUp(): boolean {
    return this.#core !== undefined;
  }

  get core(): RaftCore {
    if (this.#core === undefined) throw new Error(`node ${this.id} is down`);
    return this.#core;
  }

  start(now: number): void {
    const { hardState, baseConfiguration, entries } = this.disk;
    const configurations = entries.flatMap(({ index, body }) =>
      body.kind === "configuration" ? [{ index, configuration: body.configuration }] : [],
    );
    this.#lives++;
    this.#core = new RaftCore(
      { ...this.#options, seed: (this.#options.seed + 7919 * this.#lives) >>> 0 },
      {
        hardState,
        log: {
          base: { index: 0, term: 0 },
          baseConfiguration,
          terms: entries.map(({ term }) => term),
          sizes: entries.map(entrySize),
          configurations,
        },
        commitIndex: this.#checkpointIndex,
      },
      now,
    );
    this.log = [...entries];
    this.appliedIndex = this.#checkpointIndex;
  }

  /** Everything in memory is gone; the write in flight happened or did not. */
  crash(fate: "durable" | "lost"): void {
    if (fate === "durable" && this.write !== undefined) this.#store(this.write);
    this.write = undefined;
    this.#core = undefined;
    this.log = [];
  }

  /** The state machine's checkpoint: what was applied need not be committed again after a crash. */
  checkpoint(): void {
    this.#checkpointIndex = this.appliedIndex;
  }

  /** The end of a turn: takes the effects, applies what may be applied, begins the next write. */
  turn(now: number): { readonly effects: Effects; readonly messages: readonly RaftMessage[] } {
    const { core } = this;
    const effects = core.takeEffects(now);
    for (const entry of effects.appended) {
      this.log.length = entry.index - 1;
      this.log.push(entry);
    }
    const messages = effects.send.map((message): RaftMessage => {
      if (message.type !== "appendRequest") return message;
      const { firstIndex, lastIndex, ...request } = message;
      return { ...request, entries: this.log.slice(firstIndex - 1, lastIndex) };
    });
    this.write ??= core.takeWrite();
    this.appliedIndex = Math.max(this.appliedIndex, core.applicableIndex);
    return { effects, messages };
  }

  /** The write in flight reaches the disk, and the core hears of it. */
  completeWrite(now: number): void {
    const { write } = this;
    if (write === undefined) return;
    this.#store(write);
    this.write = undefined;
    this.core.persisted(write.ticket, now);
  }

  #store({ log: { hardState, truncateFrom, entries } }: Write): void {
    if (hardState !== undefined) this.disk.hardState = hardState;
    if (truncateFrom !== undefined) this.disk.entries = this.disk.entries.slice(0, truncateFrom - 1);
    for (const entry of entries) {
      if (entry.index !== this.disk.entries.length + 1) {
        throw new Error(`node ${this.id} writes entry ${entry.index} behind entry ${this.disk.entries.length}`);
      }
      this.disk.entries.push(entry);
    }
  }
}
