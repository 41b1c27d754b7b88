import type { Answer, VirtualCluster, VirtualNode } from "./virtual-cluster.js";

export interface Draw {
  readonly line: string;
  readonly answer: Answer;
}

/** Draws at nodes in turn, one after the other, so that each is an entry of its own; lets time pass in between. */
export class Load {
  readonly draws: Draw[] = [];
  readonly #cluster: VirtualCluster;
  readonly #padding: string;

  /** @param options.lineBytes makes the state as large as a test wants it */
  constructor(cluster: VirtualCluster, options: { readonly lineBytes?: number } = {}) {
    this.#cluster = cluster;
    this.#padding = ".".repeat(options.lineBytes ?? 0);
  }

  run(nodes: readonly VirtualNode[], count: number, pauseMs = 5): void {
    for (let draw = 0; draw < count; draw++) {
      const node = nodes[draw % nodes.length];
      if (node === undefined) throw new Error("somebody has to draw");
      const line = `${this.draws.length} of ${node.id}${this.#padding}`;
      this.draws.push({ line, answer: node.propose(line) });
      this.#cluster.time.advance(pauseMs);
    }
  }

  /** Draws while something takes its time. */
  runUntil(nodes: () => readonly VirtualNode[], holds: () => boolean, pauseMs = 5): void {
    for (let draw = 0; !holds(); draw++) {
      if (draw > 4000) throw new Error(`it did not come about under load:\n${this.#cluster.describe()}`);
      this.run(nodes(), 1, pauseMs);
    }
  }

  untilAnswered(): void {
    this.#cluster.time.until(() =>
      this.draws.every(({ answer }) => answer.result !== undefined || answer.failure !== undefined),
    );
  }

  get failed(): Draw[] {
    return this.draws.filter(({ answer }) => answer.failure !== undefined);
  }

  /**
   * What must never be, in a sentence; undefined: every answered draw stands in its place, once, and what
   * was certainly not executed stands nowhere.
   */
  violation(): string | undefined {
    const lines = this.#cluster.settledLines();
    if (new Set(lines).size !== lines.length) return "a draw acted twice";
    for (const { line, answer } of this.draws) {
      if (answer.result !== undefined && lines[answer.result - 1] !== line) return `${line} is not at ${answer.result}`;
      if (answer.failure === "NOT_EXECUTED" && lines.includes(line)) return `${line} was not executed, and acted`;
    }
    return undefined;
  }
}
