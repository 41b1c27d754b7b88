import { GetNextRequest } from "../src/generated/sequentialid/sequential_id.js";
import { clientId } from "./load.js";

export const getNextPath = "/sequentialid.SequentialIDService/GetNext";

const frameHeaderBytes = 5;

/** One GetNext request as it stands in an HTTP/2 body: not compressed, its length, the message. */
export function getNextFrame(prefix: string): Buffer {
  const message = GetNextRequest.encode(GetNextRequest.fromPartial({ prefix, clientId })).finish();
  const frame = Buffer.alloc(frameHeaderBytes + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, frameHeaderBytes);
  return frame;
}

/** How requests under way are spread: few connections with many streams, as gRPC clients have them. */
export function spread(inFlight: number): { readonly connections: number; readonly streams: number } {
  const connections = Math.min(4, inFlight);
  return { connections, streams: Math.ceil(inFlight / connections) };
}
