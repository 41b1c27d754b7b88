import { isStepped, setupOf } from "../operations/prefixes.js";
import type { Outcome } from "./outcome.js";
import type { OperationStep, Plan } from "./plan.js";

const FIRST_ID = 2_000_000;
const DEADLINE_MS = 1500;
const ATTEMPTS_MAX = 4;

/** Calls of the setup belong to nobody's history. */
export function isSetup({ id }: OperationStep): boolean {
  return id >= FIRST_ID;
}

/**
 * Sequences that somebody has to configure before anybody draws: whoever wants to draw does so first,
 * and turns to his own call only when that was answered. A sequence whose step will change
 * has drawn its first number by then, so that its steps count from somewhere.
 */
export class Setup {
  readonly #plan: Plan;
  readonly #perform: (step: OperationStep) => void;
  readonly #begins: (prefix: string, base: number) => void;
  readonly #ready = new Set<string>();
  /** By prefix: the call that is under way. */
  readonly #underWay = new Map<string, number>();
  #nextId = FIRST_ID;

  constructor(options: {
    readonly plan: Plan;
    readonly perform: (step: OperationStep) => void;
    readonly begins: (prefix: string, base: number) => void;
  }) {
    this.#plan = options.plan;
    this.#perform = options.perform;
    this.#begins = options.begins;
  }

  isReady(prefix: string): boolean {
    return this.#ready.has(prefix) || prefix === "" || (this.#plan.autoCreate && setupOf(prefix) === undefined);
  }

  /** Sees to it that the prefix will be ready; the call that would have come is left out. */
  begin({ prefix, node, client, atMs }: Pick<OperationStep, "prefix" | "node" | "client" | "atMs">): void {
    if (this.#underWay.has(prefix)) return;
    const settings = { change: setupOf(prefix) ?? {}, ifAbsent: true };
    this.#call({ prefix, node, client, atMs, kind: "configure", settings });
  }

  /** A call was answered, or given up for good. */
  ended({ id, ...step }: OperationStep, outcome: Outcome): void {
    const { prefix } = step;
    if (this.#underWay.get(prefix) !== id) return;
    this.#underWay.delete(prefix);
    if (outcome.kind === "done" && isStepped(prefix)) {
      // A document, because a document is never forgotten.
      const settings = { count: 1, contiguous: true, documentRef: "setup", documentDate: "" };
      this.#call({ ...step, kind: "draw", settings });
    } else if (outcome.kind === "done") this.#ready.add(prefix);
    else if (outcome.kind === "drawn") {
      this.#ready.add(prefix);
      this.#begins(prefix, outcome.last);
    }
  }

  #call(call: Pick<OperationStep, "prefix" | "node" | "client" | "atMs" | "kind" | "settings">): void {
    const id = this.#nextId++;
    this.#underWay.set(call.prefix, id);
    this.#perform({ ...call, id, key: "", deadlineMs: DEADLINE_MS, attemptsMax: ATTEMPTS_MAX });
  }
}
