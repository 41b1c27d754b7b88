import type { DrawAttempt, Operation, ResetAttempt } from "./history.js";

/** A draw whose numbers are known. */
export interface KnownDraw {
  readonly id: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly invoked: number;
  readonly returned: number;
}

/** A draw that may have happened. It never returned. */
export interface UnknownDraw {
  readonly id: string;
  readonly count: number;
  readonly invoked: number;
}

export interface Collapsed {
  readonly known: readonly KnownDraw[];
  readonly unknown: readonly UnknownDraw[];
  /** Two successes of one id that differ. */
  readonly contradiction: string | undefined;
}

/** Attempts of one id become one draw: invoked with the earliest, returned with the earliest success. */
export function collapseDraws(operations: readonly Operation[], step: number): Collapsed {
  const known: KnownDraw[] = [];
  const unknown: UnknownDraw[] = [];
  let contradiction: string | undefined;
  for (const [id, attempts] of attemptsById(operations)) {
    const invoked = attempts.reduce(
      (earliest, attempt) => Math.min(earliest, attempt.invoked),
      Number.POSITIVE_INFINITY,
    );
    const [first, ...others] = attempts.flatMap((attempt) => successOf(attempt, step));
    if (first === undefined) {
      unknown.push({ id, count: attempts[0]?.count ?? 0, invoked });
      continue;
    }
    const different = others.find((other) => textOf(other) !== textOf(first));
    if (different !== undefined) contradiction ??= `${id} was answered ${textOf(first)} and ${textOf(different)}`;
    const returned = others.reduce((earliest, other) => Math.min(earliest, other.returned), first.returned);
    known.push({ ...first, invoked, returned });
  }
  return { known, unknown, contradiction };
}

/** What happened, or may have. */
function attemptsById(operations: readonly Operation[]): ReadonlyMap<string, readonly DrawAttempt[]> {
  const byId = new Map<string, DrawAttempt[]>();
  for (const operation of operations) {
    if (operation.kind !== "draw" || operation.outcome.kind === "notExecuted") continue;
    const attempts = byId.get(operation.id);
    if (attempts === undefined) byId.set(operation.id, [operation]);
    else attempts.push(operation);
  }
  return byId;
}

function successOf({ id, invoked, returned, outcome }: DrawAttempt, usualStep: number): KnownDraw[] {
  if (outcome.kind !== "drawn") return [];
  const { epoch, first, last, step = usualStep } = outcome;
  return [{ id, epoch, first, last, step, invoked, returned }];
}

function textOf({ epoch, first, last }: KnownDraw): string {
  return `${epoch}:${first}-${last}`;
}

export type KnownReset = ResetAttempt & { readonly outcome: { readonly kind: "reset" } };

export function isKnownReset(operation: Operation): operation is KnownReset {
  return operation.kind === "reset" && operation.outcome.kind === "reset";
}

export function opensEpoch({ newValue, outcome }: KnownReset): boolean {
  return newValue < outcome.oldValue;
}
