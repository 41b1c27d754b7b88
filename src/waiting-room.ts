import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { connectionsMax } from "./connections-max.js";

/**
 * What is at the REST port of a node that asks to be let in, which may take long: it lives, as a probe wants to know, and
 * says why it is not ready. The app that follows it at the port needs the stores and the seat, and is built after them.
 */
export class WaitingRoom {
  readonly #server: Server;
  #reason = "Waiting until the cluster lets this node in.";

  private constructor() {
    this.#server = createServer((request, response) => {
      request.resume();
      const [path] = (request.url ?? "").split("?");
      switch (path) {
        case "/livez":
          return answer(response, 200, { status: "live" });
        case "/ready":
        case "/readyz":
          return answer(response, 503, { ready: false, reason: this.#reason });
        case "/health":
          return answer(response, 503, { status: "unavailable", ready: false, reason: this.#reason });
        default:
          return answer(response, 503, this.#problem(), "application/problem+json");
      }
    });
    this.#server.maxConnections = connectionsMax();
  }

  /** @throws the system's own error, which names the address, if somebody listens there */
  static async open({ host, port }: { readonly host: string; readonly port: number }): Promise<WaitingRoom> {
    const room = new WaitingRoom();
    room.#server.listen({ host, port });
    await once(room.#server, "listening");
    return room;
  }

  /** Why it takes time, in a sentence. */
  tell(reason: string): void {
    this.#reason = reason;
  }

  /** The port is free again. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #problem(): object {
    return {
      type: "urn:folio:problem:not-executed",
      title: "Certainly not executed: retry freely",
      status: 503,
      detail: this.#reason,
      code: "NOT_EXECUTED",
    };
  }
}

function answer(response: ServerResponse, status: number, body: object, mediaType = "application/json"): void {
  const headers = { "content-type": mediaType, "cache-control": "no-store" };
  response.writeHead(status, status === 503 ? { ...headers, "retry-after": "1" } : headers).end(JSON.stringify(body));
}
