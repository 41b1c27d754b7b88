import { type handleUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { decodeChangeRequest, encodeChangeReply, encodeDescription } from "./membership-mapping.js";
import type { ChangeMembersRequest, TransportEvents } from "./transport.js";

/** Changes of membership that wait for their answer; the cluster makes one at a time anyway. */
const CHANGES_MAX = 16;

/** Nothing was done. */
const NOT_RUNNING = { code: status.ABORTED, details: "this node is not running" };
/** The host was asked already. */
const STOPPING = { code: status.UNAVAILABLE, details: "the node is stopping" };

/**
 * Answers what anybody on the peer network may ask. The host is asked in a microtask of its own:
 * grpc-js would swallow what it throws.
 */
export class PeerQuestions {
  readonly #events: () => TransportEvents | undefined;
  readonly #changesUnderway = new Set<sendUnaryData<Buffer>>();

  /** @param events undefined while the transport does not run */
  constructor(events: () => TransportEvents | undefined) {
    this.#events = events;
  }

  readonly changeMembers: handleUnaryCall<Buffer, Buffer> = ({ request: bytes }, callback) => {
    const request = decodeOrRefuse(bytes, callback);
    if (request === undefined) return;
    if (this.#changesUnderway.size >= CHANGES_MAX) {
      const details = `${CHANGES_MAX} changes of membership are waiting already`;
      callback({ code: status.RESOURCE_EXHAUSTED, details });
      return;
    }
    const answer: sendUnaryData<Buffer> = (error, reply) => {
      if (this.#changesUnderway.delete(answer)) callback(error, reply);
    };
    this.#changesUnderway.add(answer);
    queueMicrotask(() => {
      const events = this.#events();
      if (events === undefined) answer(NOT_RUNNING);
      else events.membersChangeRequested(request, (reply) => answer(null, encodeChangeReply(reply)));
    });
  };

  /** What is not answered yet will not be: the callers learn it now. */
  end(): void {
    for (const answer of [...this.#changesUnderway]) answer(STOPPING);
  }

  readonly describe: handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
    queueMicrotask(() => {
      const events = this.#events();
      if (events === undefined) callback(NOT_RUNNING);
      else callback(null, encodeDescription(events.describeRequested()));
    });
  };
}

function decodeOrRefuse(bytes: Buffer, callback: sendUnaryData<Buffer>): ChangeMembersRequest | undefined {
  try {
    return decodeChangeRequest(bytes);
  } catch (error) {
    callback({ code: status.INVALID_ARGUMENT, details: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}
