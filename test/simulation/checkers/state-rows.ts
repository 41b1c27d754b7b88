import { createHash } from "node:crypto";
import type { NodeId } from "../../../src/raft/types.js";
import type { DiskRow } from "../../../src/storage/disk.js";
import { KEY_ROWS } from "./memo-model.js";
import type { ReportViolation } from "./violation.js";

/** Nodes at one applied index hold one state, to the byte. */
export class StateRows {
  readonly #report: ReportViolation;
  /** The header row by its applied index: sessions, time, the journal's head. */
  readonly #headers = new Map<number, Uint8Array>();

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
