import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../../assert.js";
import {
  StoredDefinition,
  StoredKeyUsage,
  StoredLedger,
  StoredMemo,
  StoredSeries,
} from "../../generated/folio/sequence/v1/sequence.js";
import type { StateRow } from "../../storage/state-store.js";
import type { Definition } from "../definition.js";
import { isGapPolicy, isNumberingScope, isResetRule } from "../definition-words.js";
import type { DrawMemo } from "../draw-memo.js";
import type { KeyUsage } from "../key-usage.js";
import type { Ledger } from "../ledger.js";
import type { Series } from "../series.js";
import { seriesKey } from "./keys.js";

/** The domain's objects as rows of the state, and back. */

export function encodeDefinition(definition: Definition): Uint8Array {
  return StoredDefinition.encode({ ...definition, zoneTransitions: [...definition.zoneTransitions] }).finish();
}

export function decodeDefinition(bytes: Uint8Array): Definition {
  const stored = StoredDefinition.decode(bytes);
  const { resetRule, scope, gapPolicy } = stored;
  invariant(isResetRule(resetRule), "a stored definition has a reset rule");
  invariant(isNumberingScope(scope), "a stored definition has a scope");
  invariant(isGapPolicy(gapPolicy), "a stored definition has a gap policy");
  return { ...stored, resetRule, scope, gapPolicy };
}

export function encodeLedger(ledger: Ledger): Uint8Array {
  return StoredLedger.encode({ ...ledger, pastForms: [...ledger.pastForms] }).finish();
}

export function decodeLedger(prefix: string, bytes: Uint8Array): Ledger {
  const { form, floor, lastGenerated, ...ledger } = StoredLedger.decode(bytes);
  invariant(form !== undefined && floor !== undefined, "a stored ledger has a form and a floor");
  return { prefix, ...ledger, lastGenerated, form, floor };
}

export function encodeSeries(series: Series): Uint8Array {
  return StoredSeries.encode(series).finish();
}

export function decodeSeries(key: Pick<Series, "prefix" | "period" | "scopeKey">, bytes: Uint8Array): Series {
  const { segment, lastGenerated, ...stored } = StoredSeries.decode(bytes);
  return { ...stored, ...key, segment, lastGenerated };
}

/** The series of a row, whose key alone may not tell which it is. */
export function seriesOfRow({ key, value }: StateRow): Series {
  const [, , prefix = "", period = ""] = key.split("/");
  const { scopeKey } = StoredSeries.decode(value);
  const series = decodeSeries({ prefix, period, scopeKey }, value);
  invariant(seriesKey(series) === key, () => `the row ${key} is a series that stands under its own key`);
  return series;
}

/** @param writer is left empty, to be used again: a new one costs more than the row */
export function encodeMemo(memo: DrawMemo, writer?: BinaryWriter): Uint8Array {
  const { fingerprint, expiresAt, definitionVersion, epoch, place } = memo;
  const { index, ordinal, time } = place;
  const ranges = [...memo.ranges];
  const stored = { fingerprint, expiresAt, index, ordinal, time, definitionVersion, epoch, ranges };
  return StoredMemo.encode(stored, writer).finish();
}

export function decodeMemo(bytes: Uint8Array): DrawMemo {
  const { fingerprint, expiresAt, definitionVersion, epoch, ranges, index, ordinal, time } = StoredMemo.decode(bytes);
  return { fingerprint, expiresAt, place: { index, ordinal, time }, definitionVersion, epoch, ranges };
}

export function encodeKeyUsage({ buckets, hour }: KeyUsage): Uint8Array {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  return StoredKeyUsage.encode({
    hours: sorted.map(([bucket]) => bucket),
    counts: sorted.map(([, count]) => count),
    hour,
  }).finish();
}

export function decodeKeyUsage(bytes: Uint8Array): KeyUsage {
  const { hours, counts, hour } = StoredKeyUsage.decode(bytes);
  const buckets = new Map<number, number>();
  let total = 0;
  for (const [place, bucket] of hours.entries()) {
    const count = counts[place];
    invariant(count !== undefined, "a stored key usage has a count for every hour");
    buckets.set(bucket, count);
    total += count;
  }
  return { buckets, total, hour };
}
