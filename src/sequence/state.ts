import type { Definition } from "./definition.js";
import type { DrawMemo, KeyScope } from "./draw-memo.js";
import type { KeyUsage } from "./key-usage.js";
import type { Sequence } from "./ledger.js";
import type { Segment, Series } from "./series.js";
import type { Settings } from "./settings.js";

/**
 * All that apply reads and changes; synchronous. Sequences, series and the key usage are changed in
 * place and put afterwards; the state may keep them in memory as long as it likes. Nothing is put
 * by a command that is refused, save that keys whose time has passed are no longer counted.
 */
export interface SequenceState {
  /** undefined: nobody seeded yet. */
  settings(): Settings | undefined;
  putSettings(settings: Settings): void;

  sequence(prefix: string): Sequence | undefined;
  /** Its definition becomes the one in force; every version stays readable. The ledger is put by itself. */
  putDefinition(sequence: Sequence): void;
  putLedger(sequence: Sequence): void;
  /** @throws InvariantViolation for a version that never was */
  definitionVersion(prefix: string, version: number): Definition;

  series(prefix: string, period: string, scopeKey: string): Series | undefined;
  putSeries(series: Series): void;
  /** Keeps a finished run of the series' epoch, as number `series.sealedSegments`. */
  sealSegment(series: Series, segment: Segment): void;

  /** A memo that has expired may or may not be there any more: apply must not care. */
  keyedDraw(scope: KeyScope): DrawMemo | undefined;
  putKeyedDraw(scope: KeyScope, memo: DrawMemo): void;
  keyUsage(): KeyUsage;
  putKeyUsage(usage: KeyUsage): void;
  documentDraw(prefix: string, documentRef: string): DrawMemo | undefined;
  putDocumentDraw(prefix: string, documentRef: string, memo: DrawMemo): void;

  /** The entry holds something that the sequence's audit trail shows. */
  indexAudit(prefix: string, index: number): void;
  /** The entry's first draw from this epoch of the series began with that slot. */
  indexSlot(series: Series, first: number, index: number): void;
}
