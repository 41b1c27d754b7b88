import type { Logger } from "pino";
import type { LogIndex, Transition } from "../raft/types.js";
import type { ReplicaObserver, SnapshotMoved, StateDivergence } from "../replica/ports.js";
import type { ReplicaMetrics } from "./replica-metrics.js";

/** Counts what the replica reports and logs what an operator should read. */
export class ReplicaTelemetry implements ReplicaObserver {
  readonly #metrics: ReplicaMetrics;
  readonly #logger: Logger;

  constructor(metrics: ReplicaMetrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
  }

  transition(transition: Transition): void {
    this.#metrics.transition(transition);
    this.#logger.info({ transition }, sentence(transition));
  }

  entryPacked(packed: { readonly commands: number; readonly bytes: number }): void {
    this.#metrics.entryPacked(packed);
  }

  logWritten(write: { readonly entries: number; readonly bytes: number; readonly durationMs: number }): void {
    this.#metrics.logWritten(write);
  }

  entryApplied(applied: { readonly index: LogIndex; readonly commands: number }): void {
    this.#metrics.entryApplied(applied);
  }

  checkpointWritten(checkpoint: { readonly bytes: number; readonly durationMs: number }): void {
    this.#metrics.checkpointWritten(checkpoint);
    this.#logger.debug({ checkpoint }, "checkpoint written");
  }

  logCut(cut: { readonly baseIndex: LogIndex; readonly entries: number }): void {
    this.#metrics.logCut(cut);
    this.#logger.debug({ cut }, "log cut");
  }

  snapshotMoved(moved: SnapshotMoved): void {
    this.#metrics.snapshotMoved(moved);
    const { direction, peer, index, failure } = moved;
    const whose = peer === undefined ? "for a backup" : `${direction === "sent" ? "to" : "from"} node ${peer}`;
    if (failure === undefined) this.#logger.info({ moved }, `snapshot of entry ${index} ${whose} ${direction}`);
    else this.#logger.warn({ moved }, `snapshot ${whose} not ${direction}: ${failure}`);
  }

  stateDiverged(divergence: StateDivergence): void {
    this.#metrics.stateDiverged(divergence);
    const { peer, index, what } = divergence;
    this.#logger.error(
      { divergence },
      `ALARM: this node's state differs from node ${peer}'s at entry ${index} (${what}): one of them is wrong`,
    );
  }

  notice(level: "info" | "warn" | "error", message: string, details?: Readonly<Record<string, unknown>>): void {
    this.#logger[level](details === undefined ? {} : { details }, message);
  }
}

function sentence(transition: Transition): string {
  switch (transition.kind) {
    case "roleChanged":
      return `now ${transition.role} in term ${transition.term}: ${transition.why}`;
    case "leaderChanged":
      return transition.leader === undefined
        ? `no leader known in term ${transition.term}`
        : `node ${transition.leader} leads term ${transition.term}`;
    case "termOpened":
      return `term ${transition.term} opened with entry ${transition.index}`;
    case "configurationChanged":
      return `configuration of entry ${transition.index}: ${transition.configuration.members.length} members`;
    case "truncated":
      return `removed entries ${transition.from} to ${transition.to}, which never committed`;
    case "transferEnded":
      return transition.outcome === "handedOver"
        ? `leadership handed over to node ${transition.target}`
        : `node ${transition.target} did not take over leadership in time`;
  }
}
