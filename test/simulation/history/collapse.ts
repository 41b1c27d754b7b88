import type { DrawAttempt, Operation, ResetAttempt } from "./history.js";

/** A draw whose numbers are known. */
export interface KnownDraw {
  readonly id: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
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
export function collapseDraws(operations: readonly Operation[]): Collapsed {
  const byId = new Map<string, DrawAttempt[]>();
  for (const operation of operations) {
    if (operation.kind !== "draw" || operation.outcome.kind === "notExecuted") continue;
    const attempts = byId.get(operation.id);
    if (attempts === undefined) byId.set(operation.id, [operation]);
    else attempts.push(operation);
  }
  const known: KnownDraw[] = [];
  const unknown: UnknownDraw[] = [];
  let contradiction: string | undefined;
  for (const [id, attempts] of byId) {
    let invoked = Number.POSITIVE_INFINITY;
    let draw: KnownDraw | undefined;
    for (const attempt of attempts) {
      invoked = Math.min(invoked, attempt.invoked);
      const { outcome } = attempt;
      if (outcome.kind !== "drawn") continue;
      const { epoch, first, last } = outcome;
      if (draw !== undefined && (draw.epoch !== epoch || draw.first !== first || draw.last !== last)) {
        contradiction ??= `${id} was answered ${draw.epoch}:${draw.first}-${draw.last} and ${epoch}:${first}-${last}`;
      }
      draw = { id, epoch, first, last, invoked, returned: Math.min(draw?.returned ?? Infinity, attempt.returned) };
    }
    if (draw === undefined) unknown.push({ id, count: attempts[0]?.count ?? 0, invoked });
    else known.push({ ...draw, invoked });
  }
  return { known, unknown, contradiction };
}

export type KnownReset = ResetAttempt & { readonly outcome: { readonly kind: "reset" } };

export function isKnownReset(operation: Operation): operation is KnownReset {
  return operation.kind === "reset" && operation.outcome.kind === "reset";
}

export function opensEpoch({ newValue, outcome }: KnownReset): boolean {
  return newValue < outcome.oldValue;
}
