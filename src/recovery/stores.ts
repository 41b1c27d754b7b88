import type { LogWrite } from "../raft/types.js";
import type { LogRecovery, LogStore } from "../storage/log-store.js";
import type { StateRow, StateStore } from "../storage/state-store.js";

/** The two stores of one directory, opened: the state is the one that the log says is in force. Nothing else has them open. */
export interface Stores {
  readonly log: LogStore;
  readonly state: StateStore;
}

/** What was asked for cannot be done with these stores, or this file; nothing was changed. A sentence for the operator. */
export class RecoveryRefused extends Error {
  override readonly name = "RecoveryRefused";
}

const ROWS_PER_PAGE = 1000;

/** @throws StorageFailure WRITE_FAILED */
export function writeLog(log: LogStore, write: LogWrite): Promise<void> {
  return new Promise((resolve, reject) => {
    log.write(write, (failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

/** @throws StorageFailure WRITE_FAILED */
export function checkpoint(state: StateStore): Promise<void> {
  return new Promise((resolve, reject) => {
    state.checkpoint((failure) => (failure === undefined ? resolve() : reject(failure)));
  });
}

/**
 * Rows in the order of their keys, page by page.
 * @throws StorageFailure DAMAGED
 */
export async function* rowsOf(
  state: StateStore,
  range: { readonly gte: string; readonly lt: string },
): AsyncGenerator<readonly StateRow[]> {
  let { gte } = range;
  for (;;) {
    const rows = await page(state, { gte, lt: range.lt, limit: ROWS_PER_PAGE });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_PER_PAGE) return;
    // A space sorts before everything that a key may go on with.
    gte = `${last.key} `;
  }
}

function page(state: StateStore, range: Parameters<StateStore["scan"]>[0]): Promise<readonly StateRow[]> {
  return new Promise((resolve, reject) => {
    state.scan(range, (failure, rows) => (failure === undefined ? resolve(rows) : reject(failure)));
  });
}

/** The last entry that was in the log when it was opened. */
export function endOf({ base, terms }: LogRecovery): { readonly index: number; readonly term: number } {
  const term = terms.at(-1);
  return term === undefined ? base : { index: base.index + terms.length, term };
}
