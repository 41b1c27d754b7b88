import type { Operation } from "../../../bench/history/history.js";
import type { Provenance } from "../../../src/sequence/command.js";
import { encodeCommand } from "../../../src/sequence/machine/command-codec.js";
import { SEQUENCE_MACHINE_ID } from "../../../src/sequence/machine/sequence-machine.js";
import type { CommandResult } from "../../../src/sequence/result.js";
import { commandKindOf } from "../operations/catalogue.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import type { OperationStep } from "./plan.js";
import { StatusReads } from "./status-reads.js";
import type { World } from "./world.js";

/** One call on its way, or answered. */
interface Attempt {
  readonly id: string;
  readonly step: OperationStep;
  readonly number: number;
  readonly node: number;
  readonly invoked: number;
  /** The waiter was called: at most once. */
  isEnded: boolean;
  /** The client has its answer, or has given up. */
  isClosed: boolean;
}

const PATIENCE_MS = 2500;

/** What callers do: they call some node, give up now and then, and repeat what carries a key. */
export class Clients {
  readonly #world: World;
  readonly #open = new Map<string, Attempt>();
  /** Certainly not executed, by id: must never act. */
  readonly #refused = new Set<string>();
  readonly #histories = new Map<string, Operation[]>();
  readonly #reads: StatusReads;
  readonly #answered = new Set<string>();
  #hasNewAnswer = false;
  #repeats = true;

  constructor(world: World) {
    this.#world = world;
    this.#reads = new StatusReads(world, (prefix, read) => this.#note(prefix, read));
  }

  get histories(): ReadonlyMap<string, readonly Operation[]> {
    return this.#histories;
  }

  /** How many keys have their answer. */
  get answeredKeyCount(): number {
    return this.#answered.size;
  }

  /** From now on nobody calls again on his own. */
  stopRepeating(): void {
    this.#repeats = false;
  }

  /** Whether a call with this key got its numbers. */
  isAnswered(key: string): boolean {
    return this.#answered.has(key);
  }

  /** Whether anything was answered since the last time. */
  hasNewAnswer(): boolean {
    const hasNewAnswer = this.#hasNewAnswer;
    this.#hasNewAnswer = false;
    return hasNewAnswer;
  }

  perform(step: OperationStep): void {
    if (step.kind === "status" || step.kind === "localStatus") this.#reads.perform(step);
    else this.#attempt(step, 1, step.node);
  }

  #attempt(step: OperationStep, number: number, nodeId: number): void {
    const { queue, trace, clientRandom } = this.#world;
    const id = `o${step.id}.${number}`;
    const attempt: Attempt = { id, step, number, node: nodeId, invoked: queue.nowMs, isEnded: false, isClosed: false };
    const node = this.#world.node(nodeId);
    trace?.note(
      `c${step.client}`,
      `${id} ${step.kind} ${step.prefix}${step.key && ` key ${step.key}`} at ${node.name}`,
    );
    if (node.status !== "running") {
      this.#close(attempt, { kind: "notExecuted" }, undefined);
      return;
    }
    this.#open.set(id, attempt);
    queue.schedule(clientRandom.between(0.05, 0.5), "input", node.time, () => this.#arrive(attempt));
    this.#world.later(step.deadlineMs + PATIENCE_MS, () => this.#close(attempt, { kind: "unknown" }, undefined));
  }

  /** The node has the call in hand. */
  #arrive(attempt: Attempt): void {
    const { step, id } = attempt;
    const kind = commandKindOf(step.kind);
    const replica = this.#world.node(attempt.node).replica;
    if (kind === undefined || replica === undefined) return;
    const provenance: Provenance = {
      principal: "anonymous",
      clientId: `c${step.client}`,
      generatedBy: "",
      correlationId: id,
      requestId: "",
    };
    const payload = encodeCommand(kind.command(step, provenance));
    replica.propose({ machine: SEQUENCE_MACHINE_ID, payload }, step.deadlineMs, {
      settle: (result) => {
        this.#end(attempt);
        this.#world.effects.answered(id, result);
        this.#answer(attempt, result as CommandResult);
      },
      fail: (code) => {
        this.#end(attempt);
        if (code === "NOT_EXECUTED") this.#refused.add(id);
        this.#answer(attempt, code);
      },
    });
  }

  #end(attempt: Attempt): void {
    if (attempt.isEnded) this.#world.report("answers", `${attempt.id} was answered twice`);
    attempt.isEnded = true;
  }

  /** The answer takes its way to the client; a few get lost on it. */
  #answer(attempt: Attempt, answer: CommandResult | string): void {
    const { clientRandom } = this.#world;
    const outcome = outcomeOf(attempt.step, answer);
    if (this.#world.isChaos && clientRandom.chance(0.02)) return;
    this.#world.later(clientRandom.between(0.05, 0.5), () => this.#close(attempt, outcome, answer));
  }

  #close(attempt: Attempt, outcome: Outcome, answer: CommandResult | string | undefined): void {
    if (attempt.isClosed) return;
    attempt.isClosed = true;
    const { id, step, invoked, number } = attempt;
    const { queue, trace } = this.#world;
    this.#open.delete(id);
    if (trace !== undefined) {
      const text = typeof answer === "object" ? JSON.stringify(outcome) : (answer ?? outcome.kind);
      trace.note(`c${step.client}`, `${id} ended: ${text}`);
    }
    const isKnown = outcome.kind === "drawn" || outcome.kind === "reset";
    if (isKnown) {
      this.#answered.add(step.key);
      this.#hasNewAnswer = true;
    }
    this.#noteCommand(step, id, outcome, { invoked, returned: isKnown ? queue.nowMs : Number.POSITIVE_INFINITY });
    const isSure = isKnown || outcome.kind === "refused";
    if (isSure || step.key === "" || number >= step.attemptsMax) return;
    const { clientRandom, nodes } = this.#world;
    const next = (attempt.node % nodes.length) + 1;
    this.#world.later(clientRandom.between(20, 400), () => {
      if (this.#repeats) this.#attempt(step, number + 1, next);
    });
  }

  #noteCommand(
    step: OperationStep,
    attemptId: string,
    outcome: Outcome,
    times: { readonly invoked: number; readonly returned: number },
  ): void {
    const id = step.key === "" ? attemptId : step.key;
    if (step.kind === "draw" || step.kind === "batch") {
      if (outcome.kind === "reset") return;
      const fate = outcome.kind === "refused" ? { kind: "notExecuted" as const } : outcome;
      this.#note(step.prefix, { kind: "draw", id, count: Number(step.settings["count"]), outcome: fate, ...times });
    } else if (step.kind === "reset") {
      if (outcome.kind === "drawn") return;
      const { newValue, force } = step.settings;
      const fate = outcome.kind === "refused" ? { kind: "notExecuted" as const } : outcome;
      this.#note(step.prefix, {
        kind: "reset",
        id,
        newValue: Number(newValue),
        force: force === true,
        outcome: fate,
        ...times,
      });
    }
  }

  #note(prefix: string, operation: Operation): void {
    const history = this.#histories.get(prefix);
    if (history === undefined) this.#histories.set(prefix, [operation]);
    else history.push(operation);
  }

  /** Connections to it broke: nobody knows what became of the calls. */
  nodeCrashed(node: number): void {
    this.#reads.nodeCrashed(node);
    for (const attempt of this.#open.values()) {
      if (attempt.node !== node || attempt.isClosed) continue;
      this.#world.later(this.#world.clientRandom.between(0.05, 5), () =>
        this.#close(attempt, { kind: "unknown" }, undefined),
      );
    }
  }

  /** At the end: every call on a living node was ended, and what was refused never acted. Clients give up the rest. */
  checkEnded(isAlive: (node: number) => boolean): void {
    const { effects, report } = this.#world;
    for (const id of this.#refused) {
      const effect = effects.of(id);
      if (effect !== undefined)
        report("certain refusal", `${id} was answered NOT_EXECUTED, but acted in entry ${effect.index}`);
    }
    for (const attempt of this.#open.values()) {
      this.#close(attempt, { kind: "unknown" }, undefined);
      if (!attempt.isEnded && isAlive(attempt.node))
        report("every call ends", `${attempt.id} at n${attempt.node} has not ended`);
    }
  }
}
