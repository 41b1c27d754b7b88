import { invariant } from "../../assert.js";
import { readJournal } from "../../machine/journal.js";
import type { StateRow, StateStore } from "../../storage/state-store.js";
import type { AuditAnswer, AuditQuery, AuditRecord } from "../query.js";
import { type AuditSources, auditRecord } from "./audit-record.js";
import { prefixOfCommand } from "./command-codec.js";
import { auditIndexOf, auditRange } from "./keys.js";

const MESSAGE_ID = /^(\d{1,16})-(\d{1,9})$/;
const BLOCKS_PER_SCAN = 16;
/** Commands decoded without a pause, some tenths of a millisecond: apply and heartbeats wait meanwhile. */
const COMMANDS_PER_SLICE = 64;
/** A page ends here even if the filter let nothing through; its `next` goes on. */
const BLOCKS_PER_PAGE = 512;

/** Lets the node do whatever else is due. */
export type Pause = () => Promise<void>;

interface Cursor {
  readonly index: number;
  /** Commands after this one; -1 for all. */
  readonly ordinal: number;
}

/**
 * A page of the audit trail of one prefix, in the journal's order, from the newest applied state. One page
 * is read at a time, in slices: however many ask, the node goes on with its other work in between.
 */
export class AuditReader {
  readonly #state: StateStore;
  readonly #machine: number;
  readonly #sources: AuditSources;
  readonly #pause: Pause;
  /** Settles when the page before has been read, whatever became of it. */
  #turn: Promise<unknown> = Promise.resolve();
  #decoded = 0;

  constructor(state: StateStore, machine: number, sources: AuditSources, pause: Pause) {
    this.#state = state;
    this.#machine = machine;
    this.#sources = sources;
    this.#pause = pause;
  }

  /** @throws StorageFailure when the state cannot be read */
  page(query: AuditQuery): Promise<AuditAnswer> {
    const page = this.#turn.then(() => this.#read(query));
    this.#turn = page.catch(() => undefined);
    return page;
  }

  async #read(query: AuditQuery): Promise<AuditAnswer> {
    const after = parseCursor(query.after);
    if (after === undefined) return { kind: "audit", records: [], next: undefined };
    const records: AuditRecord[] = [];
    let cursor = after;
    for (let blocks = 0; blocks < BLOCKS_PER_PAGE; blocks += BLOCKS_PER_SCAN) {
      const rows = await this.#rows(query.prefix, cursor);
      for (const { key } of rows) {
        const index = auditIndexOf(key);
        const ordinal = index === cursor.index ? cursor.ordinal : -1;
        if (!this.#readBlock({ index, ordinal }, query, records)) return answer(records, undefined);
        const last = records[query.limit - 1];
        // One more than asked for proves that there is a next page.
        if (records.length > query.limit && last !== undefined)
          return answer(records.slice(0, query.limit), last.messageId);
        cursor = { index, ordinal: Number.MAX_SAFE_INTEGER };
        await this.#endSlice();
      }
      if (rows.length < BLOCKS_PER_SCAN) return answer(records, undefined);
    }
    return answer(records, `${cursor.index}-${LAST_ORDINAL}`);
  }

  /** Pauses once a slice is full. */
  async #endSlice(): Promise<void> {
    if (this.#decoded < COMMANDS_PER_SLICE) return;
    this.#decoded = 0;
    await this.#pause();
  }

  /** Adds the block's records after the cursor; false when it and all that follow are too late for the filter. */
  #readBlock(cursor: Cursor, query: AuditQuery, records: AuditRecord[]): boolean {
    const entry = readJournal(this.#state, cursor.index);
    invariant(entry !== undefined, "an audit row stands for a journalled entry");
    this.#decoded += entry.commands.length;
    const { from, to } = query.filter;
    if (to !== undefined && entry.time >= to) return false;
    if (from !== undefined && entry.time < from) return true;
    for (const command of entry.commands) {
      if (command.ordinal <= cursor.ordinal || command.machine !== this.#machine || command.record.length === 0)
        continue;
      if (prefixOfCommand(command.payload) !== query.prefix) continue;
      const record = auditRecord(command, entry, this.#sources);
      if (record !== undefined && passes(record, query.filter)) records.push(record);
      if (records.length > query.limit) return true;
    }
    return true;
  }

  /** Rows of entries from the cursor's on: it may have more commands. */
  #rows(prefix: string, cursor: Cursor): Promise<StateRow[]> {
    const from = cursor.ordinal === Number.MAX_SAFE_INTEGER ? cursor.index + 1 : cursor.index;
    return new Promise((resolve, reject) => {
      this.#state.scan({ ...auditRange(prefix, from), limit: BLOCKS_PER_SCAN }, (failure, rows) => {
        if (failure === undefined) resolve(rows);
        else reject(failure);
      });
    });
  }
}

/** Greater than any ordinal, and still of the form that a message id has. */
const LAST_ORDINAL = 999_999_999;

function parseCursor(after: string): Cursor | undefined {
  if (after === "") return { index: 0, ordinal: -1 };
  const match = MESSAGE_ID.exec(after);
  return match === null ? undefined : { index: Number(match[1]), ordinal: Number(match[2]) };
}

function passes(record: AuditRecord, filter: AuditQuery["filter"]): boolean {
  const { kinds, clientId, generatedBy, correlationId } = filter;
  return (
    (kinds === undefined || kinds.includes(record.kind)) &&
    (clientId === undefined || record.clientId === clientId) &&
    (generatedBy === undefined || record.generatedBy === generatedBy) &&
    (correlationId === undefined || record.correlationId === correlationId)
  );
}

function answer(records: readonly AuditRecord[], next: string | undefined): AuditAnswer {
  return { kind: "audit", records, next };
}
