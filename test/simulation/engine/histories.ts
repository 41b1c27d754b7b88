import type { LinearizableRead, LocalRead, Operation, SeriesHistory } from "../../../bench/history/history.js";
import { isForm, isPeriodic, isStepped, periodOfDocument } from "../operations/prefixes.js";
import type { Outcome } from "./outcome.js";
import type { OperationStep, Plan } from "./plan.js";

interface Times {
  readonly invoked: number;
  readonly returned: number;
}

/** One attempt at a draw. */
interface Attempt extends Times {
  readonly attemptId: string;
  readonly step: OperationStep;
  readonly outcome: Extract<Outcome, { readonly kind: "drawn" | "notExecuted" | "unknown" }>;
}

type Located = Operation & { readonly period: string };

/** One series as its clients saw it. */
export interface NamedHistory extends SeriesHistory {
  readonly name: string;
}

/** What clients saw, sorted by series when all is over: where a draw without an answer went is not known before. */
export class Histories {
  readonly #plan: Plan;
  /** By prefix and then by what makes attempts one draw. */
  readonly #draws = new Map<string, Map<string, Attempt[]>>();
  readonly #others = new Map<string, Located[]>();
  /** What a series that changes its step had reached before anybody else drew from it. */
  readonly #bases = new Map<string, number>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  begins(prefix: string, base: number): void {
    this.#bases.set(prefix, base);
  }

  command(step: OperationStep, attemptId: string, outcome: Outcome, times: Times): void {
    const { prefix, kind, settings } = step;
    // What the domain refused changed nothing.
    const fate = outcome.kind === "refused" ? ({ kind: "notExecuted" } as const) : outcome;
    if (kind === "draw" || kind === "batch") {
      if (fate.kind !== "reset" && fate.kind !== "done") this.#draw({ attemptId, step, outcome: fate, ...times });
    } else if (kind === "reset" && fate.kind !== "drawn" && fate.kind !== "done") {
      const { newValue, force } = settings;
      const reset = { kind: "reset", id: attemptId, newValue: Number(newValue), force: force === true } as const;
      this.#other(prefix, { ...reset, outcome: fate, ...times, period: "" });
    }
  }

  read(prefix: string, period: string, read: LinearizableRead | LocalRead): void {
    this.#other(prefix, { ...read, period });
  }

  #draw(attempt: Attempt): void {
    const { step, attemptId } = attempt;
    const { documentRef, documentDate, count } = step.settings;
    // A document has its numbers for ever, whoever asks, if he asks for the same.
    const document = documentRef === "" ? "" : `${documentRef} ${count} ${documentDate}`;
    const id = document || step.key || attemptId;
    const draws = this.#draws.get(step.prefix) ?? new Map<string, Attempt[]>();
    this.#draws.set(step.prefix, draws);
    const attempts = draws.get(id);
    if (attempts === undefined) draws.set(id, [attempt]);
    else attempts.push(attempt);
  }

  #other(prefix: string, operation: Located): void {
    const others = this.#others.get(prefix);
    if (others === undefined) this.#others.set(prefix, [operation]);
    else others.push(operation);
  }

  /** One history per series; where reset rules change, no client can tell what comes next. */
  sorted(): NamedHistory[] {
    const prefixes = new Set([...this.#draws.keys(), ...this.#others.keys()]);
    return [...prefixes].filter((prefix) => !isForm(prefix)).flatMap((prefix) => this.#ofPrefix(prefix));
  }

  #ofPrefix(prefix: string): NamedHistory[] {
    const located: Located[] = [...(this.#others.get(prefix) ?? [])];
    const anywhere: Operation[] = [];
    for (const [id, attempts] of this.#draws.get(prefix) ?? []) {
      for (const draw of this.#told(id, attempts)) {
        const { period, ...operation } = draw;
        if (period === undefined) anywhere.push(operation);
        else located.push({ ...operation, period });
      }
    }
    const start = isStepped(prefix) ? (this.#bases.get(prefix) ?? 0) + 1 : 1;
    const steps = isStepped(prefix) ? stepsOf(this.#plan, prefix) : [];
    const periods = new Set(located.map(({ period }) => period));
    if (periods.size === 0) periods.add("");
    return [...periods].map((period) => ({
      name: period === "" ? prefix : `${prefix} ${period}`,
      start,
      step: 1,
      otherSteps: steps,
      operations: [...located.filter((operation) => operation.period === period), ...anywhere],
    }));
  }

  /** The attempts at one draw as the judge takes them; without a period where nobody can tell. */
  #told(id: string, attempts: readonly Attempt[]): (Operation & { readonly period: string | undefined })[] {
    const period = periodOf(attempts);
    const isForgettable = this.#plan.keysExpire && attempts[0]?.step.settings["documentRef"] === "";
    if (!isForgettable) return attempts.map((attempt) => ({ ...asDraw(id, attempt), period }));
    // A key that was forgotten may have drawn again: the draw's own name tells which was which.
    const invoked = Math.min(...attempts.map((attempt) => attempt.invoked));
    return attempts.map((attempt) => {
      const { outcome, attemptId } = attempt;
      if (outcome.kind !== "drawn") return { ...asDraw(attemptId, attempt), period: placeOf(attempt) };
      return { ...asDraw(`${id} ${outcome.messageId}`, attempt), invoked, period: outcome.period };
    });
  }
}

function asDraw(id: string, { step, outcome, invoked, returned }: Attempt): Operation {
  return { kind: "draw", id, count: Number(step.settings["count"]), outcome, invoked, returned };
}

/** Of all attempts at one draw. */
function periodOf(attempts: readonly Attempt[]): string | undefined {
  for (const { outcome } of attempts) if (outcome.kind === "drawn") return outcome.period;
  return attempts[0] && placeOf(attempts[0]);
}

/** Where an attempt went that nobody answered; undefined if only the cluster's clock knows. */
function placeOf({ step }: Attempt): string | undefined {
  if (!isPeriodic(step.prefix)) return "";
  const date = String(step.settings["documentDate"]);
  return date === "" ? undefined : periodOfDocument(step.prefix, date);
}

/** Every step that some call may have brought into force. */
function stepsOf({ operations }: Plan, prefix: string): number[] {
  const steps = new Set<number>();
  for (const step of operations) {
    if (step.kind !== "configure" || step.prefix !== prefix) continue;
    const change = step.settings["change"] as { readonly step?: number };
    if (change.step !== undefined) steps.add(change.step);
  }
  return [...steps];
}
