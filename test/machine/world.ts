import { Batch, Group, SessionCommand } from "../../src/generated/folio/log/v1/log.js";
import type { Machine } from "../../src/machine/machine.js";
import { type OwnOutcomes, ReplicatedState, SESSION_MACHINE_ID } from "../../src/machine/replicated-state.js";
import type { Entry } from "../../src/raft/types.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import type { StateStore } from "../../src/storage/state-store.js";
import { TallyMachine } from "../replica/tally.js";

const STORE_ID = "0123456789abcdef0123456789abcdef";

/** A node's state on a disk of its own, and the entries to feed it with. */
export class World {
  readonly disk: MemoryDisk;
  readonly state: StateStore;
  readonly tally: TallyMachine;
  readonly replicated: ReplicatedState;
  /** What the node was told of its own commands. */
  readonly settled: [request: number, result: unknown][] = [];
  readonly registered: number[] = [];
  readonly #deferred: (() => void)[] = [];
  readonly #own: OwnOutcomes;

  constructor(options: { disk?: MemoryDisk; nonce?: string; machines?: readonly Machine[] } = {}) {
    this.disk = options.disk ?? new MemoryDisk();
    const defer = (callback: () => void) => this.#deferred.push(callback);
    this.state = openMemoryStateStore({ disk: this.disk, nodeId: 1, storeId: STORE_ID, defer });
    this.tally = new TallyMachine(this.state);
    this.replicated = new ReplicatedState(this.state, [this.tally, ...(options.machines ?? [])]);
    const { registered, settled } = this;
    this.#own = {
      get session() {
        return registered.at(-1) ?? 0;
      },
      nonce: options.nonce ?? "this life",
      registered: (session) => registered.push(session),
      settled: (request, result) => settled.push([request, result]),
    };
  }

  apply(entry: Entry): number {
    return this.replicated.apply(entry, this.#own);
  }

  /** Makes everything applied so far durable. */
  checkpoint(): void {
    this.replicated.flush();
    this.state.checkpoint((failure) => {
      if (failure !== undefined) throw failure;
    });
    for (const run of this.#deferred.splice(0)) run();
  }

  /** The other's newest checkpoint is installed as a snapshot: its rows take the place of this one's. */
  install(other: World): void {
    const every = { gte: '"', lt: "\x7f" };
    // What was only in memory goes with the rest.
    this.checkpoint();
    this.disk.apply(this.disk.rows(every).map(([key]) => ({ type: "delete", key })));
    this.disk.apply(other.disk.rows(every).map(([key, value]) => ({ type: "put", key, value })));
    this.replicated.reload();
  }

  /** The node's next life, from its newest checkpoint. */
  reopened(nonce = "next life"): World {
    this.disk.crash("lost");
    return new World({ disk: this.disk, nonce });
  }
}

const text = new TextEncoder();

/** A group of lines for the tally: [request, line]. */
export function group(session: number, lowWater: number, lines: readonly (readonly [number, string])[]): Uint8Array {
  const commands = lines.map(([request, line]) => ({ request, machine: 7, payload: text.encode(line) }));
  return Group.encode({ session, lowWater, commands }).finish();
}

export function registrationOf(nodeId: number, nonce: string, storeId = `store-${nodeId}`): Uint8Array {
  const value = { nodeId, storeId, nonce };
  const payload = SessionCommand.encode({ body: { $case: "register", value } }).finish();
  return Group.encode({
    session: 0,
    lowWater: 0,
    commands: [{ request: 0, machine: SESSION_MACHINE_ID, payload }],
  }).finish();
}

export function entry(index: number, time: number, ...groups: Uint8Array[]): Entry {
  return { index, term: 1, body: { kind: "command", payload: Batch.encode({ time, groups }).finish() } };
}
