import type { Provenance } from "../../../src/sequence/command.js";
import { encodeCommand } from "../../../src/sequence/machine/command-codec.js";
import { SEQUENCE_MACHINE_ID } from "../../../src/sequence/machine/sequence-machine.js";
import type { CommandResult } from "../../../src/sequence/result.js";
import { commandKindOf } from "../operations/catalogue.js";
import { HOT } from "../operations/prefixes.js";
import { Histories } from "./histories.js";
import { isSuccess, type Outcome, outcomeOf } from "./outcome.js";
import type { OperationStep } from "./plan.js";
import { isSetup, Setup } from "./setup.js";
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
/** Calls that a fault makes, beside those of the plan. */
const FIRST_EXTRA_ID = 500_000;
const EXTRA_CLIENT = 50;

/** What callers do: they call some node, give up now and then, and repeat what may be repeated. */
export class Clients {
  readonly #world: World;
  readonly #open = new Map<string, Attempt>();
  /** Certainly not executed, by id: must never act. */
  readonly #refused = new Set<string>();
  readonly histories: Histories;
  readonly #setup: Setup;
  readonly #reads: StatusReads;
  /** Ids of the calls that did what they asked for. */
  readonly #answered = new Set<number>();
  #nextExtraId = FIRST_EXTRA_ID;
  #hasNewAnswer = false;
  #repeats = true;
  #doors: readonly number[] = [];

  constructor(world: World) {
    this.#world = world;
    this.histories = new Histories(world.plan);
    this.#reads = new StatusReads(world, (prefix, period, read) => this.histories.read(prefix, period, read));
    this.#setup = new Setup({
      plan: world.plan,
      perform: (step) => this.#attempt(step, 1, step.node),
      begins: (prefix, base) => this.histories.begins(prefix, base),
    });
  }

  /** From now on nobody calls again on his own. */
  stopRepeating(): void {
    this.#repeats = false;
  }

  /** Whoever calls again turns to one of these, ascending; to anybody while there are none. */
  callAgainAt(doors: readonly number[]): void {
    this.#doors = doors;
  }

  /** Whether the call did what it asked for, and its client knows. */
  isAnswered(id: number): boolean {
    return this.#answered.has(id);
  }

  /** Whether the sequence can be drawn from; if not, somebody now sees to it. */
  prepares(step: Pick<OperationStep, "prefix" | "node" | "client" | "atMs">): boolean {
    const isReady = this.#setup.isReady(step.prefix);
    if (!isReady) this.#setup.begin(step);
    return isReady;
  }

  /** Whether anything was answered since the last time. */
  hasNewAnswer(): boolean {
    const hasNewAnswer = this.#hasNewAnswer;
    this.#hasNewAnswer = false;
    return hasNewAnswer;
  }

  perform(step: OperationStep): void {
    if (!this.prepares(step)) return;
    if (step.kind === "status" || step.kind === "localStatus") this.#reads.perform(step);
    else this.#attempt(step, 1, step.node);
  }

  /** @param doorNumber of the node to call, if that is a member */
  drawAt(node: number): void {
    this.perform({
      id: this.#nextExtraId++,
      atMs: this.#world.queue.nowMs,
      client: EXTRA_CLIENT,
      node,
      kind: "draw",
      prefix: HOT,
      key: "",
      deadlineMs: 1500,
      attemptsMax: 1,
      settings: { count: 1, contiguous: true, documentRef: "", documentDate: "" },
    });
  }

  #attempt(step: OperationStep, number: number, doorNumber: number): void {
    const { queue, trace, clientRandom } = this.#world;
    const id = `o${step.id}.${number}`;
    const node = this.#world.door(doorNumber);
    const attempt: Attempt = { id, step, number, node: node.id, invoked: queue.nowMs, isEnded: false, isClosed: false };
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
    const isKnown = isSuccess(outcome);
    if (isKnown) {
      this.#answered.add(step.id);
      this.#hasNewAnswer = true;
    }
    const isSure = isKnown || outcome.kind === "refused";
    if (isSure || number >= step.attemptsMax) this.#setup.ended(step, outcome);
    else this.#repeatLater(attempt);
    if (isSetup(step)) return;
    const returned = isKnown ? queue.nowMs : Number.POSITIVE_INFINITY;
    this.histories.command(step, id, outcome, { invoked, returned });
  }

  #repeatLater({ step, node, number }: Attempt): void {
    const { clientRandom, nodes } = this.#world;
    const next = this.#doors.find((id) => id > node) ?? this.#doors[0] ?? (node % nodes.length) + 1;
    this.#world.later(clientRandom.between(20, 400), () => {
      if (this.#repeats) this.#attempt(step, number + 1, next);
    });
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
