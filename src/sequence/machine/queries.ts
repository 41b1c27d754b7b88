import type { StateRow, StateStore } from "../../storage/state-store.js";
import type { ScopeValues } from "../command.js";
import { dateProblem, scopeProblem } from "../draw-place.js";
import { floorFor, type Sequence } from "../ledger.js";
import { NumberRenderers } from "../number-renderer.js";
import { periodOf, periodStartDays } from "../period.js";
import type { Query, QueryAnswer } from "../query.js";
import type { CivilDate } from "../result.js";
import { currentCounter, nextCounter, roomFrom, type Series } from "../series.js";
import { scopeKeyOf } from "../series-identity.js";
import { localDate } from "../zone.js";
import { AuditReader, type Pause } from "./audit.js";
import { definitionRange } from "./keys.js";
import { decodeDefinition } from "./rows.js";
import type { SequenceMachine } from "./sequence-machine.js";
import type { SequenceTables } from "./sequence-tables.js";

/** A series as it stands now, for a status or a preview. */
interface Standing {
  readonly sequence: Sequence;
  readonly date: CivilDate;
  readonly period: string;
  readonly series: Series | undefined;
  readonly floor: number;
  /** undefined: the maximum is reached. */
  readonly next: number | undefined;
}

/** Reads one node's applied state. What does not page is answered from the very moment of the call. */
export class SequenceQueries {
  readonly #state: StateStore;
  readonly #tables: SequenceTables;
  readonly #renderers = new NumberRenderers();
  readonly #audit: AuditReader;

  /** @param pause lets the node do whatever else is due, in the middle of a long read */
  constructor(state: StateStore, machine: SequenceMachine, pause: Pause) {
    this.#state = state;
    this.#tables = machine.tables;
    const definitionVersion = (prefix: string, version: number) => machine.tables.definitionVersion(prefix, version);
    this.#audit = new AuditReader(state, machine.id, { definitionVersion, renderers: this.#renderers }, pause);
  }

  /**
   * @param now ms since the epoch: which day it is, for what a draw would get now
   * @throws StorageFailure when the state cannot be read
   */
  async run(query: Query, now: number): Promise<QueryAnswer> {
    if (query.kind === "definitions") return this.#definitions(query.after, query.limit);
    const sequence = this.#tables.sequence(query.prefix);
    if (sequence === undefined) return { kind: "absent" };
    switch (query.kind) {
      case "status":
        return this.#status(this.#standing(sequence, query.scope, now), query.scope);
      case "preview":
        return this.#preview(this.#standing(sequence, query.scope, now), query.scope, query.count);
      case "definition":
        return { kind: "definition", definition: sequence.definition };
      case "audit":
        return this.#audit.page(query);
    }
  }

  #standing(sequence: Sequence, scope: ScopeValues, now: number): Standing {
    const { definition, ledger } = sequence;
    const date = localDate(now, definition.zoneTransitions);
    const period = periodOf(date, definition);
    const series = this.#tables.series(definition.prefix, period, scopeKeyOf(definition.scope, scope));
    const floor = floorFor(ledger, series, periodStartDays(date, definition));
    return { sequence, date, period, series, floor, next: nextCounter(definition, series?.current, floor) };
  }

  #status(standing: Standing, scope: ScopeValues): QueryAnswer {
    const { sequence, period, series, floor, next } = standing;
    const { definition, ledger } = sequence;
    return {
      kind: "status",
      definition,
      period,
      epoch: series?.epoch ?? 0,
      currentCounter: currentCounter(definition, series, floor),
      nextCounter: next,
      nextFullNumber: this.#write(standing, scope, 1)[0],
      totalGenerated: ledger.issued,
      lastGenerated: ledger.lastGenerated,
      released: 0,
      reserved: 0,
    };
  }

  #preview(standing: Standing, scope: ScopeValues, count: number): QueryAnswer {
    return { kind: "preview", fullNumbers: this.#write(standing, scope, count), period: standing.period };
  }

  /** As many of the next numbers as there are; none where a draw would be refused. */
  #write({ sequence, date, next }: Standing, scope: ScopeValues, count: number): string[] {
    const { definition, template } = sequence;
    if (next === undefined || (dateProblem(template, date) ?? scopeProblem(template, scope)) !== undefined) return [];
    const render = this.#renderers.renderer(definition, date, scope);
    const length = Math.min(count, roomFrom(definition, next));
    return Array.from({ length }, (_, place) => render(next + place * definition.step));
  }

  async #definitions(after: string, limit: number): Promise<QueryAnswer> {
    const rows = await this.#rows({ ...definitionRange(after), limit: limit + 1 });
    const definitions = rows.slice(0, limit).map(({ value }) => decodeDefinition(value));
    const next = rows.length > limit ? definitions.at(-1)?.prefix : undefined;
    return { kind: "definitions", definitions, next };
  }

  #rows(range: { readonly gte: string; readonly lt: string; readonly limit: number }): Promise<StateRow[]> {
    return new Promise((resolve, reject) => {
      this.#state.scan(range, (failure, rows) => {
        if (failure === undefined) resolve(rows);
        else reject(failure);
      });
    });
  }
}
