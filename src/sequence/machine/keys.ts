import { createHash } from "node:crypto";
import { indexKey } from "../../machine/journal.js";
import type { RowRange } from "../../machine/machine.js";
import type { KeyScope } from "../draw-memo.js";
import type { Series } from "../series.js";

/**
 * Where the rows of the domain stand. Printable ASCII; parts are set apart by "/", which no escaped
 * part holds; numbers have a fixed width where their order matters.
 *
 * | key | row |
 * |---|---|
 * | m1/settings, m1/keys | StoredSettings, StoredKeyUsage |
 * | m1/d/prefix | StoredDefinition in force |
 * | m1/v/prefix/version | StoredDefinition of an earlier version |
 * | m1/t/prefix | StoredLedger |
 * | m1/s/prefix/period/scope | StoredSeries |
 * | m1/g/prefix/period/scope/epoch/ordinal | Segment: a finished run of the series |
 * | m1/k/prefix/operation/principal/key | StoredMemo under an idempotency key |
 * | m1/r/prefix/document | StoredMemo of a document, for ever |
 * | m1/a/prefix/entry | empty: the entry has something for the audit trail |
 * | m1/i/prefix/period/scope/epoch/first | StoredSlotIndex: the entry whose first number that is |
 */
export const SETTINGS_KEY = "m1/settings";
export const KEY_USAGE_KEY = "m1/keys";

const PLAIN = /^[A-Za-z0-9._=~-]*$/;
/** Longer texts stand as their hash: LevelDB compares whole keys, and callers choose these. */
const PART_LENGTH_MAX = 120;
const WIDTH = 16;

export function definitionKey(prefix: string): string {
  return `m1/d/${prefix}`;
}

/** Definitions by prefix, ascending, after the given one. */
export function definitionRange(after: string): RowRange {
  // "!" sorts before everything that a prefix may go on with.
  return { gte: after === "" ? "m1/d/" : `m1/d/${after}!`, lt: "m1/d0" };
}

export function versionKey(prefix: string, version: number): string {
  return `m1/v/${prefix}/${fixed(version)}`;
}

export function ledgerKey(prefix: string): string {
  return `m1/t/${prefix}`;
}

export function seriesKey(series: Pick<Series, "prefix" | "period" | "scopeKey">): string {
  return `m1/s/${seriesPath(series)}`;
}

/** All series of a prefix. */
export function seriesRange(prefix: string): RowRange {
  return { gte: `m1/s/${prefix}/`, lt: `m1/s/${prefix}0` };
}

export function segmentKey(series: Series): string {
  return `m1/g/${seriesPath(series)}/${fixed(series.epoch)}/${fixed(series.sealedSegments)}`;
}

export function slotKey(series: Series, first: number): string {
  return `m1/i/${seriesPath(series)}/${fixed(series.epoch)}/${fixed(first)}`;
}

export function keyedDrawKey({ prefix, operation, principal, key }: KeyScope): string {
  return `m1/k/${prefix}/${operation}/${escapePart(principal)}/${escapePart(key)}`;
}

export const allKeyedDraws: RowRange = { gte: "m1/k/", lt: "m1/k0" };

/** All idempotency keys after the given row; "" for the first. */
export function keyedDrawRange(after: string): RowRange {
  return after === "" ? allKeyedDraws : { gte: `${after}!`, lt: allKeyedDraws.lt };
}

export function documentKey(prefix: string, documentRef: string): string {
  return `m1/r/${prefix}/${escapePart(documentRef)}`;
}

export function auditKey(prefix: string, index: number): string {
  return `m1/a/${prefix}/${indexKey(index)}`;
}

/** Audit rows of a prefix from an entry on, ascending. */
export function auditRange(prefix: string, from: number): RowRange {
  return { gte: auditKey(prefix, from), lt: `m1/a/${prefix}0` };
}

/** The entry that an audit row stands for. */
export function auditIndexOf(key: string): number {
  return Number(key.slice(-WIDTH));
}

function seriesPath({ prefix, period, scopeKey }: Pick<Series, "prefix" | "period" | "scopeKey">): string {
  return `${prefix}/${period}/${escapePart(scopeKey)}`;
}

/** Percent-encoded UTF-8, or "#" and a hash, which no encoded text begins with. */
function escapePart(text: string): string {
  if (PLAIN.test(text) && text.length <= PART_LENGTH_MAX) return text;
  let escaped = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    escaped += byte < 0x80 && PLAIN.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
    if (escaped.length > PART_LENGTH_MAX) return `#${createHash("sha256").update(text, "utf8").digest("hex")}`;
  }
  return escaped;
}

function fixed(value: number): string {
  return String(value).padStart(WIDTH, "0");
}
