/**
 * What clients of one series saw, as plain data: from a simulation or from real processes. Times
 * are of one clock, in any unit; `returned` is Infinity where no answer came.
 */
export interface SeriesHistory {
  /** The first number of epoch 0. */
  readonly start: number;
  readonly step: number;
  /**
   * Steps that a change may have brought into force at any time. With them, `start - step` is a number that
   * the series had reached, and resets are out of scope.
   */
  readonly otherSteps?: readonly number[];
  readonly operations: readonly Operation[];
}

export type Operation = DrawAttempt | ResetAttempt | LinearizableRead | LocalRead;

interface Timed {
  readonly invoked: number;
  readonly returned: number;
}

/** Certainly never proposed, or refused by the domain: nothing happened. */
export interface NotExecuted {
  readonly kind: "notExecuted";
}

/** It may have happened, or may happen yet. */
export interface Unknown {
  readonly kind: "unknown";
}

export interface DrawAttempt extends Timed {
  readonly kind: "draw";
  /** Attempts with one id are one draw: the idempotency key, else something unique. */
  readonly id: string;
  readonly count: number;
  readonly outcome:
    | {
        readonly kind: "drawn";
        readonly epoch: number;
        readonly first: number;
        readonly last: number;
        /** Where it is not the history's. */
        readonly step?: number;
      }
    | NotExecuted
    | Unknown;
}

/**
 * Below the current value it begins a new epoch, else it moves forward in the epoch. Out of scope: a
 * reset that goes back, within its epoch, over slots that another reset skipped.
 */
export interface ResetAttempt extends Timed {
  readonly kind: "reset";
  readonly id: string;
  readonly newValue: number;
  /** Without it, a reset below the current value is refused. */
  readonly force: boolean;
  readonly outcome:
    | { readonly kind: "reset"; readonly epoch: number; readonly oldValue: number }
    | NotExecuted
    | Unknown;
}

export interface LinearizableRead extends Timed {
  readonly kind: "read";
  readonly id: string;
  readonly epoch: number;
  /** The last number drawn or set; start - step before the first. */
  readonly current: number;
}

export interface LocalRead extends Timed {
  readonly kind: "localRead";
  readonly id: string;
  /** Reads of one session went to one life of one node, one after the other. */
  readonly session: string;
  readonly appliedIndex: number;
  readonly epoch: number;
  readonly current: number;
}

export type Verdict =
  | { readonly kind: "linearizable" }
  | { readonly kind: "broken"; readonly rule: JudgeRule; readonly message: string };

export type JudgeRule =
  | "one key, one answer"
  | "no number twice"
  | "no unexplained gap"
  | "real time"
  | "resets explained"
  | "local reads monotonic"
  | "undecided";

export const LINEARIZABLE: Verdict = { kind: "linearizable" };

export function broken(rule: JudgeRule, message: string): Verdict {
  return { kind: "broken", rule, message };
}
