import { Counter, Gauge, type Registry } from "prom-client";

/** What the checks of the files on disk found in order. */
export class StorageMetrics {
  readonly #scrubbedBytes: Counter;
  readonly #scrubbedAt: Gauge;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#scrubbedBytes = new Counter({
      name: "storage_scrubbed_bytes_total",
      help: "Bytes of tables on disk that were checked while the node ran.",
      registers,
    });
    this.#scrubbedAt = new Gauge({
      name: "storage_scrub_timestamp_seconds",
      help: "When a directory's tables were last found in order, since the epoch; 0 before the first time.",
      registers,
    });
  }

  /** A directory was checked to its end. */
  scrubbed(bytes: number): void {
    this.#scrubbedBytes.inc(bytes);
    this.#scrubbedAt.setToCurrentTime();
  }
}
