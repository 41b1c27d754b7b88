import fc from "fast-check";
import type { Operation, SeriesHistory } from "../../../bench/history/history.js";

/** How one operation of a random history goes. */
interface Move {
  readonly kind: "draw" | "draw" | "read" | "force" | "jump";
  readonly count: number;
  /** How long before its effect it was invoked, and how long after it returned. */
  readonly before: number;
  readonly after: number;
  readonly fate: "known" | "unknown" | "neverHappened" | "repeated";
  /** In force from here on, where steps change. */
  readonly step: number;
}

/** What is wrong with the history, if anything. */
interface Slip {
  readonly at: number;
  readonly what: "value" | "epoch" | "returnsEarlier" | "invokedLater" | "swap";
  readonly by: number;
}

const MOVE: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("draw", "draw", "draw", "read", "force", "jump"),
  count: fc.constantFrom(1, 1, 1, 2, 3),
  before: fc.integer({ min: 0, max: 18 }),
  after: fc.integer({ min: 0, max: 18 }),
  fate: fc.constantFrom("known", "known", "known", "unknown", "neverHappened", "repeated"),
  step: fc.constant(1),
});

/** Without resets: what they find is judged under one step only. */
const STEPPED_MOVE: fc.Arbitrary<Move> = fc
  .tuple(MOVE, fc.constantFrom(1, 1, 2, 3))
  .map(([move, step]) => ({ ...move, step, kind: move.kind === "read" ? "read" : "draw" }));

const SLIP: fc.Arbitrary<Slip> = fc.record({
  at: fc.nat({ max: 7 }),
  what: fc.constantFrom("value", "value", "epoch", "returnsEarlier", "invokedLater", "swap"),
  by: fc.constantFrom(-20, -2, -1, 1, 2, 20),
});

const SLIPS = fc.oneof(fc.constant([]), fc.array(SLIP, { minLength: 1, maxLength: 3 }));

/** Small histories: a true one, seen through intervals, as it was or with up to three slips. */
export const HISTORY: fc.Arbitrary<SeriesHistory> = fc
  .tuple(fc.array(MOVE, { minLength: 1, maxLength: 7 }), SLIPS)
  .map(([moves, slips]) => ({ start: 1, step: 1, operations: slips.reduce(withSlip, play(moves)) }));

/** The same for a series whose step changes. */
export const STEPPED_HISTORY: fc.Arbitrary<SeriesHistory> = fc
  .tuple(fc.array(STEPPED_MOVE, { minLength: 1, maxLength: 6 }), SLIPS)
  .map(([moves, slips]) => ({
    start: 1,
    step: 1,
    otherSteps: [2, 3],
    operations: slips.reduce(withSlip, play(moves)),
  }));

/** Plays the moves one after the other, ten units of time apart. */
function play(moves: readonly Move[]): Operation[] {
  const operations: Operation[] = [];
  let epoch = 0;
  let current = 0;
  let hasJumped = false;
  for (const [place, move] of moves.entries()) {
    const id = `m${place}`;
    const invoked = 10 * place - move.before;
    const isUnknown = move.fate === "unknown" || move.fate === "neverHappened";
    const times = { id, invoked, returned: isUnknown ? Number.POSITIVE_INFINITY : 10 * place + move.after };
    if (move.kind === "read") {
      operations.push({ kind: "read", ...times, returned: 10 * place + move.after, epoch, current });
    } else if (move.kind === "draw") {
      const { step } = move;
      const first = current + step;
      const last = current + move.count * step;
      if (move.fate !== "neverHappened") current = last;
      const outcome = isUnknown
        ? ({ kind: "unknown" } as const)
        : ({ kind: "drawn", epoch, first, last, step } as const);
      operations.push({ kind: "draw", ...times, count: move.count, outcome });
      if (move.fate !== "repeated") continue;
      const later = { invoked: 10 * place + 1, returned: 10 * place + 1 + move.before };
      operations.push({ kind: "draw", id, ...later, count: move.count, outcome });
    } else {
      // One jump per history: going back over skipped slots is out of scope.
      const force: boolean = move.kind === "force" || hasJumped;
      const newValue = force ? 0 : current + move.count;
      hasJumped ||= !force;
      const oldValue = current;
      if (move.fate !== "neverHappened") {
        if (newValue < current) epoch++;
        current = newValue;
      }
      const outcome = isUnknown ? ({ kind: "unknown" } as const) : ({ kind: "reset", epoch, oldValue } as const);
      operations.push({ kind: "reset", ...times, newValue, force, outcome });
    }
  }
  return operations;
}

function withSlip(operations: readonly Operation[], slip: Slip): Operation[] {
  const at = slip.at % operations.length;
  return operations.map((operation, place) =>
    place === at ? slipped(operation, slip, operations[(at + 1) % operations.length]) : operation,
  );
}

function slipped(operation: Operation, slip: Slip, next: Operation | undefined): Operation {
  switch (slip.what) {
    case "returnsEarlier":
      return { ...operation, returned: Math.max(operation.invoked, operation.returned - 20) };
    case "invokedLater":
      return { ...operation, invoked: Math.min(operation.returned, operation.invoked + 20) };
    case "value":
      return moved(operation, { by: slip.by, epochs: 0 });
    case "epoch":
      return moved(operation, { by: 0, epochs: Math.sign(slip.by) });
    case "swap":
      return answeredAs(operation, next);
  }
}

function moved(operation: Operation, change: { readonly by: number; readonly epochs: number }): Operation {
  if (operation.kind === "read") {
    return {
      ...operation,
      epoch: Math.max(0, operation.epoch + change.epochs),
      current: Math.max(0, operation.current + change.by),
    };
  }
  if (operation.kind !== "draw" || operation.outcome.kind !== "drawn") return operation;
  const { epoch, first, last } = operation.outcome;
  const by = Math.max(change.by, 1 - first);
  const outcome = {
    ...operation.outcome,
    epoch: Math.max(0, epoch + change.epochs),
    first: first + by,
    last: last + by,
  } as const;
  return { ...operation, outcome };
}

function answeredAs(operation: Operation, other: Operation | undefined): Operation {
  if (operation.kind !== "draw" || other?.kind !== "draw" || operation.count !== other.count) return operation;
  return { ...operation, outcome: other.outcome.kind === "drawn" ? other.outcome : operation.outcome };
}
