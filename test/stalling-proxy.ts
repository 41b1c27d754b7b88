import { connect, createServer, type Server, type Socket } from "node:net";

const HOST = "127.0.0.1";

/** Between one node that dials and the port that it dials. What one side says can be held back, with the connection open. */
export class StallingProxy {
  readonly #server: Server;
  readonly #pairs: { readonly dialler: Socket; readonly acceptor: Socket }[] = [];
  /** The port to dial instead. */
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(targetPort: number): Promise<StallingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("a TCP listener has an address with a port");
    const proxy = new StallingProxy(server, address.port);
    server.on("connection", (dialler) => proxy.#join(dialler, connect(targetPort, HOST)));
    return proxy;
  }

  #join(dialler: Socket, acceptor: Socket): void {
    this.#pairs.push({ dialler, acceptor });
    for (const [one, other] of [
      [dialler, acceptor],
      [acceptor, dialler],
    ] as const) {
      one.pipe(other);
      // However one side ends, the other ends as well; who dialled sees a connection that broke.
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }

  /** From now on nothing that this side says gets through. */
  stall(side: "dialler" | "acceptor"): void {
    for (const pair of this.#pairs) {
      pair[side].unpipe();
      pair[side].pause();
    }
  }

  async stop(): Promise<void> {
    for (const { dialler, acceptor } of this.#pairs) {
      dialler.destroy();
      acceptor.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
