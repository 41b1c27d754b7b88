import { connect, createServer, type Server, type Socket } from "node:net";
import { pipeline, Transform } from "node:stream";

/** What becomes of the connections through a port. Deaf: nothing reaches the target; mute: nothing comes from it. */
export type Passage = "open" | "cut" | "held" | "deaf" | "mute" | "slow";

const SLOW_MS = 40;

/**
 * Stands before the port of a target, and misbehaves as it is told to. What is held is late and not lost, as with TCP
 * over a network that comes back; a cut ends the connections, and new ones are refused as long as it lasts.
 */
export class FaultyPort {
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #passage: Passage = "open";

  private constructor(server: Server, target: number, host: string) {
    this.#server = server;
    server.on("connection", (caller) => this.#accept(caller, target, host));
  }

  /** @param target the port that everything goes on to, on the same host */
  static async open(target: number, host: string): Promise<FaultyPort> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const port = new FaultyPort(server, target, host);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, resolve);
    });
    return port;
  }

  /** Where it listens. */
  get number(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("a faulty port that is closed has no number");
    return address.port;
  }

  /** From now on, for the connections that there are and for those to come. */
  become(passage: Passage): void {
    this.#passage = passage;
    for (const connection of this.#connections) connection.become(passage);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.become("cut");
    await closed;
  }

  #accept(caller: Socket, target: number, host: string): void {
    if (this.#passage === "cut") {
      caller.destroy();
      return;
    }
    const callee = connect({ port: target, host, allowHalfOpen: true, noDelay: true });
    const connection = new Connection(caller, callee, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    connection.become(this.#passage);
  }
}

/** One connection through the port, in both directions. */
class Connection {
  readonly #sockets: readonly Socket[];
  readonly #towards = new Gate();
  readonly #back = new Gate();

  constructor(caller: Socket, callee: Socket, ended: () => void) {
    this.#sockets = [caller, callee];
    let isOpenOneWay = false;
    // However one direction ends, in order or not: the connection is over with the second.
    const directionEnded = () => {
      if (isOpenOneWay) ended();
      isOpenOneWay = true;
    };
    pipeline(caller, this.#towards, callee, directionEnded);
    pipeline(callee, this.#back, caller, directionEnded);
  }

  become(passage: Passage): void {
    this.#towards.become(passage === "held" || passage === "deaf" ? "shut" : passage === "slow" ? "slow" : "open");
    this.#back.become(passage === "held" || passage === "mute" ? "shut" : passage === "slow" ? "slow" : "open");
    if (passage === "cut") for (const socket of this.#sockets) socket.destroy();
  }
}

/** Lets one piece after the other pass, in order; while it is shut, the sender meets with back-pressure in the end. */
class Gate extends Transform {
  #state: "open" | "shut" | "slow" = "open";
  #next: (() => void) | undefined;

  become(state: "open" | "shut" | "slow"): void {
    this.#state = state;
    if (state !== "shut") this.#pass();
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: (error: null, piece: Buffer) => void): void {
    this.#next = () => done(null, piece);
    if (this.#state === "open") this.#pass();
    else if (this.#state === "slow") setTimeout(() => this.#state !== "shut" && this.#pass(), SLOW_MS);
  }

  #pass(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}
