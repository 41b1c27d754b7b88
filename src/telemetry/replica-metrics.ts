import { Counter, Histogram, type Registry } from "prom-client";
import type { Transition } from "../raft/types.js";
import type { SnapshotMoved, StateDivergence } from "../replica/ports.js";

const COUNT_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
const WRITE_BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2];

/** What the replica and its storage do, counted. Means come from the histograms' _sum and _count. */
export class ReplicaMetrics {
  readonly #commandsPerEntry: Histogram;
  readonly #packedBytes: Counter;
  readonly #entriesPerWrite: Histogram;
  readonly #writeDuration: Histogram;
  readonly #writtenBytes: Counter;
  readonly #entriesApplied: Counter;
  readonly #commandsApplied: Counter;
  readonly #checkpointDuration: Histogram;
  readonly #checkpointBytes: Counter;
  readonly #transitions: Counter<"kind">;
  readonly #entriesCut: Counter;
  readonly #snapshots: Counter<"direction" | "outcome">;
  readonly #snapshotBytes: Counter<"direction">;
  readonly #divergences: Counter<"what">;

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    const histogram = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name, help, buckets, registers });
    this.#commandsPerEntry = histogram(
      "raft_commands_per_entry",
      "Commands that this node, as leader, packed into one entry.",
      COUNT_BUCKETS,
    );
    this.#packedBytes = counter("raft_packed_bytes_total", "Bytes of the entries packed by this node as leader.");
    this.#entriesPerWrite = histogram(
      "storage_log_entries_per_write",
      "Entries that shared one synced write of the log.",
      COUNT_BUCKETS,
    );
    this.#writeDuration = histogram(
      "storage_log_write_duration_seconds",
      "Duration of one synced write of the log.",
      WRITE_BUCKETS_SECONDS,
    );
    this.#writtenBytes = counter("storage_log_written_bytes_total", "Bytes written to the log.");
    this.#entriesApplied = counter("raft_entries_applied_total", "Entries applied to the state.");
    this.#commandsApplied = counter("raft_commands_applied_total", "Commands applied to the state.");
    this.#checkpointDuration = histogram(
      "storage_checkpoint_duration_seconds",
      "Duration of one synced checkpoint of the state.",
      WRITE_BUCKETS_SECONDS,
    );
    this.#checkpointBytes = counter("storage_checkpoint_bytes_total", "Bytes written by checkpoints.");
    this.#transitions = new Counter({
      name: "raft_transitions_total",
      help: "Changes of role, leader, term, configuration and log, by kind.",
      labelNames: ["kind"],
      registers,
    });
    this.#entriesCut = counter("storage_log_entries_cut_total", "Entries removed from the log below a checkpoint.");
    this.#snapshots = new Counter({
      name: "raft_snapshots_total",
      help: "Snapshots sent and fetched by this node.",
      labelNames: ["direction", "outcome"],
      registers,
    });
    this.#snapshotBytes = new Counter({
      name: "raft_snapshot_bytes_total",
      help: "Bytes of snapshots sent and fetched by this node.",
      labelNames: ["direction"],
      registers,
    });
    this.#divergences = new Counter({
      name: "raft_state_divergence_total",
      help: "Findings that this node's state differs from a peer's at the same entry: one of them is wrong.",
      labelNames: ["what"],
      registers,
    });
    // An alarm on a series that is not there yet would not fire at its first value.
    for (const what of ["entries", "rows"] as const) this.#divergences.labels(what).inc(0);
  }

  transition(transition: Transition): void {
    this.#transitions.labels(transition.kind).inc();
  }

  entryPacked(packed: { readonly commands: number; readonly bytes: number }): void {
    this.#commandsPerEntry.observe(packed.commands);
    this.#packedBytes.inc(packed.bytes);
  }

  logWritten(write: { readonly entries: number; readonly bytes: number; readonly durationMs: number }): void {
    this.#entriesPerWrite.observe(write.entries);
    this.#writeDuration.observe(write.durationMs / 1000);
    this.#writtenBytes.inc(write.bytes);
  }

  entryApplied(applied: { readonly commands: number }): void {
    this.#entriesApplied.inc();
    this.#commandsApplied.inc(applied.commands);
  }

  checkpointWritten(checkpoint: { readonly bytes: number; readonly durationMs: number }): void {
    this.#checkpointDuration.observe(checkpoint.durationMs / 1000);
    this.#checkpointBytes.inc(checkpoint.bytes);
  }

  logCut(cut: { readonly entries: number }): void {
    this.#entriesCut.inc(cut.entries);
  }

  snapshotMoved({ direction, bytes, failure }: SnapshotMoved): void {
    this.#snapshots.labels(direction, failure === undefined ? "done" : "failed").inc();
    this.#snapshotBytes.labels(direction).inc(bytes);
  }

  stateDiverged({ what }: StateDivergence): void {
    this.#divergences.labels(what).inc();
  }
}
