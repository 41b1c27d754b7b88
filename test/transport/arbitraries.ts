import fc from "fast-check";
import type { Configuration, Entry, EntryBody } from "../../src/raft/types.js";
import type { PeerMessage } from "../../src/transport/transport.js";

/** Every kind of peer message, with the extremes of each field. `from` is 3 and `to` is 1 throughout. */

export const ENDS = { from: 3, to: 1 } as const;

/** Plain objects, as the decoder makes them. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true });
}

const count = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(0, 0x7f, 0x80, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1));
const positive = count.map((value) => Math.max(1, value));
const nodeId = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 });
const hash = fc.uint8Array({ minLength: 16, maxLength: 16 });
const digest = fc.option(record({ index: count, hash }), { nil: undefined });
const term = { from: fc.constant(ENDS.from), to: fc.constant(ENDS.to), term: count };

const configuration: fc.Arbitrary<Configuration> = record({
  clusterId: text,
  members: fc.array(record({ id: nodeId, kind: fc.constantFrom("voter", "learner"), storeId: text, address: text }), {
    maxLength: 5,
  }),
});

const body: fc.Arbitrary<EntryBody> = fc.oneof(
  fc.constant({ kind: "noop" } as const),
  record({ kind: fc.constant("command" as const), payload: bytes }),
  record({ kind: fc.constant("configuration" as const), configuration }),
);

const append = record({
  type: fc.constant("appendRequest" as const),
  ...term,
  // The entries' indices must stay safe integers.
  prevLogIndex: fc.oneof(
    fc.nat(300),
    fc.maxSafeNat().map((value) => Math.max(0, value - 10)),
  ),
  prevLogTerm: count,
  leaderCommit: count,
  round: count,
  bodies: fc.array(record({ term: positive, body }), { maxLength: 5 }),
}).map(({ bodies, ...message }) => ({
  ...message,
  entries: bodies.map((entry, offset): Entry => ({ index: message.prevLogIndex + 1 + offset, ...entry })),
}));

const type = <T extends PeerMessage["type"]>(name: T) => ({ type: fc.constant(name) });

export const peerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  append,
  record({
    ...type("appendReply"),
    ...term,
    round: count,
    outcome: fc.oneof(
      record({ kind: fc.constant("match" as const), matchIndex: count }),
      record({ kind: fc.constant("conflict" as const), rejectedIndex: count, hintIndex: count, hintTerm: count }),
      fc.constant({ kind: "installing" } as const),
    ),
  }),
  record({
    ...type("voteRequest"),
    ...term,
    preVote: fc.boolean(),
    lastLogIndex: count,
    lastLogTerm: count,
    leadershipTransfer: fc.boolean(),
  }),
  record({ ...type("voteReply"), ...term, preVote: fc.boolean(), granted: fc.boolean() }),
  record({ ...type("installSnapshot"), ...term, lastIncludedIndex: count, lastIncludedTerm: count, round: count }),
  record({ ...type("timeoutNow"), ...term }),
  record({ ...type("readRequest"), ...term, readId: count }),
  record({ ...type("readReply"), ...term, readId: count, readIndex: count }),
  record({
    ...type("forward"),
    forwardId: count,
    group: bytes,
    commandCount: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  }),
  record({
    ...type("forwardRejected"),
    forwardId: count,
    reason: fc.constantFrom("notLeader", "overloaded", "clockSkew"),
    leaderId: fc.option(nodeId, { nil: undefined }),
  }),
  record({
    ...type("hello"),
    nodeId,
    storeId: text,
    clusterId: text,
    empty: fc.boolean(),
    seen: fc.array(record({ nodeId, storeId: text }), { maxLength: 5 }),
    configuration: fc.option(configuration, { nil: undefined }),
    address: text,
    version: text,
  }),
  record({
    ...type("status"),
    role: fc.constantFrom("follower", "preCandidate", "candidate", "leader"),
    term: count,
    lastIndex: count,
    commitIndex: count,
    appliedIndex: count,
    matches: fc.array(record({ nodeId, matchIndex: count }), { maxLength: 5 }),
    restAddress: text,
    grpcAddress: text,
    ready: fc.boolean(),
    digests: record({ stateDigest: digest, rowsDigest: digest }),
  }).map(({ digests: { stateDigest, rowsDigest }, ...status }) => ({
    ...status,
    ...(stateDigest === undefined ? {} : { stateDigest }),
    ...(rowsDigest === undefined ? {} : { rowsDigest }),
  })),
);
