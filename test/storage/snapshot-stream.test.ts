import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { InvariantViolation } from "../../src/assert.js";
import { SnapshotDamaged } from "../../src/storage/snapshot-damaged.js";
import { readSnapshotFile, snapshotFile } from "../../src/storage/snapshot-file.js";
import type { SnapshotHeader } from "../../src/storage/snapshot-header.js";
import { SnapshotDecoder, SnapshotEncoder, type SnapshotPart } from "../../src/storage/snapshot-stream.js";
import type { StateRow } from "../../src/storage/state-store.js";
import { FOUNDING, temporaryDirectory } from "./fixtures.js";

const HEADER: SnapshotHeader = {
  clusterId: "c1",
  position: { index: 12, term: 3 },
  configuration: { ...FOUNDING, clusterId: "c1" },
  currentTerm: 4,
  time: 1_700_000_000_000,
  nodeId: 2,
  version: "0.1.0",
};

/** Rows in order, in pages of any size. */
const pages: fc.Arbitrary<StateRow[][]> = fc
  .uniqueArray(
    fc.record({
      key: fc.stringMatching(/^["-~][ -~]{0,12}$/),
      value: fc.uint8Array({ maxLength: 40 }),
    }),
    { selector: ({ key }) => key, maxLength: 30 },
  )
  .chain((rows) => {
    const sorted = rows.sort((a, b) => (a.key < b.key ? -1 : 1));
    return fc.integer({ min: 1, max: 10 }).map((size) => {
      const cut: StateRow[][] = [];
      for (let at = 0; at < sorted.length; at += size) cut.push(sorted.slice(at, at + size));
      return cut;
    });
  });

function chunksOf(all: readonly StateRow[][]): Uint8Array[] {
  const encoder = new SnapshotEncoder();
  return [encoder.header(HEADER), ...all.map((rows) => encoder.rows(rows)), encoder.end()];
}

function decoded(chunks: readonly Uint8Array[]): SnapshotPart[] {
  const decoder = new SnapshotDecoder();
  const parts = chunks.map((chunk) => decoder.take(chunk));
  decoder.finish();
  return parts;
}

function plainRows(rows: readonly StateRow[]): unknown[] {
  return rows.map(({ key, value }) => [key, Buffer.from(value).toString("hex")]);
}

function rowsIn(parts: readonly SnapshotPart[]): unknown[] {
  return parts.flatMap((part) => (part.kind === "rows" ? plainRows(part.rows) : []));
}

async function fileOf(all: readonly StateRow[][]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of snapshotFile(chunksOf(all))) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function readBack(file: Uint8Array, pieceBytes: number): Promise<SnapshotPart[]> {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < file.length; at += pieceBytes) pieces.push(file.subarray(at, at + pieceBytes));
  const parts: SnapshotPart[] = [];
  for await (const part of readSnapshotFile(Readable.from(pieces))) parts.push(part);
  return parts;
}

const SOME = [
  [
    { key: "a", value: Buffer.from("1") },
    { key: "b/1", value: Buffer.alloc(0) },
  ],
  [{ key: "c", value: Buffer.from("three") }],
];

function refusalOf(chunks: readonly Uint8Array[]): string {
  try {
    decoded(chunks);
  } catch (error) {
    if (error instanceof SnapshotDamaged) return error.message;
    throw error;
  }
  return "accepted";
}

t.test("whatever rows there are come out as they went in, with what they are a snapshot of", async () => {
  await fc.assert(
    fc.asyncProperty(pages, fc.integer({ min: 1, max: 500 }), async (all, pieceBytes) => {
      const wanted = JSON.stringify(plainRows(all.flat()));
      for (const parts of [decoded(chunksOf(all)), await readBack(await fileOf(all), pieceBytes)]) {
        const [first] = parts;
        if (first?.kind !== "header" || JSON.stringify(first.header) !== JSON.stringify(HEADER))
          throw new Error("header");
        const last = parts.at(-1);
        if (last?.kind !== "end" || last.rows !== all.flat().length) throw new Error("end");
        if (JSON.stringify(rowsIn(parts)) !== wanted) throw new Error("rows");
      }
    }),
    { numRuns: 100 },
  );
});

t.test("every flip of a bit in a file is noticed", async (t) => {
  const file = await fileOf(SOME);
  let noticed = 0;
  for (let bit = 0; bit < file.length * 8; bit++) {
    const damaged = Buffer.from(file);
    const at = bit >> 3;
    damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (bit & 7)), at);
    try {
      await readBack(damaged, 64);
    } catch (error) {
      if (!(error instanceof SnapshotDamaged)) throw error;
      noticed += 1;
    }
  }
  t.equal(noticed, file.length * 8);
});

t.test("any changed byte of any chunk is noticed by the chunk itself", async () => {
  fc.assert(
    fc.property(pages, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (all, which, at, change) => {
      const chunks = chunksOf(all);
      const place = which % chunks.length;
      const chunk = Buffer.from(chunks[place] ?? []);
      const byte = at % chunk.length;
      chunk.writeUInt8(chunk.readUInt8(byte) ^ change, byte);
      chunks[place] = chunk;
      if (refusalOf(chunks) === "accepted") throw new Error(`byte ${byte} of chunk ${place}`);
    }),
    { numRuns: 500 },
  );
});

t.test("a file that is cut off anywhere, or goes on behind its end, is told", async (t) => {
  const file = await fileOf(SOME);
  for (let length = 0; length < file.length; length++) {
    await t.rejects(readBack(file.subarray(0, length), 50), { name: "SnapshotDamaged" }, `cut off at ${length}`);
  }
  await t.rejects(readBack(Buffer.concat([file, Buffer.from([0])]), 50), {
    message: /holds a whole snapshot and something that does not belong to it behind it/,
  });
  await t.rejects(readBack(Buffer.concat([file, file]), 50), {
    message: "The file holds a whole snapshot and another one behind it: it must hold one and nothing else",
  });
  const twice = Buffer.concat([file, file.subarray(file.indexOf("\n") + 1)]);
  await t.rejects(readBack(twice, 50), { message: /something that does not belong to it behind it/ });
});

t.test("chunks that are missing, repeated, swapped or of another snapshot are told in a sentence", (t) => {
  const [header, first, second, end] = chunksOf(SOME);
  if (header === undefined || first === undefined || second === undefined || end === undefined) throw new Error();
  t.match(refusalOf([header, second, end]), /Chunk 1 of the snapshot is missing: chunk 2 is in its place/);
  t.match(refusalOf([header, first, first, second, end]), /Chunk 2 .* chunk 1 is in its place/);
  t.match(refusalOf([header, second, first, end]), /Chunk 1 .* chunk 2 is in its place/);
  t.match(refusalOf([first, second, end]), /Chunk 0 .* chunk 1/);
  t.match(refusalOf([header, first, second]), /cut off: it ends after 3 chunks, \d+ bytes/);
  t.match(refusalOf([header, first, second, end, end]), /follows the end/);
  t.match(refusalOf([]), /cut off/);
  const other = chunksOf([[{ key: "a", value: Buffer.from("2") }], SOME[1] ?? []]);
  t.match(refusalOf([header, other[1] ?? header, second, end]), /2 rows in \d+ bytes, though it was taken with 3/);
  const sameSize = chunksOf([
    [
      { key: "a", value: Buffer.from("X") },
      { key: "b/1", value: Buffer.alloc(0) },
    ],
    SOME[1] ?? [],
  ]);
  t.match(refusalOf([header, sameSize[1] ?? header, second, end]), /SHA-256 is another/);
  t.end();
});

/** A chunk of any content that verifies. */
function sealed(number: number, kind: number, body: Uint8Array): Buffer {
  const chunk = Buffer.concat([Buffer.alloc(9), body]);
  chunk.writeUInt32BE(number, 4);
  chunk.writeUInt8(kind, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4)), 0);
  return chunk;
}

t.test("what a later version may write is told apart from damage", async (t) => {
  const json = (fields: unknown) => sealed(0, 0, Buffer.from(JSON.stringify(fields)));
  t.match(refusalOf([json({ format: 2 })]), /of format 2, and this version of Folio reads format 1/);
  t.match(refusalOf([json({ format: "1" })]), /no number format/);
  t.match(refusalOf([json(null)]), /no list of fields/);
  t.match(refusalOf([sealed(0, 0, Buffer.from("{"))]), /cannot be read/);
  t.match(refusalOf([json({ format: 1, clusterId: "c" })]), /no text configuration|no number index/);
  const [header] = chunksOf([]);
  if (header === undefined) throw new Error();
  t.match(refusalOf([header, sealed(1, 7, Buffer.alloc(0))]), /kind that this version cannot read/);
  t.match(refusalOf([header, sealed(1, 0, Buffer.alloc(0))]), /not of the kind that belongs there/);
  t.match(refusalOf([header, sealed(1, 2, Buffer.alloc(3))]), /end of the snapshot has an unknown form/);
  t.match(refusalOf([header, sealed(1, 1, Buffer.from([0, 1]))]), /cut short/);
  t.match(refusalOf([header, sealed(1, 1, Buffer.from([0, 1, 0, 0, 0, 9, 0x61]))]), /cut short/);
  const row = (key: string) => Buffer.concat([Buffer.from([0, key.length, 0, 0, 0, 0]), Buffer.from(key)]);
  t.match(refusalOf([header, sealed(1, 1, row("!identity"))]), /which is no key/);
  t.match(refusalOf([header, sealed(1, 1, Buffer.concat([row("b"), row("a")]))]), /out of order: a after b/);
  t.match(refusalOf([header, sealed(1, 1, row("b")), sealed(2, 1, row("b"))]), /out of order: b after b/);
  await t.rejects(readBack(Buffer.from("folio snapshot 2\n...."), 50), { message: /of format 2, and this version/ });
  await t.rejects(readBack(Buffer.from("something else entirely"), 50), { message: /no snapshot of Folio/ });
});

t.test("chunks are made in order, and nothing follows the end", (t) => {
  const encoder = new SnapshotEncoder();
  t.throws(() => encoder.rows([]), InvariantViolation);
  t.throws(() => encoder.end(), InvariantViolation);
  encoder.header(HEADER);
  t.throws(() => encoder.header(HEADER), InvariantViolation);
  encoder.end();
  t.throws(() => encoder.rows([]), InvariantViolation);
  t.throws(() => encoder.end(), InvariantViolation);
  t.end();
});

t.test("a reader that stops early lets the file go", async (t) => {
  const path = join(await temporaryDirectory(t), "backup");
  await writeFile(path, await fileOf([[{ key: "a", value: Buffer.alloc(1_000_000) }]]));
  const stream = createReadStream(path);
  for await (const part of readSnapshotFile(stream)) if (part.kind === "header") break;
  t.equal(stream.destroyed, true);
});
