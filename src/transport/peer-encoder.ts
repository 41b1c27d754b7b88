import { invariant, unreachable } from "../assert.js";
import { encodeConfiguration } from "../configuration-record.js";
import { Entry_Kind as WireKind, Message as WireMessage } from "../generated/folio/peer/v1/peer.js";
import type { AppendReply, AppendRequest, Entry, EntryBody } from "../raft/types.js";
import { messageToWire } from "./message-mapping.js";
import { TAG } from "./peer-tags.js";
import type { Forward, PeerMessage } from "./transport.js";
import { delimitedSize, varintSize, WireWriter } from "./wire.js";

/**
 * PeerMessage to folio.peer.v1.Frame, byte for byte what the generated code would write. Appends,
 * their replies and forwards are written here; the rest goes through the generated code.
 */

const EMPTY = new Uint8Array(0);

/** A message whose size is known; `write` puts down the Message without tag and length. */
interface Sized {
  readonly size: number;
  readonly write: (writer: WireWriter) => void;
}

/**
 * The messages in as few frames as the limit allows, in order; a message that is larger than the
 * limit is a frame of its own. No messages: one frame that carries the clock only.
 *
 * Frames may be concatenated: protobuf reads the result as one frame with the messages of all.
 */
export function encodeFrames(messages: readonly PeerMessage[], clock: number, limitBytes: number): Buffer[] {
  const frames: Buffer[] = [];
  let batch: Sized[] = [];
  let batchSize = 0;
  for (const message of messages) {
    const sized = sizeMessage(message);
    const size = 1 + delimitedSize(sized.size);
    if (batch.length > 0 && batchSize + size > limitBytes) {
      frames.push(writeFrame(batch, batchSize, clock));
      batch = [];
      batchSize = 0;
    }
    batch.push(sized);
    batchSize += size;
  }
  if (batch.length > 0 || frames.length === 0) frames.push(writeFrame(batch, batchSize, clock));
  return frames;
}

function writeFrame(batch: readonly Sized[], batchSize: number, clock: number): Buffer {
  const writer = new WireWriter(batchSize + fieldSize(clock));
  for (const { size, write } of batch) {
    writer.open(TAG.frame.messages, size);
    write(writer);
  }
  writer.field(TAG.frame.clock, clock);
  return writer.finish();
}

function fieldSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

function sizeMessage(message: PeerMessage): Sized {
  switch (message.type) {
    case "appendRequest":
      return sizeAppend(message);
    case "appendReply":
      return sizeReply(message);
    case "forward":
      return sizeForward(message);
    default: {
      const bytes = WireMessage.encode(messageToWire(message)).finish();
      return { size: bytes.byteLength, write: (writer) => writer.raw(bytes) };
    }
  }
}

interface WireEntry {
  readonly size: number;
  readonly term: number;
  readonly kind: WireKind;
  /** The payload as it stands in the log, not copied before it is written. */
  readonly payload: Uint8Array;
}

function sizeAppend(message: AppendRequest): Sized {
  const entries = message.entries.map(sizeEntry);
  let size = fieldSize(message.term) + fieldSize(message.prevLogIndex) + fieldSize(message.prevLogTerm);
  size += fieldSize(message.leaderCommit) + fieldSize(message.round);
  for (const entry of entries) size += 1 + delimitedSize(entry.size);
  return {
    size: 1 + delimitedSize(size),
    write: (writer) => {
      writer.open(TAG.message.append, size);
      writer.field(TAG.append.term, message.term);
      writer.field(TAG.append.prevLogIndex, message.prevLogIndex);
      writer.field(TAG.append.prevLogTerm, message.prevLogTerm);
      writer.field(TAG.append.leaderCommit, message.leaderCommit);
      writer.field(TAG.append.round, message.round);
      for (const entry of entries) writeEntry(writer, entry);
    },
  };
}

function sizeEntry(entry: Entry, offset: number, entries: readonly Entry[]): WireEntry {
  const first = entries[0];
  invariant(first !== undefined && entry.index === first.index + offset, "the entries of an append are consecutive");
  const { kind, payload } = wireBody(entry.body);
  const payloadSize = payload.byteLength === 0 ? 0 : 1 + delimitedSize(payload.byteLength);
  return { size: fieldSize(entry.term) + fieldSize(kind) + payloadSize, term: entry.term, kind, payload };
}

function writeEntry(writer: WireWriter, entry: WireEntry): void {
  writer.open(TAG.append.entries, entry.size);
  writer.field(TAG.entry.term, entry.term);
  writer.field(TAG.entry.kind, entry.kind);
  if (entry.payload.byteLength === 0) return;
  writer.open(TAG.entry.payload, entry.payload.byteLength);
  writer.raw(entry.payload);
}

function wireBody(body: EntryBody): { readonly kind: WireKind; readonly payload: Uint8Array } {
  switch (body.kind) {
    case "command":
      return { kind: WireKind.KIND_COMMAND, payload: body.payload };
    case "noop":
      return { kind: WireKind.KIND_NOOP, payload: EMPTY };
    case "configuration":
      return { kind: WireKind.KIND_CONFIGURATION, payload: encodeConfiguration(body.configuration) };
    default:
      return unreachable(body);
  }
}

function sizeReply({ term, round, outcome }: AppendReply): Sized {
  let conflictSize = 0;
  let outcomeSize: number;
  if (outcome.kind === "match") outcomeSize = 1 + varintSize(outcome.matchIndex);
  else if (outcome.kind === "installing") outcomeSize = 1 + varintSize(1);
  else {
    conflictSize = fieldSize(outcome.rejectedIndex) + fieldSize(outcome.hintIndex) + fieldSize(outcome.hintTerm);
    outcomeSize = 1 + delimitedSize(conflictSize);
  }
  const size = fieldSize(term) + fieldSize(round) + outcomeSize;
  return {
    size: 1 + delimitedSize(size),
    write: (writer) => {
      writer.open(TAG.message.reply, size);
      writer.field(TAG.reply.term, term);
      writer.field(TAG.reply.round, round);
      // A member of a oneof is written even when it is 0: its presence says which one it is.
      if (outcome.kind === "match") return writer.open(TAG.reply.match, outcome.matchIndex);
      if (outcome.kind === "installing") return writer.open(TAG.reply.installing, 1);
      writer.open(TAG.reply.conflict, conflictSize);
      writer.field(TAG.conflict.rejectedIndex, outcome.rejectedIndex);
      writer.field(TAG.conflict.hintIndex, outcome.hintIndex);
      writer.field(TAG.conflict.hintTerm, outcome.hintTerm);
    },
  };
}

function sizeForward({ forwardId, group, commandCount }: Forward): Sized {
  const groupSize = group.byteLength === 0 ? 0 : 1 + delimitedSize(group.byteLength);
  const size = fieldSize(forwardId) + groupSize + fieldSize(commandCount);
  return {
    size: 1 + delimitedSize(size),
    write: (writer) => {
      writer.open(TAG.message.forward, size);
      writer.field(TAG.forward.forwardId, forwardId);
      if (groupSize > 0) {
        writer.open(TAG.forward.group, group.byteLength);
        writer.raw(group);
      }
      writer.field(TAG.forward.commandCount, commandCount);
    },
  };
}
