import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import fc from "fast-check";
import t from "tap";
import { Malformed } from "../../src/storage/level-files/byte-reader.js";
import { crc32c } from "../../src/storage/level-files/crc32c.js";
import { readManifest } from "../../src/storage/level-files/manifest.js";
import { readRecords } from "../../src/storage/level-files/record-log.js";
import { snappyUncompressed } from "../../src/storage/level-files/snappy.js";
import { checkTable } from "../../src/storage/level-files/table.js";
import { verifyLevel, verifyTables } from "../../src/storage/level-files/verification.js";
import { failureOf, type Test, temporaryDirectory } from "./fixtures.js";
import { damageTables } from "./raw-level.js";
import { recordLog } from "./record-log-writer.js";

type Level = ClassicLevel<string, Buffer>;

async function openLevel(directory: string): Promise<Level> {
  const level: Level = new ClassicLevel(directory, { keyEncoding: "utf8", valueEncoding: "buffer" });
  await level.open({ maxFileSize: 1024 * 1024, writeBufferSize: 1024 * 1024 });
  return level;
}

/** Half of it compressible, half not. */
function contentOf(row: number): Buffer {
  return Buffer.from(Array.from({ length: 200 }, (_, i) => (i < 100 ? 65 : (row * 7919 + i * 31 + (row ^ i)) & 255)));
}

async function fill(level: Level, from: number, count: number): Promise<void> {
  for (let row = from; row < from + count; row += 500) {
    const batch = level.batch();
    for (let i = row; i < row + 500; i++) batch.put(`row/${String(i).padStart(9, "0")}`, contentOf(i));
    await batch.write({ sync: false });
  }
}

/** A closed directory of a dozen tables, with something left in the write-ahead log. */
async function tables(t: Test): Promise<string> {
  const directory = join(await temporaryDirectory(t), "level");
  const level = await openLevel(directory);
  await fill(level, 0, 30_000);
  await level.compactRange("", "~");
  await fill(level, 30_000, 500);
  await level.close();
  return directory;
}

const noPause = async () => {};

async function tableNames(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith(".ldb")).sort();
}

async function oneTable(directory: string): Promise<Buffer> {
  const [name = ""] = await tableNames(directory);
  return readFile(join(directory, name));
}

t.test("CRC-32C is that of RFC 3720, over any part of an array", (t) => {
  t.equal(crc32c(Buffer.from("123456789"), 0, 9), 0xe3069283);
  t.equal(crc32c(Buffer.alloc(32), 0, 32), 0x8a9136aa);
  t.equal(crc32c(Buffer.alloc(32, 0xff), 0, 32), 0x62a8ab43);
  t.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0, 32), 0x46dd794e);
  t.equal(crc32c(Buffer.from("xx123456789yy"), 2, 11), 0xe3069283);
  t.equal(crc32c(Buffer.alloc(0), 0, 0), 0);
  t.end();
});

t.test("every kind of element of a compressed block is read", (t) => {
  const literal = (text: Buffer) => Buffer.concat([Buffer.from([(text.length - 1) << 2]), text]);
  const block = (length: number[], ...elements: Uint8Array[]) => Buffer.concat([Buffer.from(length), ...elements]);
  const text = (bytes: Buffer) => snappyUncompressed(bytes).toString();
  t.equal(text(block([0])), "");
  t.equal(text(block([3], literal(Buffer.from("abc")))), "abc");
  t.equal(
    text(block([10], literal(Buffer.from("ab")), Buffer.from([((8 - 4) << 2) | 1, 2]))),
    "ababababab",
    "overlapping",
  );
  t.equal(text(block([5], literal(Buffer.from("abc")), Buffer.from([(1 << 2) | 2, 3, 0]))), "abcab");
  t.equal(text(block([5], literal(Buffer.from("abc")), Buffer.from([(1 << 2) | 3, 2, 0, 0, 0]))), "abcbc");
  const long = Buffer.alloc(300, "x");
  t.equal(
    text(block([0xac, 2], Buffer.from([61 << 2, 43, 1]), long)),
    long.toString(),
    "a literal with a length of two bytes",
  );
  const refused = (bytes: Buffer, message: string) => t.throws(() => snappyUncompressed(bytes), Malformed, message);
  refused(block([9], literal(Buffer.from("abc"))), "ends early");
  refused(block([2], literal(Buffer.from("abc"))), "longer than it says");
  refused(block([5], literal(Buffer.from("abc")), Buffer.from([(1 << 2) | 2, 4, 0])), "copies from before its start");
  refused(block([5], literal(Buffer.from("abc")), Buffer.from([(1 << 2) | 2, 0, 0])), "copies from nowhere");
  refused(block([4], literal(Buffer.from("abc")), Buffer.from([(1 << 2) | 2, 1, 0])), "copies beyond its end");
  refused(block([5], Buffer.from([60 << 2])), "cut short");
  refused(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), "no number");
  refused(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f]), "a length that was never written");
  t.end();
});

t.test(
  "a sound directory verifies: all of its tables, compressed indexes included, closed and while it is open",
  async (t) => {
    const directory = await tables(t);
    const found = await verifyLevel(directory);
    const names = (await readdir(directory)).filter((name) => name.endsWith(".ldb"));
    t.equal(found.tables, names.length);
    t.ok(found.tables >= 2 && found.bytes > 1_000_000, `${found.tables} tables, ${found.bytes} bytes`);
    const level = await openLevel(directory);
    t.ok((await verifyTables(directory, { pause: noPause })).tables >= 2);
    await level.close();
  },
);

t.test("any flipped bit of a table is noticed, wherever it is", async (t) => {
  const table = await oneTable(await tables(t));
  const check = (bytes: Buffer) => {
    for (const _ of checkTable(bytes));
  };
  check(table);
  const places = [
    ...Array.from({ length: 300 }, (_, i) => Math.floor((i * table.length) / 300)),
    ...Array.from({ length: 48 }, (_, i) => table.length - 1 - i),
  ];
  for (const at of places) {
    const bit = 1 << (at % 8);
    table[at] = (table[at] ?? 0) ^ bit;
    t.throws(() => check(table), Malformed, `byte ${at} of ${table.length}`);
    table[at] = (table[at] ?? 0) ^ bit;
  }
  for (const length of [0, 10, 47, 48, 5000, table.length - 1]) {
    t.throws(() => check(table.subarray(0, length)), Malformed, `cut to ${length}`);
  }
});

t.test("a table that is damaged, cut, or gone while others have it open is told by name", async (t) => {
  const original = await tables(t);
  const [name = ""] = await tableNames(original);
  const cases: { what: RegExp; change: (file: string) => Promise<void> }[] = [
    { what: /\.ldb has a block at \d+ that fails its checksum/, change: (file) => flipped(file, 1000) },
    {
      what: /\.ldb has \d+ bytes and not the \d+/,
      change: async (file) => writeFile(file, (await readFile(file)).subarray(1)),
    },
    { what: /table \d+\.ldb is missing/, change: (file) => rm(file) },
  ];
  for (const { what, change } of cases) {
    const directory = `${original}-copy`;
    await cp(original, directory, { recursive: true });
    await change(join(directory, name));
    for (const verify of [() => verifyLevel(directory), () => verifyTables(directory, { pause: noPause })]) {
      const { code, message } = await failureOf(verify());
      t.equal(code, "DAMAGED");
      t.match(message, what);
      t.match(message, /folio repair --rejoin/);
    }
    await rm(directory, { recursive: true });
  }
});

async function flipped(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 4, at);
  await writeFile(file, bytes);
}

t.test("a table that a crash left behind half written, and that nothing names, is no damage", async (t) => {
  const directory = await tables(t);
  await writeFile(join(directory, "999999.ldb"), "half a tab");
  await verifyLevel(directory);
});

t.test("tables may come and go while they are verified in the background; damage among them is found", async (t) => {
  const directory = await tables(t);
  const level = await openLevel(directory);
  const before = new Set(await tableNames(directory));
  let pauses = 0;
  const found = await verifyTables(directory, {
    pause: async () => {
      pauses += 1;
      if (pauses !== 1) return;
      await fill(level, 0, 10_000);
      await level.compactRange("", "~");
    },
  });
  t.ok(pauses >= 1 && found.tables >= 1);
  t.ok(found.tables < before.size, "those that a compaction took were passed over");
  await damageTables(directory, 3000, 1);
  t.equal((await failureOf(verifyTables(directory, { pause: noPause }))).code, "DAMAGED");
  await level.close();
});

t.test("records of any size are read back, and a log that ends within its last record is torn there", async () => {
  const sizes = fc.array(
    fc.oneof(fc.nat({ max: 200 }), fc.integer({ min: 32_700, max: 32_780 }), fc.nat({ max: 100_000 })),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.property(sizes, fc.nat(), (lengths, cut) => {
      const records = lengths.map((length, i) => Buffer.alloc(length, i + 1));
      const file = recordLog(records);
      const whole = readRecords(file);
      if (whole.tornAt !== undefined || !sameRecords(whole.records, records)) throw new Error("whole");
      if (file.length === 0) return;
      const part = readRecords(file.subarray(0, cut % file.length));
      if (!sameRecords(part.records, records.slice(0, part.records.length))) throw new Error("a prefix");
    }),
    { numRuns: 60 },
  );
});

function sameRecords(found: readonly Buffer[], wanted: readonly Buffer[]): boolean {
  return found.length === wanted.length && found.every((record, i) => record.equals(wanted[i] ?? Buffer.alloc(0)));
}

t.test("damage before the last record is told apart from a torn last one, wherever it is", async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 30_000, max: 70_000 })), {
    minLength: 2,
    maxLength: 6,
  });
  await fc.assert(
    fc.property(sizes, fc.nat(), fc.integer({ min: 1, max: 255 }), (lengths, place, change) => {
      const records = lengths.map((length, i) =>
        Buffer.from(Array.from({ length }, (_, at) => (at * 31 + i * 7) & 255)),
      );
      const lastAt = recordLog(records.slice(0, -1)).length;
      const file = recordLog(records);
      const at = place % file.length;
      file.writeUInt8(file.readUInt8(at) ^ change, at);
      const told = toldOf(file);
      if (at >= lastAt) {
        const isHarmless = told === records.length;
        if (!isHarmless && told !== records.length - 1) throw new Error(`torn: ${told}`);
      } else if (told !== "damaged" && told !== records.length) {
        throw new Error(`byte ${at} before ${lastAt}: ${told}`);
      }
    }),
    { numRuns: 150 },
  );
});

/** How many records could be read, unless it is damage. */
function toldOf(file: Buffer): number | "damaged" {
  try {
    return readRecords(file).records.length;
  } catch (error) {
    if (error instanceof Malformed) return "damaged";
    throw error;
  }
}

t.test("a MANIFEST that holds nothing or something unknown is refused", (t) => {
  t.throws(() => readManifest(Buffer.alloc(0)), Malformed);
  t.throws(() => readManifest(Buffer.from("not a manifest at all")), Malformed);
  t.throws(() => readManifest(recordLog([Buffer.from([99, 1])])), /a field \(99\)/);
  t.throws(() => readManifest(recordLog([Buffer.from([7, 1, 5])])), Malformed);
  t.same(readManifest(recordLog([Buffer.from([2, 7])])), { tables: new Map(), logNumber: 7 });
  t.end();
});
