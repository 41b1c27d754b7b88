import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../../assert.js";
import {
  Segment as StoredSegment,
  StoredSettings,
  StoredSlotIndex,
} from "../../generated/folio/sequence/v1/sequence.js";
import type { StateStore } from "../../storage/state-store.js";
import type { Definition } from "../definition.js";
import { templateOf } from "../definition-template.js";
import type { DrawMemo, KeyScope } from "../draw-memo.js";
import { emptyKeyUsage, type KeyUsage } from "../key-usage.js";
import type { Sequence } from "../ledger.js";
import type { Segment, Series } from "../series.js";
import type { Settings } from "../settings.js";
import type { SequenceState } from "../state.js";
import {
  auditKey,
  definitionKey,
  documentKey,
  KEY_USAGE_KEY,
  keyedDrawKey,
  ledgerKey,
  SETTINGS_KEY,
  segmentKey,
  seriesKey,
  slotKey,
  versionKey,
} from "./keys.js";
import {
  decodeDefinition,
  decodeKeyUsage,
  decodeLedger,
  decodeMemo,
  decodeSeries,
  encodeDefinition,
  encodeKeyUsage,
  encodeLedger,
  encodeMemo,
  encodeSeries,
} from "./rows.js";
import { Table } from "./table.js";

const SEQUENCES_KEPT = 10_000;
const SERIES_KEPT = 50_000;
const VERSIONS_KEPT = 1000;
const NOTHING = new Uint8Array(0);

/**
 * The domain's state over a state store. Ledgers, series and the count of keys are hot: they stay
 * decoded in memory and become rows in `flush`. Everything else is written as it happens.
 */
export class SequenceTables implements SequenceState {
  readonly #state: StateStore;
  readonly #sequences: Table<Sequence>;
  readonly #series: Table<Series>;
  readonly #versions: Table<Definition>;
  /** Used again and again: empty between two rows. */
  readonly #writer = new BinaryWriter();
  #settings: Settings | undefined;
  #keyUsage: KeyUsage = emptyKeyUsage();
  #keyUsageIsDirty = false;

  constructor(state: StateStore) {
    this.#state = state;
    this.#sequences = new Table({
      capacity: SEQUENCES_KEPT,
      load: (prefix) => this.#loadSequence(prefix),
      store: (prefix, { ledger }) => state.put(ledgerKey(prefix), encodeLedger(ledger)),
    });
    this.#series = new Table({
      capacity: SERIES_KEPT,
      load: (path) => this.#loadSeries(path),
      store: (_path, series) => state.put(seriesKey(series), encodeSeries(series)),
    });
    this.#versions = new Table({
      capacity: VERSIONS_KEPT,
      load: (key) => {
        const bytes = state.get(key);
        return bytes && decodeDefinition(bytes);
      },
      store: (key, definition) => state.put(key, encodeDefinition(definition)),
    });
    this.#loadWhole();
  }

  /** Forgets every row: the store's content was replaced. What was not flushed belonged to the old one. */
  reload(): void {
    this.#sequences.clear();
    this.#series.clear();
    this.#versions.clear();
    this.#loadWhole();
  }

  /** What is in memory as a whole. */
  #loadWhole(): void {
    const settings = this.#state.get(SETTINGS_KEY);
    this.#settings = settings && StoredSettings.decode(settings);
    const usage = this.#state.get(KEY_USAGE_KEY);
    this.#keyUsage = usage === undefined ? emptyKeyUsage() : decodeKeyUsage(usage);
    this.#keyUsageIsDirty = false;
  }

  flush(): void {
    this.#sequences.flush();
    this.#series.flush();
    if (!this.#keyUsageIsDirty) return;
    this.#keyUsageIsDirty = false;
    this.#state.put(KEY_USAGE_KEY, encodeKeyUsage(this.#keyUsage));
  }

  settings(): Settings | undefined {
    return this.#settings;
  }

  putSettings(settings: Settings): void {
    this.#settings = settings;
    this.#state.put(SETTINGS_KEY, StoredSettings.encode(settings).finish());
  }

  sequence(prefix: string): Sequence | undefined {
    return this.#sequences.get(prefix);
  }

  putDefinition(sequence: Sequence): void {
    const { definition } = sequence;
    const { prefix, version } = definition;
    const earlier = this.#state.get(definitionKey(prefix));
    if (earlier !== undefined) this.#state.put(versionKey(prefix, version - 1), earlier);
    this.#state.put(definitionKey(prefix), encodeDefinition(definition));
    this.#sequences.put(prefix, sequence);
  }

  putLedger(sequence: Sequence): void {
    this.#sequences.put(sequence.definition.prefix, sequence);
  }

  definitionVersion(prefix: string, version: number): Definition {
    const current = this.#sequences.get(prefix)?.definition;
    if (current?.version === version) return current;
    const definition = this.#versions.get(versionKey(prefix, version));
    invariant(definition !== undefined, () => `version ${version} of ${prefix} stays readable`);
    return definition;
  }

  series(prefix: string, period: string, scopeKey: string): Series | undefined {
    return this.#series.get(pathOf(prefix, period, scopeKey));
  }

  putSeries(series: Series): void {
    this.#series.put(pathOf(series.prefix, series.period, series.scopeKey), series);
  }

  sealSegment(series: Series, segment: Segment): void {
    this.#state.put(segmentKey(series), StoredSegment.encode(segment).finish());
  }

  keyedDraw(scope: KeyScope): DrawMemo | undefined {
    const bytes = this.#state.get(keyedDrawKey(scope));
    return bytes && decodeMemo(bytes);
  }

  putKeyedDraw(scope: KeyScope, memo: DrawMemo): void {
    this.#state.put(keyedDrawKey(scope), encodeMemo(memo, this.#writer));
  }

  keyUsage(): KeyUsage {
    return this.#keyUsage;
  }

  putKeyUsage(usage: KeyUsage): void {
    this.#keyUsage = usage;
    this.#keyUsageIsDirty = true;
  }

  documentDraw(prefix: string, documentRef: string): DrawMemo | undefined {
    const bytes = this.#state.get(documentKey(prefix, documentRef));
    return bytes && decodeMemo(bytes);
  }

  putDocumentDraw(prefix: string, documentRef: string, memo: DrawMemo): void {
    this.#state.put(documentKey(prefix, documentRef), encodeMemo(memo, this.#writer));
  }

  indexAudit(prefix: string, index: number): void {
    this.#state.put(auditKey(prefix, index), NOTHING);
  }

  indexSlot(series: Series, first: number, index: number): void {
    this.#state.put(slotKey(series, first), StoredSlotIndex.encode({ index }, this.#writer).finish());
  }

  #loadSequence(prefix: string): Sequence | undefined {
    const definitionBytes = this.#state.get(definitionKey(prefix));
    const ledgerBytes = this.#state.get(ledgerKey(prefix));
    invariant((definitionBytes === undefined) === (ledgerBytes === undefined), "a stored definition has a ledger");
    if (definitionBytes === undefined || ledgerBytes === undefined) return undefined;
    const definition = decodeDefinition(definitionBytes);
    return { definition, template: templateOf(definition), ledger: decodeLedger(prefix, ledgerBytes) };
  }

  #loadSeries(path: string): Series | undefined {
    const [prefix = "", period = "", ...scope] = path.split("/");
    const key = { prefix, period, scopeKey: scope.join("/") };
    const bytes = this.#state.get(seriesKey(key));
    return bytes && decodeSeries(key, bytes);
  }
}

/** Neither prefix nor period holds a slash, so the last part may. */
function pathOf(prefix: string, period: string, scopeKey: string): string {
  return `${prefix}/${period}/${scopeKey}`;
}
