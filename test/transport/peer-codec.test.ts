import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { Frame } from "../../src/generated/folio/peer/v1/peer.js";
import type { AppendRequest } from "../../src/raft/types.js";
import { decodeFrame } from "../../src/transport/peer-decoder.js";
import { encodeFrames } from "../../src/transport/peer-encoder.js";
import type { Forward, PeerMessage } from "../../src/transport/transport.js";
import { MalformedFrame } from "../../src/transport/wire.js";
import { ENDS, peerMessage } from "./arbitraries.js";

const LIMIT_BYTES = 4 * 1024 * 1024;
const CLOCK = 1_760_000_000_000;

function encodeOne(messages: readonly PeerMessage[], clock = CLOCK): Buffer {
  const frames = encodeFrames(messages, clock, LIMIT_BYTES);
  assert.equal(frames.length, 1, "a small frame is not split");
  return frames[0] ?? Buffer.alloc(0);
}

function forwardOf(size: number, forwardId = 1): Forward {
  return { type: "forward", forwardId, group: new Uint8Array(size).fill(forwardId), commandCount: 1 };
}

function appendOf(payload: Uint8Array): AppendRequest {
  const entries = [{ index: 8, term: 2, body: { kind: "command", payload } as const }];
  const terms = { term: 2, prevLogIndex: 7, prevLogTerm: 2, leaderCommit: 7, round: 1 };
  return { type: "appendRequest", ...ENDS, ...terms, entries };
}

t.test("whatever is encoded is decoded to the same messages in the same order", async (t) => {
  const property = fc.property(fc.array(peerMessage, { maxLength: 6 }), fc.maxSafeNat(), (messages, clock) => {
    const decoded = decodeFrame(encodeOne(messages, clock), ENDS);
    assert.deepEqual(decoded, { messages, clock, unknownCount: 0 });
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
});

t.test("the hand-written encoding is byte for byte that of the generated code", async (t) => {
  const property = fc.property(fc.array(peerMessage, { maxLength: 6 }), fc.maxSafeNat(), (messages, clock) => {
    const bytes = encodeOne(messages, clock);
    assert.deepEqual(bytes.toString("hex"), Buffer.from(Frame.encode(Frame.decode(bytes)).finish()).toString("hex"));
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
});

t.test("bytes that are no frame are malformed, and nothing worse", async (t) => {
  const refused = (bytes: Uint8Array): void => {
    try {
      decodeFrame(bytes, ENDS);
    } catch (error) {
      assert.ok(error instanceof MalformedFrame, String(error));
    }
  };
  const random = fc.property(fc.uint8Array({ maxLength: 200 }), refused);
  t.doesNotThrow(() => fc.assert(random, { numRuns: 1_000 }));
  const damaged = fc.property(peerMessage, fc.nat(), fc.nat(255), (message, place, value) => {
    const bytes = encodeOne([message], 1);
    bytes[place % bytes.byteLength] = value;
    refused(bytes);
    refused(bytes.subarray(0, place % bytes.byteLength));
  });
  t.doesNotThrow(() => fc.assert(damaged, { numRuns: 1_000 }));
});

t.test("a nested length that passes the end of its parent is malformed", async (t) => {
  t.throws(() => decodeFrame(Buffer.from([0x0a, 0x7f, 0x22]), ENDS), MalformedFrame);
  t.throws(() => decodeFrame(Buffer.from([0x0a, 0x02, 0x22, 0x7f]), ENDS), MalformedFrame);
  t.throws(() => decodeFrame(Buffer.from([0x10, ...new Array<number>(8).fill(0xff), 0x01]), ENDS), /2\^53-1/);
  t.throws(() => decodeFrame(Buffer.from([0x10, ...new Array<number>(12).fill(0xff)]), ENDS), MalformedFrame);
  t.throws(() => decodeFrame(Buffer.from([0x00, 0x00]), ENDS), /number 0/);
});

t.test("an entry of a kind that this version cannot store is malformed, not skipped", async (t) => {
  const wire = (kind: number, term = 1): Uint8Array => {
    const append = { term: 1, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, round: 0 };
    const entries = [{ term, kind, payload: new Uint8Array(0) }];
    return Frame.encode({
      messages: [{ body: { $case: "appendRequest", value: { ...append, entries } } }],
      clock: 0,
    }).finish();
  };
  t.throws(() => decodeFrame(wire(9), ENDS), /kind 9/);
  t.throws(() => decodeFrame(wire(0), ENDS), /kind 0/);
  t.throws(() => decodeFrame(wire(1, 0), ENDS), /no term/);
  t.equal(decodeFrame(wire(1), ENDS).messages.length, 1);
});

t.test("a message and fields of a newer version are passed over and counted", async (t) => {
  const known = encodeOne([{ type: "timeoutNow", ...ENDS, term: 4 }]);
  const newMessage = Buffer.from([0x0a, 0x05, 0xfa, 0x01, 0x02, 0x08, 0x01]);
  const newFields = Buffer.concat([
    Buffer.from([0x18, ...new Array<number>(9).fill(0xff), 0x01]),
    Buffer.from([0x25, 1, 2, 3, 4]),
    Buffer.from([0x29, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([0x32, 2, 1, 2]),
  ]);
  const decoded = decodeFrame(Buffer.concat([newMessage, known, newFields]), ENDS);
  t.strictSame(decoded.messages, [{ type: "timeoutNow", ...ENDS, term: 4 }]);
  t.equal(decoded.unknownCount, 1);
  const replyWithoutOutcome = Buffer.from([0x0a, 0x04, 0x2a, 0x02, 0x08, 0x01]);
  t.strictSame(decodeFrame(replyWithoutOutcome, ENDS), { messages: [], clock: 0, unknownCount: 1 });
});

t.test("a forward refused for a reason that is not known yet is refused all the same", async (t) => {
  const value = { forwardId: 5, reason: 17, leaderId: 0 };
  const bytes = Frame.encode({ messages: [{ body: { $case: "forwardRejected", value } }], clock: 0 }).finish();
  const [message] = decodeFrame(bytes, ENDS).messages;
  t.strictSame(message, { type: "forwardRejected", forwardId: 5, reason: "overloaded", leaderId: undefined });
});

t.test("frames are filled up to the limit, and a message that is larger travels alone", async (t) => {
  const messages = [forwardOf(40, 1), forwardOf(40, 2), forwardOf(500, 3), forwardOf(10, 4), forwardOf(10, 5)];
  const frames = encodeFrames(messages, CLOCK, 120);
  const split = frames.map((frame) => decodeFrame(frame, ENDS).messages.length);
  t.strictSame(split, [2, 1, 2]);
  t.strictSame(
    frames.flatMap((frame) => decodeFrame(frame, ENDS).messages),
    messages,
  );
});

t.test("frames put end to end read as one frame with the messages of all and the last clock", async (t) => {
  const joined = Buffer.concat([encodeOne([forwardOf(3, 1)], 10), encodeOne([forwardOf(3, 2)], 20)]);
  const messages = [forwardOf(3, 1), forwardOf(3, 2)];
  t.strictSame(decodeFrame(joined, ENDS), { messages, clock: 20, unknownCount: 0 });
});

t.test("a frame without messages carries the clock", async (t) => {
  t.strictSame(decodeFrame(encodeOne([]), ENDS), { messages: [], clock: CLOCK, unknownCount: 0 });
});

t.test("a payload keeps at most twice its own size alive", async (t) => {
  for (const size of [0, 1, 100, 5_000, 100_000]) {
    const payload = new Uint8Array(size).fill(7);
    const [message] = decodeFrame(encodeOne([appendOf(payload), forwardOf(300)]), ENDS).messages;
    const entry = message?.type === "appendRequest" ? message.entries[0] : undefined;
    const kept = entry?.body.kind === "command" ? entry.body.payload : undefined;
    t.strictSame(kept, payload);
    t.ok((kept?.buffer.byteLength ?? Number.POSITIVE_INFINITY) <= 2 * size, `${size} bytes`);
  }
});

t.test("what cannot be a number of the protocol is a broken invariant, never wrong bytes", async (t) => {
  for (const forwardId of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.throws(() => encodeFrames([forwardOf(1, forwardId)], CLOCK, LIMIT_BYTES), /cannot be encoded/);
  }
  const append = appendOf(new Uint8Array(1));
  const gap = { ...append, entries: [...append.entries, ...append.entries] };
  t.throws(() => encodeFrames([gap], CLOCK, LIMIT_BYTES), /consecutive/);
});
