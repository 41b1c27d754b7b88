import { Counter, Histogram, type Registry } from "prom-client";

/** What became of a draw: the `status` label. */
export type DrawStatus = "success" | "replayed" | "refused" | "not_executed" | "outcome_unknown" | "failed";

export interface DrawOutcome {
  readonly prefix: string;
  /** Somebody configured the sequence; undefined when the draw ended before that was known. */
  readonly explicit: boolean | undefined;
  readonly status: DrawStatus;
  /** Numbers handed out; counted for "success" and "replayed", else one request is counted. */
  readonly count: number;
  readonly durationSeconds: number;
}

const STATUSES: readonly DrawStatus[] = ["success", "replayed", "refused", "not_executed", "outcome_unknown", "failed"];
/** Anybody can make prefixes: only those that somebody configured get a label, and only so many. */
const LABELLED_PREFIXES_MAX = 100;
const OTHER = "other";
const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Children {
  readonly counters: ReadonlyMap<DrawStatus, Counter.Internal>;
  readonly duration: Histogram.Internal<"prefix">;
}

/** Counts draws. Labels are resolved once per prefix, so that a draw costs two array updates. */
export class DrawMetrics {
  readonly #generated: Counter<"prefix" | "status">;
  readonly #duration: Histogram<"prefix">;
  readonly #labelled = new Map<string, Children>();
  readonly #other: Children;

  constructor(registry: Registry) {
    this.#generated = new Counter({
      name: "sequential_ids_generated_total",
      help: "Numbers handed out (status success, replayed), and draws that gave none (other statuses).",
      labelNames: ["prefix", "status"],
      registers: [registry],
    });
    this.#duration = new Histogram({
      name: "sequential_id_generation_duration_seconds",
      help: "From the edge's call to its answer, whatever the outcome.",
      labelNames: ["prefix"],
      buckets: DURATION_BUCKETS_SECONDS,
      registers: [registry],
    });
    this.#other = this.#children(OTHER);
  }

  record(outcome: DrawOutcome): void {
    const { counters, duration } = this.#childrenOf(outcome);
    counters.get(outcome.status)?.inc(outcome.count);
    duration.observe(outcome.durationSeconds);
  }

  #childrenOf({ prefix, explicit }: DrawOutcome): Children {
    const known = this.#labelled.get(prefix);
    if (known !== undefined) return known;
    if (explicit !== true || this.#labelled.size >= LABELLED_PREFIXES_MAX) return this.#other;
    const children = this.#children(prefix);
    this.#labelled.set(prefix, children);
    return children;
  }

  #children(prefix: string): Children {
    return {
      counters: new Map(STATUSES.map((status) => [status, this.#generated.labels(prefix, status)])),
      duration: this.#duration.labels(prefix),
    };
  }
}
