import { Batch, Group } from "../../src/generated/folio/log/v1/log.js";
import { Journal } from "../../src/machine/journal.js";
import type { Command, Configure, Draw, Provenance, Reset, ScopeValues } from "../../src/sequence/command.js";
import type { DefinitionChange } from "../../src/sequence/definition.js";
import { encodeCommand } from "../../src/sequence/machine/command-codec.js";
import { SequenceQueries } from "../../src/sequence/machine/queries.js";
import { SEQUENCE_MACHINE_ID, SequenceMachine } from "../../src/sequence/machine/sequence-machine.js";
import { numberRenderer } from "../../src/sequence/number-renderer.js";
import type { Query, QueryAnswer } from "../../src/sequence/query.js";
import type { CommandResult, Configured, Drawn, Refused, ResetDone } from "../../src/sequence/result.js";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import type { StateRow, StateStore } from "../../src/storage/state-store.js";

export const NOBODY: Provenance = {
  principal: "anonymous",
  clientId: "",
  generatedBy: "",
  correlationId: "",
  requestId: "",
};
export const NOWHERE: ScopeValues = { site: "", partition: "", documentType: "" };
export const DAY_MS = 86_400_000;
/** 2026-11-20T08:00:00Z */
export const NOVEMBER = Date.UTC(2026, 10, 20, 8);

export function draw(prefix: string, more: Partial<Omit<Draw, "kind" | "prefix">> = {}): Draw {
  return {
    kind: "draw",
    provenance: NOBODY,
    prefix,
    count: 1,
    batch: false,
    contiguous: false,
    scope: NOWHERE,
    documentDate: "",
    documentRef: "",
    idempotencyKey: "",
    ...more,
  };
}

export function batch(prefix: string, count: number, more: Partial<Omit<Draw, "kind" | "prefix">> = {}): Draw {
  return draw(prefix, { count, batch: true, contiguous: true, ...more });
}

export function reset(prefix: string, newValue: number, more: Partial<Omit<Reset, "kind" | "prefix">> = {}): Reset {
  return {
    kind: "reset",
    provenance: NOBODY,
    prefix,
    newValue,
    reason: "because",
    force: false,
    scope: NOWHERE,
    period: "",
    ...more,
  };
}

export function configure(
  prefix: string,
  change: DefinitionChange,
  more: Partial<Omit<Configure, "kind" | "prefix" | "change">> = {},
): Configure {
  return { kind: "configure", provenance: NOBODY, prefix, change, ifAbsent: false, ...more };
}

export function seed(more: { autoCreate?: boolean; retentionMs?: number; keysMax?: number } = {}): Command {
  return {
    kind: "seedSettings",
    provenance: NOBODY,
    autoCreate: more.autoCreate ?? true,
    idempotencyRetentionMs: more.retentionMs ?? DAY_MS,
    idempotencyKeysMax: more.keysMax ?? 1000,
  };
}

/** Every full number of a draw. */
export function fullNumbers(drawn: Drawn): string[] {
  const render = numberRenderer(drawn.definition, drawn.date, drawn.scope);
  return counters(drawn).map(render);
}

export function counters(drawn: Drawn): number[] {
  const { step } = drawn.definition;
  return drawn.ranges.flatMap(({ first, last }) =>
    Array.from({ length: (last - first) / step + 1 }, (_, place) => first + place * step),
  );
}

/** One node's machine over a state in memory, with a journal, as the replica drives it. */
export class World {
  readonly #disk = new MemoryDisk();
  #state: StateStore;
  #machine: SequenceMachine;
  #journal: Journal;
  index = 0;
  time = NOVEMBER;

  constructor() {
    this.#state = this.#open();
    this.#machine = new SequenceMachine(this.#state);
    this.#journal = new Journal(this.#state, new Uint8Array(0));
  }

  get machine(): SequenceMachine {
    return this.#machine;
  }

  get state(): StateStore {
    return this.#state;
  }

  /** One entry with these commands. */
  entry(commands: readonly Command[]): { results: CommandResult[]; records: Uint8Array[] } {
    this.index++;
    const { index, time } = this;
    const payloads = commands.map((command) => encodeCommand(command));
    const results: CommandResult[] = [];
    const records: Uint8Array[] = [];
    for (const [ordinal, payload] of payloads.entries()) {
      const applied = this.#machine.apply(payload, { index, ordinal, time });
      results.push(applied.result);
      records.push(applied.record);
    }
    const tagged = payloads.map((payload, request) => ({ request, machine: SEQUENCE_MACHINE_ID, payload }));
    const group = Group.encode({ session: 1, lowWater: 0, commands: tagged }).finish();
    const payload = Batch.encode({ time, groups: [group] }).finish();
    this.#journal.append({ index, time, payload, results: records });
    return { results, records };
  }

  apply(command: Command): CommandResult {
    const [result] = this.entry([command]).results;
    if (result === undefined) throw new Error("a command has a result");
    return result;
  }

  drawn(command: Draw): Drawn {
    const result = this.apply(command);
    if (result.kind !== "drawn") throw new Error(`not drawn: ${JSON.stringify(result)}`);
    return result;
  }

  /** The one full number of a draw. */
  number(prefix: string, more: Partial<Omit<Draw, "kind" | "prefix">> = {}): string {
    return fullNumbers(this.drawn(draw(prefix, more))).join();
  }

  configured(prefix: string, change: DefinitionChange): Configured {
    const result = this.apply(configure(prefix, change));
    if (result.kind !== "configured") throw new Error(`not configured: ${JSON.stringify(result)}`);
    return result;
  }

  reset(prefix: string, newValue: number, more: Partial<Omit<Reset, "kind" | "prefix">> = {}): ResetDone {
    const result = this.apply(reset(prefix, newValue, more));
    if (result.kind !== "reset") throw new Error(`not reset: ${JSON.stringify(result)}`);
    return result;
  }

  refused(command: Command): Refused {
    const result = this.apply(command);
    if (result.kind !== "refused") throw new Error(`not refused: ${JSON.stringify(result)}`);
    return result;
  }

  query(query: Query): Promise<QueryAnswer> {
    return this.queries(() => Promise.resolve()).run(query, this.time);
  }

  /** Queries as one node has them: for what one read means for another. */
  queries(pause: () => Promise<void>): SequenceQueries {
    return new SequenceQueries(this.#state, this.#machine, pause);
  }

  /** A snapshot of the other one is installed: its rows take the place of this one's. */
  async install(other: World): Promise<void> {
    await other.checkpoint();
    // What was only in memory goes with the rest.
    await this.checkpoint();
    const every = { gte: '"', lt: "\x7f" };
    this.#disk.apply(this.#disk.rows(every).map(([key]) => ({ type: "delete", key })));
    this.#disk.apply(other.#disk.rows(every).map(([key, value]) => ({ type: "put", key, value })));
    this.#machine.reload();
    this.#journal = new Journal(this.#state, other.#journal.headHash);
    this.index = other.index;
    this.time = other.time;
  }

  /** Flushes, makes a checkpoint and comes back from it, as after a restart. */
  async restart(): Promise<void> {
    await this.checkpoint();
    const { headHash } = this.#journal;
    await this.#state.close();
    this.#state = this.#open();
    this.#machine = new SequenceMachine(this.#state);
    this.#journal = new Journal(this.#state, headHash);
  }

  checkpoint(): Promise<void> {
    this.#machine.flush();
    return new Promise((resolve, reject) => {
      this.#state.checkpoint((failure) => (failure === undefined ? resolve() : reject(failure)));
    });
  }

  /** Every row of the state that is not a journal block, flushed. */
  async rows(): Promise<{ key: string; value: string }[]> {
    this.#machine.flush();
    const rows = await this.scan("m1/", "m10");
    return rows.map(({ key, value }) => ({ key, value: Buffer.from(value).toString("hex") }));
  }

  scan(gte: string, lt: string): Promise<StateRow[]> {
    return new Promise((resolve, reject) => {
      this.#state.scan({ gte, lt, limit: 100_000 }, (failure, rows) =>
        failure === undefined ? resolve(rows) : reject(failure),
      );
    });
  }

  #open(): StateStore {
    return openMemoryStateStore({ disk: this.#disk, nodeId: 1, storeId: "0".repeat(32) });
  }
}
