import { Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { NodeId } from "../raft/types.js";
import { identify, identityOf, LISTENER_OPTIONS, PEER_SERVICE } from "./peer-protocol.js";
import type { StreamEnd } from "./peer-stream.js";

export type InboundCall = ServerDuplexStream<Buffer, Buffer>;

export interface PeerListenerEvents {
  /** A node that said who it is wants a stream; an answer refuses it. */
  readonly refuse: (from: NodeId) => StreamEnd | undefined;
  readonly accepted: (from: NodeId, call: InboundCall) => void;
}

/** Takes the streams that peers open. */
export class PeerListener {
  readonly #server = new Server(LISTENER_OPTIONS);

  /** @param self this node */
  constructor(self: NodeId, events: PeerListenerEvents) {
    this.#server.addService(PEER_SERVICE, {
      exchange: (call: InboundCall) => {
        const from = identityOf(call.metadata);
        const refusal = refusalOf(self, from, events);
        if (refusal !== undefined) return endInbound(call, refusal);
        // Answering at once with our own name is what tells the caller that the stream is up.
        call.sendMetadata(identify(self));
        if (from !== undefined) events.accepted(from, call);
      },
    });
  }

  /**
   * @param address host:port; port 0 for any free one
   * @returns the port
   * @throws Error with a sentence that names the address
   */
  listen(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(new Error(`cannot listen for peers on ${address}: ${error.message}`, { cause: error }));
      });
    });
  }

  /** Resolves when the port is closed and every connection is gone. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.tryShutdown((error) => (error === undefined ? resolve() : reject(error)));
      this.#server.forceShutdown();
    });
  }
}

function refusalOf(self: NodeId, from: NodeId | undefined, events: PeerListenerEvents): StreamEnd | undefined {
  if (from === undefined) {
    return { code: status.UNAUTHENTICATED, details: "folio-node-id must say who is calling, as a positive integer" };
  }
  if (from === self) {
    return { code: status.INVALID_ARGUMENT, details: `folio-node-id is ${from}, which is this node itself` };
  }
  return events.refuse(from);
}

/** The way of grpc-js to end a call with a status. */
export function endInbound(call: InboundCall, end: StreamEnd): void {
  call.emit("error", Object.assign(new Error(end.details), end));
}
