import { tag, WireType } from "./wire.js";

const { varint, lengthDelimited } = WireType;
/** Tags of peer.proto that are written and read by hand: all below 0x80, and so one byte each. */
export const TAG = {
  frame: { messages: tag(1, lengthDelimited), clock: tag(2, varint) },
  message: { append: tag(4, lengthDelimited), reply: tag(5, lengthDelimited), forward: tag(9, lengthDelimited) },
  append: {
    term: tag(1, varint),
    prevLogIndex: tag(2, varint),
    prevLogTerm: tag(3, varint),
    leaderCommit: tag(4, varint),
    round: tag(5, varint),
    entries: tag(6, lengthDelimited),
  },
  entry: { term: tag(1, varint), kind: tag(2, varint), payload: tag(3, lengthDelimited) },
  reply: {
    term: tag(1, varint),
    round: tag(2, varint),
    match: tag(3, varint),
    conflict: tag(4, lengthDelimited),
    installing: tag(5, varint),
  },
  conflict: { rejectedIndex: tag(1, varint), hintIndex: tag(2, varint), hintTerm: tag(3, varint) },
  forward: { forwardId: tag(1, varint), group: tag(2, lengthDelimited), commandCount: tag(3, varint) },
} as const;

/** Bodies of a Message that the generated code reads. */
export const RARE_MESSAGE_TAGS: ReadonlySet<number> = new Set(
  [1, 2, 3, 6, 7, 8, 10, 11, 12].map((field) => tag(field, lengthDelimited)),
);
