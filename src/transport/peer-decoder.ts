import { decodeConfiguration } from "../configuration-record.js";
import { Entry_Kind as WireKind, Message as WireMessage } from "../generated/folio/peer/v1/peer.js";
import type { AppendReply, AppendRequest, Configuration, EntryBody } from "../raft/types.js";
import { messageFromWire, type StreamEnds } from "./message-mapping.js";
import { RARE_MESSAGE_TAGS, TAG } from "./peer-tags.js";
import type { Forward, PeerMessage } from "./transport.js";
import { MalformedFrame, WireReader } from "./wire.js";

/** folio.peer.v1.Frame to PeerMessage: the counterpart of peer-encoder.ts. */

const EMPTY = new Uint8Array(0);

export interface DecodedFrame {
  readonly messages: readonly PeerMessage[];
  /** The sender's wall clock, ms. */
  readonly clock: number;
  /** Messages of kinds that only a newer version knows; left out. */
  readonly unknownCount: number;
}

/**
 * Reads a frame, or several that were concatenated.
 *
 * A forward's group is a view into `bytes`: it lives only until the leader packs it. Payloads of
 * entries live on in the log's cache, so they are copied where they would pin much more than
 * themselves (see `ownPayload`).
 *
 * @param ends what the stream is known to connect; the wire does not say it
 * @throws MalformedFrame
 */
export function decodeFrame(bytes: Uint8Array, ends: StreamEnds): DecodedFrame {
  const reader = new WireReader(bytes);
  const messages: PeerMessage[] = [];
  let clock = 0;
  let unknownCount = 0;
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.frame.clock) clock = reader.varint();
    else if (field === TAG.frame.messages) {
      const message = readMessage(reader.bytes(), ends);
      if (message === undefined) unknownCount += 1;
      else messages.push(message);
    } else reader.skip(field);
  }
  return { messages, clock, unknownCount };
}

function readMessage(bytes: Uint8Array, ends: StreamEnds): PeerMessage | undefined {
  const reader = new WireReader(bytes);
  let message: PeerMessage | undefined;
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.message.append) message = nested(reader, ends, readAppend);
    else if (field === TAG.message.reply) message = nested(reader, ends, readReply);
    else if (field === TAG.message.forward) message = nested(reader, ends, readForward);
    else if (RARE_MESSAGE_TAGS.has(field)) return readRare(bytes, ends);
    else reader.skip(field);
  }
  return message;
}

function readRare(bytes: Uint8Array, ends: StreamEnds): PeerMessage | undefined {
  try {
    return messageFromWire(WireMessage.decode(bytes), ends);
  } catch (error) {
    // The generated decoder throws plain errors of several classes; whatever it is, the bytes are at fault.
    if (error instanceof MalformedFrame) throw error;
    throw new MalformedFrame(`a message cannot be read: ${String(error)}`, { cause: error });
  }
}

function nested<T>(reader: WireReader, ends: StreamEnds, read: (reader: WireReader, ends: StreamEnds) => T): T {
  const outer = reader.enter();
  const value = read(reader, ends);
  reader.leave(outer);
  return value;
}

function readAppend(reader: WireReader, { from, to }: StreamEnds): AppendRequest {
  let term = 0;
  let prevLogIndex = 0;
  let prevLogTerm = 0;
  let leaderCommit = 0;
  let round = 0;
  const bodies: { readonly term: number; readonly body: EntryBody }[] = [];
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.append.entries) bodies.push(readEntry(reader));
    else if (field === TAG.append.term) term = reader.varint();
    else if (field === TAG.append.prevLogIndex) prevLogIndex = reader.varint();
    else if (field === TAG.append.prevLogTerm) prevLogTerm = reader.varint();
    else if (field === TAG.append.leaderCommit) leaderCommit = reader.varint();
    else if (field === TAG.append.round) round = reader.varint();
    else reader.skip(field);
  }
  // An index does not travel: it follows from the place behind prevLogIndex.
  const entries = bodies.map((entry, offset) => ({ index: prevLogIndex + 1 + offset, ...entry }));
  return { type: "appendRequest", from, to, term, prevLogIndex, prevLogTerm, leaderCommit, round, entries };
}

function readEntry(reader: WireReader): { readonly term: number; readonly body: EntryBody } {
  const outer = reader.enter();
  let term = 0;
  let kind = 0;
  let payload: Uint8Array = EMPTY;
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.entry.payload) payload = reader.bytes();
    else if (field === TAG.entry.term) term = reader.varint();
    else if (field === TAG.entry.kind) kind = reader.varint();
    else reader.skip(field);
  }
  reader.leave(outer);
  if (term === 0) throw new MalformedFrame("an entry has no term");
  if (kind === WireKind.KIND_COMMAND) return { term, body: { kind: "command", payload: ownPayload(payload) } };
  if (kind === WireKind.KIND_NOOP) return { term, body: { kind: "noop" } };
  if (kind !== WireKind.KIND_CONFIGURATION) {
    throw new MalformedFrame(`an entry is of kind ${kind}, which this version cannot store`);
  }
  return { term, body: { kind: "configuration", configuration: readConfiguration(payload) } };
}

function readConfiguration(payload: Uint8Array): Configuration {
  try {
    return decodeConfiguration(payload);
  } catch (error) {
    if (error instanceof MalformedFrame) throw error;
    throw new MalformedFrame(`a configuration cannot be read: ${String(error)}`, { cause: error });
  }
}

/**
 * A payload that outlives the frame. A view would keep the whole receive buffer alive (and a small
 * buffer sits in a slab that Node shares out), so a cache bounded by payload bytes could hold many
 * times its bound: a view is kept only where the payload is at least half of what it keeps alive.
 */
function ownPayload(payload: Uint8Array): Uint8Array {
  return payload.byteLength * 2 < payload.buffer.byteLength ? new Uint8Array(payload) : payload;
}

function readReply(reader: WireReader, { from, to }: StreamEnds): AppendReply | undefined {
  let term = 0;
  let round = 0;
  let outcome: AppendReply["outcome"] | undefined;
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.reply.match) outcome = { kind: "match", matchIndex: reader.varint() };
    else if (field === TAG.reply.term) term = reader.varint();
    else if (field === TAG.reply.round) round = reader.varint();
    else if (field === TAG.reply.conflict) outcome = readConflict(reader);
    else if (field === TAG.reply.installing) outcome = readInstalling(reader);
    else reader.skip(field);
  }
  // No outcome: one that only a newer version knows.
  return outcome === undefined ? undefined : { type: "appendReply", from, to, term, round, outcome };
}

function readConflict(reader: WireReader): AppendReply["outcome"] {
  const outer = reader.enter();
  let rejectedIndex = 0;
  let hintIndex = 0;
  let hintTerm = 0;
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.conflict.rejectedIndex) rejectedIndex = reader.varint();
    else if (field === TAG.conflict.hintIndex) hintIndex = reader.varint();
    else if (field === TAG.conflict.hintTerm) hintTerm = reader.varint();
    else reader.skip(field);
  }
  reader.leave(outer);
  return { kind: "conflict", rejectedIndex, hintIndex, hintTerm };
}

function readInstalling(reader: WireReader): AppendReply["outcome"] {
  reader.varint();
  return { kind: "installing" };
}

function readForward(reader: WireReader): Forward {
  let forwardId = 0;
  let group: Uint8Array = EMPTY;
  let commandCount = 0;
  while (reader.more) {
    const field = reader.varint();
    if (field === TAG.forward.group) group = reader.bytes();
    else if (field === TAG.forward.forwardId) forwardId = reader.varint();
    else if (field === TAG.forward.commandCount) commandCount = reader.varint();
    else reader.skip(field);
  }
  return { type: "forward", forwardId, group, commandCount };
}
