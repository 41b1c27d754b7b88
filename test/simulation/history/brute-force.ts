import type { Operation, SeriesHistory } from "../../../bench/history/history.js";

/** One thing that has to find its place in the order. */
interface Task {
  readonly operations: readonly Operation[];
  readonly invoked: number;
  readonly returned: number;
  /** It may also not have happened at all. */
  readonly optional: boolean;
}

interface Counter {
  readonly epoch: number;
  readonly current: number;
}

/** Whether any order at all explains the history: every order is tried. For small histories only. */
export function isLinearizableByBruteForce({ start, step, otherSteps = [], operations }: SeriesHistory): boolean {
  const tasks = tasksOf(operations);
  return tasks !== undefined && search(tasks, { epoch: 0, current: start - step }, [step, ...otherSteps]);
}

function tasksOf(operations: readonly Operation[]): Task[] | undefined {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    if (operation.kind === "localRead") continue;
    if (operation.kind !== "read" && operation.outcome.kind === "notExecuted") continue;
    const name = `${operation.kind} ${operation.id}`;
    groups.set(name, [...(groups.get(name) ?? []), operation]);
  }
  const tasks: Task[] = [];
  for (const group of groups.values()) {
    const successes = group.filter((one) =>
      one.kind !== "draw" && one.kind !== "reset" ? true : one.outcome.kind !== "unknown",
    );
    const answers = new Set(successes.map(answerOf));
    if (answers.size > 1) return undefined;
    tasks.push({
      operations: successes.length > 0 ? successes : group.slice(0, 1),
      invoked: Math.min(...group.map(({ invoked }) => invoked)),
      returned: Math.min(Number.POSITIVE_INFINITY, ...successes.map(({ returned }) => returned)),
      optional: successes.length === 0,
    });
  }
  return tasks;
}

function answerOf(operation: Operation): string {
  return operation.kind === "draw" || operation.kind === "reset" ? JSON.stringify(operation.outcome) : "";
}

/** @param steps the first is the usual one; any of them may be in force at any time */
function search(tasks: readonly Task[], counter: Counter, steps: readonly number[]): boolean {
  if (tasks.every(({ optional }) => optional)) return true;
  const earliest = Math.min(...tasks.map(({ returned }) => returned));
  return tasks.some((task) => {
    if (task.invoked > earliest) return false;
    const rest = tasks.filter((other) => other !== task);
    return steps.some((step) => {
      const next = perform(task.operations[0], counter, step, steps[0] ?? 1);
      return next !== undefined && search(rest, next, steps);
    });
  });
}

/** The counter afterwards; undefined if the operation cannot have happened here under this step. */
function perform(
  operation: Operation | undefined,
  { epoch, current }: Counter,
  step: number,
  usualStep: number,
): Counter | undefined {
  if (operation === undefined || operation.kind === "localRead") return undefined;
  if (operation.kind === "read") {
    return operation.epoch === epoch && operation.current === current ? { epoch, current } : undefined;
  }
  const { outcome } = operation;
  if (operation.kind === "draw") {
    const first = current + step;
    const last = current + operation.count * step;
    const fits =
      outcome.kind !== "drawn" ||
      ((outcome.step ?? usualStep) === step &&
        outcome.epoch === epoch &&
        outcome.first === first &&
        outcome.last === last);
    return fits ? { epoch, current: last } : undefined;
  }
  const opens = operation.newValue < current;
  if (opens && !operation.force) return undefined;
  const next = { epoch: opens ? epoch + 1 : epoch, current: operation.newValue };
  const fits = outcome.kind !== "reset" || (outcome.epoch === next.epoch && outcome.oldValue === current);
  return fits ? next : undefined;
}
