import type { Backend, ClusterView, Consistency, ProposeOptions, Reading } from "../api/port.js";
import { OperatingFailure } from "../failure.js";
import type { DrawMetrics, DrawOutcome, DrawStatus } from "./draw-metrics.js";

// By way of the port: telemetry does not import the domain.
type Command = Parameters<Backend["propose"]>[0];
type Draw = Extract<Command, { readonly kind: "draw" }>;
type CommandResult = Awaited<ReturnType<Backend["propose"]>>;
type Query = Parameters<Backend["query"]>[0];

/** A Backend that counts and times the draws that pass through it: one place for both edges. */
export class MeasuredBackend implements Backend {
  readonly #inner: Backend;
  readonly #draws: DrawMetrics;

  constructor(inner: Backend, draws: DrawMetrics) {
    this.#inner = inner;
    this.#draws = draws;
  }

  propose(command: Command, options?: ProposeOptions): Promise<CommandResult> {
    return command.kind === "draw" ? this.#draw(command, options) : this.#inner.propose(command, options);
  }

  query(query: Query, consistency: Consistency): Promise<Reading> {
    return this.#inner.query(query, consistency);
  }

  cluster(): ClusterView {
    return this.#inner.cluster();
  }

  #draw(command: Draw, options: ProposeOptions | undefined): Promise<CommandResult> {
    const startedMs = performance.now();
    const proposed = this.#inner.propose(command, options);
    // Beside the answer's way, not on it: the caller gets the very promise of the backend.
    proposed.then(
      (result) => this.#draws.record({ ...outcomeOf(command, result), durationSeconds: secondsSince(startedMs) }),
      (error: unknown) => {
        const status = statusOfFailure(error);
        const { prefix } = command;
        const durationSeconds = secondsSince(startedMs);
        this.#draws.record({ prefix, explicit: undefined, status, count: 1, durationSeconds });
      },
    );
    return proposed;
  }
}

function outcomeOf(command: Draw, result: CommandResult): Omit<DrawOutcome, "durationSeconds"> {
  const { prefix } = command;
  if (result.kind === "drawn") {
    const status = result.replayed ? "replayed" : "success";
    return { prefix, explicit: result.definition.explicit, status, count: result.count };
  }
  const status = result.kind === "refused" && result.code === "NOT_EXECUTED" ? "not_executed" : "refused";
  return { prefix, explicit: undefined, status, count: 1 };
}

function statusOfFailure(error: unknown): DrawStatus {
  if (!(error instanceof OperatingFailure)) return "failed";
  switch (error.code) {
    case "NOT_EXECUTED":
      return "not_executed";
    case "OUTCOME_UNKNOWN":
      return "outcome_unknown";
    case "INTERNAL_ERROR":
      return "failed";
  }
}

function secondsSince(startedMs: number): number {
  return (performance.now() - startedMs) / 1000;
}
