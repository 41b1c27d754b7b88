import type { Draw } from "../../../src/sequence/command.js";
import { keyScopeOf } from "../../../src/sequence/draw-memo.js";
import { keyedDrawKey } from "../../../src/sequence/machine/keys.js";
import { decodeMemo } from "../../../src/sequence/machine/rows.js";
import type { CommandResult, Drawn } from "../../../src/sequence/result.js";
import type { DiskRow } from "../../../src/storage/disk.js";
import { valueIn } from "../../../src/storage/sealed-row.js";
import type { Effect } from "./effect.js";
import type { ReportViolation } from "./violation.js";

/** Rows of idempotency keys begin so. */
export const KEY_ROWS = "m1/k/";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Memo {
  readonly asked: string;
  readonly drawn: Drawn;
  readonly expiresAt: number;
}

/**
 * What a repeated draw has to answer, told again in the simplest way: a key has one range until it
 * expires by the time of entries, a document has one for ever, and as many keys are remembered as may
 * be. Whether expired rows are still there must make no difference to anybody.
 */
export class MemoModel {
  readonly #report: ReportViolation;
  readonly #keys = new Map<string, Memo>();
  readonly #documents = new Map<string, Memo>();
  #settings = { idempotencyRetentionMs: DAY_MS, idempotencyKeysMax: 5_000_000 };
  #isSeeded = false;
  /** When each key that was ever remembered expires. */
  #expiries: number[] = [];
  #time = 0;

  constructor(report: ReportViolation) {
    this.#report = report;
  }

  applied({ command, result, attempt, time }: Effect): void {
    this.#time = time;
    if (command.kind === "seedSettings" && result.kind === "seeded" && !this.#isSeeded) {
      this.#isSeeded = true;
      this.#settings = command;
    }
    if (command.kind !== "draw") return;
    const fault = this.#faultOf(command, result);
    if (fault !== undefined) this.#report("one key, one range", `${attempt} on ${command.prefix} ${fault}`);
  }

  #faultOf(draw: Draw, result: CommandResult): string | undefined {
    if (result.kind === "refused" && result.code === "VALIDATION_ERROR") return undefined;
    const key = draw.idempotencyKey === "" ? "" : keyedDrawKey(keyScopeOf(draw));
    const keyed = this.#keys.get(key);
    if (keyed !== undefined && keyed.expiresAt > this.#time) return faultOfRepeat(keyed, askedUnderKey(draw), result);
    const document = draw.documentRef === "" ? "" : `${draw.prefix} ${draw.documentRef}`;
    const documented = this.#documents.get(document);
    if (documented !== undefined) {
      const fault = faultOfRepeat(documented, askedForDocument(draw), result);
      if (fault === undefined && result.kind === "drawn") this.#remember(key, draw, documented.drawn);
      return fault;
    }
    if (result.kind === "refused" && result.code === "IDEMPOTENCY_MISMATCH")
      return "was taken for another's repetition";
    const isFull = key !== "" && this.#liveCount >= this.#settings.idempotencyKeysMax;
    if (result.kind === "refused" && result.field === "idempotencyKey" && !isFull) return "found no room for its key";
    if (result.kind !== "drawn") return undefined;
    if (result.replayed) return "was answered from memory, but there was nothing to remember";
    if (isFull) return "drew under a key that there is no room for";
    this.#remember(key, draw, result);
    if (document !== "") {
      this.#documents.set(document, {
        asked: askedForDocument(draw),
        drawn: result,
        expiresAt: Number.POSITIVE_INFINITY,
      });
    }
    return undefined;
  }

  #remember(key: string, draw: Draw, drawn: Drawn): void {
    if (key === "" || this.#liveCount >= this.#settings.idempotencyKeysMax) return;
    const expiresAt = this.#time + this.#settings.idempotencyRetentionMs;
    this.#keys.set(key, { asked: askedUnderKey(draw), drawn, expiresAt });
    this.#expiries.push(expiresAt);
  }

  /** Keys count until the hour in which they expire is over. */
  get #liveCount(): number {
    const hour = Math.floor(this.#time / HOUR_MS);
    this.#expiries = this.#expiries.filter((expiresAt) => Math.floor(expiresAt / HOUR_MS) >= hour);
    return this.#expiries.length;
  }

  /** At the end, all at one applied index: every key that counts has its row on every node. */
  compareRows(nodes: readonly { readonly id: number; readonly rows: readonly DiskRow[] }[]): void {
    for (const { id, rows } of nodes) {
      const found = new Map(rows.filter(([key]) => key.startsWith(KEY_ROWS)));
      for (const [key, { drawn, expiresAt }] of this.#keys) {
        const row = found.get(key);
        found.delete(key);
        if (row === undefined) {
          if (expiresAt > this.#time) this.#report("same state everywhere", `n${id} has lost the key ${key}`);
          continue;
        }
        const memo = decodeMemo(valueIn(row));
        if (memo.expiresAt === expiresAt && `${memo.place.index}-${memo.place.ordinal}` === drawn.messageId) continue;
        this.#report("same state everywhere", `n${id} remembers another draw under the key ${key}`);
      }
      const [unknown] = found.keys();
      if (unknown !== undefined)
        this.#report("same state everywhere", `n${id} remembers ${unknown}, which nobody drew`);
    }
  }
}

function faultOfRepeat({ asked, drawn }: Memo, askedNow: string, result: CommandResult): string | undefined {
  if (asked !== askedNow) {
    const isRefused = result.kind === "refused" && result.code === "IDEMPOTENCY_MISMATCH";
    return isRefused ? undefined : `asked for ${askedNow} where ${asked} had been asked for, and was not refused`;
  }
  if (result.kind !== "drawn") return "was refused, though it only repeats";
  if (!result.replayed) return "drew again";
  if (textOf(result) === textOf(drawn)) return undefined;
  return `was replayed as ${textOf(result)}, drawn as ${textOf(drawn)}`;
}

function askedUnderKey({ count, batch, contiguous, documentDate, documentRef }: Draw): string {
  return JSON.stringify([count, batch, batch && contiguous, documentDate, documentRef]);
}

function askedForDocument({ count, documentDate }: Draw): string {
  return JSON.stringify([count, documentDate]);
}

function textOf({ epoch, ranges, time, messageId, period, date }: Drawn): string {
  return JSON.stringify([period, epoch, ranges, time, messageId, date]);
}
