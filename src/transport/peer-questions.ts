import { type handleUnaryCall, type sendUnaryData, status } from "@grpc/grpc-js";
import { decodeChangeRequest, encodeChangeReply, encodeDescription } from "./membership-mapping.js";
import type { ChangeMembersRequest, TransportEvents } from "./transport.js";

/** Changes of membership that wait for their answer; the cluster makes one at a time anyway. */
const CHANGES_MAX = 16;

const STOPPING = { code: status.ABORTED, details: "this node is not running" };

/** Answers what anybody on the peer network may ask. The host is asked in a microtask of its own: grpc-js would swallow what it throws. */
export class PeerQuestions {
  readonly #events: () => TransportEvents | undefined;
  #changesUnderway = 0;

  /** @param events undefined while the transport does not run */
  constructor(events: () => TransportEvents | undefined) {
    this.#events = events;
  }

  readonly changeMembers: handleUnaryCall<Buffer, Buffer> = ({ request: bytes }, callback) => {
    const request = decodeOrRefuse(bytes, callback);
    if (request === undefined) return;
    if (this.#changesUnderway >= CHANGES_MAX) {
      callback({
        code: status.RESOURCE_EXHAUSTED,
        details: `${CHANGES_MAX} changes of membership are waiting already`,
      });
      return;
    }
    this.#changesUnderway += 1;
    queueMicrotask(() => {
      const events = this.#events();
      let isAnswered = false;
      const answer: sendUnaryData<Buffer> = (error, reply) => {
        if (isAnswered) return;
        isAnswered = true;
        this.#changesUnderway -= 1;
        callback(error, reply);
      };
      if (events === undefined) answer(STOPPING);
      else events.membersChangeRequested(request, (reply) => answer(null, encodeChangeReply(reply)));
    });
  };

  readonly describe: handleUnaryCall<Buffer, Buffer> = (_call, callback) => {
    queueMicrotask(() => {
      const events = this.#events();
      if (events === undefined) callback(STOPPING);
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
