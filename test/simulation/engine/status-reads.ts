import type { LinearizableRead, LocalRead } from "../../../bench/history/history.js";
import { NOWHERE } from "../operations/operation-kind.js";
import type { OperationStep } from "./plan.js";
import type { World, WorldNode } from "./world.js";

interface Seen {
  readonly period: string;
  readonly epoch: number;
  readonly current: number;
}

/** Of a series that nobody drew from: all that are read start at 1 with a step of 1. */
const NOTHING: Seen = { period: "", epoch: 0, current: 0 };

/** Status calls: linearizable ones go through the replica's reads, local ones look at once. */
export class StatusReads {
  readonly #world: World;
  readonly #note: (prefix: string, period: string, read: LinearizableRead | LocalRead) => void;
  /** Linearizable reads that a living node has not answered, by id. */
  readonly #open = new Map<string, number>();

  constructor(world: World, note: (prefix: string, period: string, read: LinearizableRead | LocalRead) => void) {
    this.#world = world;
    this.#note = note;
  }

  perform(step: OperationStep): void {
    const node = this.#world.door(step.node);
    if (node.status !== "running") return;
    const invoked = this.#world.queue.nowMs;
    const id = `o${step.id}`;
    this.#world.trace?.note(`c${step.client}`, `${id} ${step.kind} ${step.prefix} at ${node.name}`);
    this.#world.queue.schedule(this.#world.clientRandom.between(0.05, 0.5), "input", node.time, () => {
      if (step.kind === "localStatus") {
        this.#look(node, step, invoked);
        return;
      }
      this.#open.set(id, node.id);
      node.replica?.read(step.deadlineMs, {
        ready: () => {
          if (!this.#open.delete(id)) this.#world.report("answers", `read ${id} was answered twice`);
          this.#look(node, step, invoked);
        },
        fail: () => {
          this.#open.delete(id);
        },
      });
    });
  }

  nodeCrashed(node: number): void {
    for (const [id, at] of this.#open) if (at === node) this.#open.delete(id);
  }

  /** The state of this very moment. */
  #look(node: WorldNode, step: OperationStep, invoked: number): void {
    const { replica, queries } = node;
    if (replica === undefined || queries === undefined) return;
    const { appliedIndex, appliedTime } = replica;
    const session = `${step.client} ${node.name} life ${node.time.life}`;
    const answer = queries
      .run({ kind: "status", prefix: step.prefix, scope: NOWHERE }, Math.max(node.time.wall(), appliedTime))
      .then(
        (status) => {
          if (status.kind !== "status" && status.kind !== "absent") return;
          const seen =
            status.kind === "absent"
              ? NOTHING
              : { period: status.period, epoch: status.epoch, current: status.currentCounter };
          this.#checkAgainstEffects(step, appliedIndex, seen);
          const times = { id: `o${step.id}`, invoked, returned: this.#world.queue.nowMs };
          const { period, epoch, current } = seen;
          this.#world.trace?.note(
            `c${step.client}`,
            `${times.id} ended: ${period} ${epoch}:${current} as of entry ${appliedIndex}`,
          );
          const { prefix } = step;
          if (step.kind === "status") this.#note(prefix, period, { kind: "read", ...times, epoch, current });
          else this.#note(prefix, period, { kind: "localRead", ...times, session, appliedIndex, epoch, current });
        },
        (error: unknown) => node.thrown(error),
      );
    this.#world.awaited(answer);
  }

  /** A state at an applied index shows exactly what had its effect up to there. */
  #checkAgainstEffects(step: OperationStep, appliedIndex: number, seen: Seen): void {
    const expected = this.#world.effects.series.at(step.prefix, seen.period, appliedIndex) ?? NOTHING;
    if (expected.epoch === seen.epoch && expected.current === seen.current) return;
    const text = `o${step.id} shows ${step.prefix} ${seen.period} at ${seen.epoch}:${seen.current} as of entry ${appliedIndex}, it was at ${expected.epoch}:${expected.current}`;
    this.#world.report("state as of its index", text);
  }
}
