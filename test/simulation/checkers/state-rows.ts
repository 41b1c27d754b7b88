import { createHash } from "node:crypto";
import { StateHeader } from "../../../src/generated/folio/log/v1/log.js";
import type { NodeId } from "../../../src/raft/types.js";
import type { DiskRow } from "../../../src/storage/disk.js";
import { isSealed, valueIn } from "../../../src/storage/sealed-row.js";
import { KEY_ROWS } from "./memo-model.js";
import type { ReportViolation } from "./violation.js";

/** The state's own account of itself. */
export const HEADER_KEY = "h/header";

/** Nodes at one applied index hold one state, to the byte. */
export class StateRows {
  readonly #report: ReportViolation;
  /** The header row by its applied index: sessions, time, the journal's head. */
  readonly #headers = new Map<number, Uint8Array>();
  /** Of all rows, by the applied index of the checkpoint that they are. */
  readonly #hashes = new Map<number, string>();

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  /** A node is about to checkpoint; its header sums up what came before. */
  header({ id, appliedIndex }: { readonly id: NodeId; readonly appliedIndex: number }, value: Uint8Array): void {
    const known = this.#headers.get(appliedIndex);
    if (known === undefined) this.#headers.set(appliedIndex, value);
    else if (Buffer.compare(known, value) !== 0) {
      this.#report("same state everywhere", `n${id} has another header than others at entry ${appliedIndex}`);
    }
  }

  /** Somebody reads the rows of a checkpoint, or puts such rows in force: at one index they are the same. */
  checkpoint(id: NodeId, rows: readonly DiskRow[]): void {
    const index = appliedIndexIn(rows);
    const hash = hashOf(rows);
    const known = this.#hashes.get(index);
    if (known === undefined) this.#hashes.set(index, hash);
    else if (known !== hash) {
      this.#report("same state everywhere", `n${id} holds other rows than others at its checkpoint ${index}`);
    }
  }

  /** A state was opened: where its rows are known by their index, they are those. */
  opened(id: NodeId, rows: readonly DiskRow[]): void {
    if (this.#hashes.has(appliedIndexIn(rows))) this.checkpoint(id, rows);
  }

  /** Rows that came with a snapshot: the very rows of somebody's checkpoint. Returns up to where they reach. */
  installed(id: NodeId, rows: readonly DiskRow[]): number {
    const index = appliedIndexIn(rows);
    if (this.#hashes.has(index)) this.checkpoint(id, rows);
    else this.#report("same state everywhere", `n${id} installs a state at entry ${index} that nobody sent`);
    return index;
  }

  /** At the end, all at one applied index, everything flushed. `rows` in the order of their keys. */
  compare(nodes: readonly { readonly id: NodeId; readonly rows: readonly DiskRow[] }[]): void {
    const [first, ...others] = nodes.map(({ id, rows }) => ({ id, rows, hash: hashOf(rows) }));
    if (first === undefined) {
      this.#report("same state everywhere", "no state was there to compare");
      return;
    }
    for (const { id, rows, hash } of others) {
      if (hash === first.hash) continue;
      const known = new Map(first.rows);
      const differing = rows.find(([key, value]) => isCompared(key) && known.get(key)?.equals(value) !== true)?.[0];
      this.#report(
        "same state everywhere",
        `the state of n${id} differs from n${first.id}'s, in ${differing ?? "a row that is missing"}`,
      );
    }
  }
}

/** Up to where the state reaches that these rows are; 0 for none. */
export function hasSoundHeader(rows: readonly DiskRow[]): boolean {
  return rows.every(([key, row]) => key !== HEADER_KEY || isSealed(key, row));
}

export function appliedIndexIn(rows: readonly DiskRow[]): number {
  const header = rows.find(([key]) => key === HEADER_KEY)?.[1];
  return header === undefined ? 0 : StateHeader.decode(valueIn(header)).appliedIndex;
}

/**
 * The store's own rows begin with "!" and belong to one directory; rows of idempotency keys are swept
 * by each node in its own time (memo-model.ts looks at them).
 */
function isCompared(key: string): boolean {
  return !key.startsWith("!") && !key.startsWith(KEY_ROWS);
}

function hashOf(rows: readonly DiskRow[]): string {
  const hash = createHash("sha256");
  for (const [key, value] of rows) if (isCompared(key)) hash.update(key).update(value);
  return hash.digest("hex");
}
