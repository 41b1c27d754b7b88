/** How long a node that failed is passed over while others are at hand. */
const REST_MS = 1000;

export interface Turn<Node> {
  readonly index: number;
  readonly node: Node;
}

/** Spreads calls over the nodes in turn; a node that failed rests for a moment. */
export class Rotation<Node> {
  readonly #nodes: readonly Node[];
  /** performance.now() until which the node rests. */
  readonly #restingUntil: number[];
  #position: number;

  constructor(nodes: readonly Node[]) {
    if (nodes.length === 0) throw new TypeError("at least one address is needed");
    this.#nodes = nodes;
    this.#restingUntil = nodes.map(() => 0);
    this.#position = Math.floor(Math.random() * nodes.length);
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** The next node that is not resting; if all are, the one that has rested longest. */
  take(): Turn<Node> {
    const now = performance.now();
    let chosen = this.#position;
    for (let offset = 0; offset < this.#nodes.length; offset += 1) {
      const index = (this.#position + offset) % this.#nodes.length;
      if (this.#rest(index) <= now) {
        chosen = index;
        break;
      }
      if (this.#rest(index) < this.#rest(chosen)) chosen = index;
    }
    this.#position = (chosen + 1) % this.#nodes.length;
    return { index: chosen, node: this.#nodes[chosen] as Node };
  }

  failed(turn: Turn<Node>): void {
    this.#restingUntil[turn.index] = performance.now() + REST_MS;
  }

  succeeded(turn: Turn<Node>): void {
    this.#restingUntil[turn.index] = 0;
  }

  #rest(index: number): number {
    return this.#restingUntil[index] ?? 0;
  }
}
