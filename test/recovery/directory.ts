import { ReplicatedState } from "../../src/machine/replicated-state.js";
import { RaftCore } from "../../src/raft/core.js";
import type { Configuration, Entry } from "../../src/raft/types.js";
import type { PlanKeeper, RecoveryPlan } from "../../src/recovery/recovery-plan.js";
import { writeLog } from "../../src/recovery/stores.js";
import { SequenceMachine } from "../../src/sequence/machine/sequence-machine.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { MemoryStateDisks } from "../../src/storage/memory-state-disks.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import type { StateStore } from "../../src/storage/state-store.js";

const NODE_ID = 1;

/** The stores of one life. */
export interface OpenStores {
  readonly log: LogStore;
  readonly state: StateStore;
}

/** A node's data directory, in memory. */
export class Directory {
  /** What lies beside the stores while they are recovered; it outlives a crash. */
  plan: RecoveryPlan | undefined;
  readonly logDisk = new MemoryDisk("log");
  readonly stateDisks = new MemoryStateDisks("state");
  readonly storeId: string;

  constructor(storeId = "1".repeat(32)) {
    this.storeId = storeId;
  }

  open(): OpenStores {
    return this.#open(setImmediate);
  }

  /** For a process that dies after so many pieces of its disks' work. */
  openUntil(work: number): { readonly stores: OpenStores; readonly death: Promise<"died"> } {
    let left = work;
    let die: (how: "died") => void = () => undefined;
    const death = new Promise<"died">((resolve) => {
      die = resolve;
    });
    const stores = this.#open((callback) => {
      left--;
      setImmediate(left >= 0 ? callback : () => die("died"));
    });
    return { stores, death };
  }

  #open(defer: (callback: () => void) => void): OpenStores {
    const log = openMemoryLogStore({ disk: this.logDisk, nodeId: NODE_ID, randomId: () => this.storeId, defer });
    const { storeId } = log;
    const generation = log.recovery.stateGeneration;
    const state = openMemoryStateStore({ disk: this.stateDisks, generation, nodeId: NODE_ID, storeId, defer });
    return { log, state };
  }

  planKeeper(): PlanKeeper {
    return {
      interrupted: this.plan,
      keep: async (plan) => {
        this.plan = plan;
      },
      drop: async () => {
        this.plan = undefined;
      },
    };
  }

  crash(inFlight: "durable" | "lost"): void {
    this.logDisk.crash(inFlight);
    this.stateDisks.crash(inFlight);
  }
}

export async function close({ log, state }: OpenStores): Promise<void> {
  await state.close();
  await log.close();
}

/** What a node leaves that holds these entries and has applied the first ones of them. */
export async function leave(
  directory: Directory,
  history: { readonly founding: Configuration; readonly entries: readonly Entry[]; readonly applied: number },
): Promise<void> {
  const stores = directory.open();
  await new Promise<void>((resolve, reject) => {
    stores.log.found(history.founding, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
  const term = history.entries.at(-1)?.term ?? 0;
  await writeLog(stores.log, { hardState: { term, votedFor: 2 }, entries: history.entries });
  const node = replicatedOf(stores);
  for (const entry of history.entries.slice(0, history.applied)) node.apply(entry);
  await node.checkpoint();
  await close(stores);
}

/** The replicated state over the stores; nobody's own outcomes are looked for. */
export function replicatedOf({ state }: OpenStores) {
  const machine = new SequenceMachine(state);
  const replicated = new ReplicatedState(state, [machine]);
  const own = { session: 0, nonce: "nobody's", registered: () => undefined, settled: () => undefined };
  return {
    machine,
    replicated,
    apply: (entry: Entry) => replicated.apply(entry, own),
    checkpoint: () => {
      replicated.flush();
      return new Promise<void>((resolve, reject) => {
        state.checkpoint((failure) => (failure === undefined ? resolve() : reject(failure)));
      });
    },
  };
}

/**
 * The node's next life, as far as its core is concerned: it hears nobody. Returns the core once it leads and has
 * committed an entry of its own term.
 */
export async function leadAlone({ log, state }: OpenStores): Promise<RaftCore> {
  const { hardState, base, baseConfiguration, terms, sizes, configurations } = log.recovery;
  if (baseConfiguration === undefined) throw new Error("the node was never in a cluster");
  const core = new RaftCore(
    {
      id: NODE_ID,
      electionTimeoutMs: 300,
      heartbeatMs: 50,
      inFlightMax: 4,
      appendBytesMax: 1_000_000,
      appendEntriesMax: 1000,
      readsMax: 10,
      seed: 7,
      foundingClusterId: "never used",
    },
    {
      hardState,
      log: { base, baseConfiguration, terms, sizes, configurations },
      commitIndex: new ReplicatedState(state, [new SequenceMachine(state)]).applied.index,
    },
    0,
  );
  const last = base.index + terms.length;
  for (let now = 50; now < 5000; now += 50) {
    core.tick(now);
    core.takeEffects(now);
    for (let write = core.takeWrite(); write !== undefined; write = core.takeWrite()) {
      await writeLog(log, write.log);
      core.persisted(write.ticket, now);
      core.takeEffects(now);
    }
    if (core.roleName === "leader" && core.applicableIndex > last) return core;
  }
  throw new Error("the node does not lead alone");
}
