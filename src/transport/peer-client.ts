import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { connectionTrouble } from "./connection-trouble.js";
import { decodeChangeReply, decodeDescription, encodeChangeRequest } from "./membership-mapping.js";
import { DIALLER_OPTIONS, PEER_SERVICE } from "./peer-protocol.js";
import {
  type ChangeMembersReply,
  type ChangeMembersRequest,
  type Description,
  PeerCallFailure,
  type PeerCalls,
} from "./transport.js";

type Question = (typeof PEER_SERVICE)["changeMembers" | "describe"];

/** What grpc-js says when nothing has left this node. */
const NEVER_SENT = /^(No connection established|Name resolution failed)/;
/** With these the other node says that it did nothing. */
const REFUSALS: ReadonlySet<status> = new Set([
  ...[status.INVALID_ARGUMENT, status.FAILED_PRECONDITION, status.RESOURCE_EXHAUSTED, status.ABORTED],
]);

/** Asks nodes by their address, over a channel per question: names are resolved anew each time. */
export class PeerClient implements PeerCalls {
  async changeMembers(address: string, request: ChangeMembersRequest, deadlineMs: number): Promise<ChangeMembersReply> {
    const call = { address, deadlineMs, question: PEER_SERVICE.changeMembers, bytes: encodeChangeRequest(request) };
    return this.#ask(call, decodeChangeReply);
  }

  async describe(address: string, deadlineMs: number): Promise<Description> {
    const call = { address, deadlineMs, question: PEER_SERVICE.describe, bytes: Buffer.alloc(0) };
    return this.#ask(call, decodeDescription);
  }

  #ask<Answer>(
    call: {
      readonly address: string;
      readonly deadlineMs: number;
      readonly question: Question;
      readonly bytes: Buffer;
    },
    decode: (bytes: Uint8Array) => Answer,
  ): Promise<Answer> {
    const { address, deadlineMs, question, bytes } = call;
    const { path, requestSerialize, responseDeserialize } = question;
    return new Promise<Answer>((resolve, reject) => {
      const client = new Client(`dns:${address}`, credentials.createInsecure(), DIALLER_OPTIONS);
      const options = { deadline: Date.now() + deadlineMs };
      const answered = (error: ServiceError | null, reply?: Buffer): void => {
        client.close();
        if (error !== null || reply === undefined) {
          reject(failureOf(address, deadlineMs, error));
          return;
        }
        try {
          resolve(decode(reply));
        } catch (unreadable) {
          const details = unreadable instanceof Error ? unreadable.message : String(unreadable);
          reject(new PeerCallFailure("unanswered", `${address} answered what this version cannot read: ${details}`));
        }
      };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, bytes, new Metadata(), options, answered);
    });
  }
}

function failureOf(address: string, deadlineMs: number, error: ServiceError | null): PeerCallFailure {
  const details = error?.details ?? "no answer";
  if (error?.code === status.DEADLINE_EXCEEDED) {
    return new PeerCallFailure("unanswered", `${address} did not answer within ${deadlineMs} ms`);
  }
  if (error?.code === status.UNAVAILABLE && NEVER_SENT.test(details)) {
    return new PeerCallFailure("unreachable", `${address} cannot be reached: ${connectionTrouble(details)}`);
  }
  if (error?.code === status.UNIMPLEMENTED) {
    const what = "what listens there does not know the question: no peer port, or that of an older version";
    return new PeerCallFailure("refused", `${address} refused: ${what}`);
  }
  if (error !== null && REFUSALS.has(error.code)) {
    return new PeerCallFailure("refused", `${address} refused: ${details}`);
  }
  return new PeerCallFailure("unanswered", `${address} was lost before it answered: ${details}`);
}
