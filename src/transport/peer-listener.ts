import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  status,
} from "@grpc/grpc-js";
import { listenFailure } from "../failure.js";
import type { LogIndex, NodeId } from "../raft/types.js";
import { identify, identityOf, LISTENER_OPTIONS, PEER_SERVICE } from "./peer-protocol.js";
import type { PeerQuestions } from "./peer-questions.js";
import type { StreamEnd } from "./peer-stream.js";
import { decodeFetch } from "./snapshot-codec.js";

export type InboundCall = ServerDuplexStream<Buffer, Buffer>;
export type SnapshotCall = ServerWritableStream<Buffer, Buffer>;

export interface PeerListenerEvents {
  /** A node that said who it is wants a stream; an answer refuses it. */
  readonly refuse: (from: NodeId) => StreamEnd | undefined;
  readonly accepted: (from: NodeId, call: InboundCall) => void;
  /** A node that said who it is wants a snapshot that reaches at least there. */
  readonly snapshotWanted: (from: NodeId, least: LogIndex, call: SnapshotCall) => void;
}

/** A connection ends when the other side has heard so; for one that hears nothing, nobody waits longer than this. */
const CLOSE_LIMIT_MS = 1000;

/** Takes what other nodes open: streams, transfers of snapshots, and questions. */
export class PeerListener {
  readonly #server = new Server(LISTENER_OPTIONS);

  /** @param self this node */
  constructor(self: NodeId, events: PeerListenerEvents, questions: PeerQuestions) {
    this.#server.addService(PEER_SERVICE, {
      exchange: (call: InboundCall) => {
        const from = callerOf(self, call.metadata);
        if (typeof from !== "number") return endInbound(call, from);
        const refusal = events.refuse(from);
        if (refusal !== undefined) return endInbound(call, refusal);
        // Answering at once with our own name is what tells the caller that the stream is up.
        call.sendMetadata(identify(self));
        events.accepted(from, call);
      },
      fetchSnapshot: (call: SnapshotCall) => {
        const from = callerOf(self, call.metadata);
        if (typeof from !== "number") return endInbound(call, from);
        call.sendMetadata(identify(self));
        const least = leastOf(call);
        if (typeof least !== "number") return endInbound(call, least);
        events.snapshotWanted(from, least, call);
      },
      changeMembers: questions.changeMembers,
      describe: questions.describe,
    });
  }

  /**
   * @param address host:port; port 0 for any free one
   * @returns the port
   * @throws ListenFailure with a sentence that names the address
   */
  listen(address: string): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(listenFailure("the peer port", address, error));
      });
    });
  }

  /**
   * Resolves when the port is closed and every connection is gone, but those whose other side is stopped or cut off:
   * grpc-js destroys no socket, so keepalive has to end them.
   */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(resolve, CLOSE_LIMIT_MS);
      this.#server.tryShutdown((error) => {
        clearTimeout(limit);
        if (error === undefined) resolve();
        else reject(error);
      });
      this.#server.forceShutdown();
    });
  }
}

/** The node that calls, or why it is not heard. */
function callerOf(self: NodeId, metadata: Metadata): NodeId | StreamEnd {
  const from = identityOf(metadata);
  if (from === undefined) {
    return { code: status.UNAUTHENTICATED, details: "folio-node-id must say who is calling, as a positive integer" };
  }
  if (from === self) {
    return { code: status.INVALID_ARGUMENT, details: `folio-node-id is ${from}, which is this node itself` };
  }
  return from;
}

function leastOf(call: SnapshotCall): LogIndex | StreamEnd {
  try {
    return decodeFetch(call.request);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { code: status.INVALID_ARGUMENT, details: `malformed request: ${reason}` };
  }
}

/** The way of grpc-js to end a call with a status. */
export function endInbound(call: InboundCall | SnapshotCall, end: StreamEnd): void {
  call.emit("error", Object.assign(new Error(end.details), end));
}
