import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import t from "tap";
import { openLevelLogStore } from "../../src/storage/level-log-store.js";
import { encodeRecord, recordKey } from "../../src/storage/log-record.js";
import type { LogStore } from "../../src/storage/log-store.js";
import { seal, unsealedRow, valueIn } from "../../src/storage/sealed-row.js";
import {
  command,
  FOUNDING,
  failureOf,
  fillLog,
  foundLog,
  OTHER_STORE_ID,
  plain,
  STORE_ID,
  type Test,
  temporaryDirectory,
  thrownBy,
  writeLog,
} from "./fixtures.js";
import {
  cutWriteAheadLog,
  damageTables,
  damageWriteAheadLog,
  flipBit,
  loseBatch,
  stored,
  tamper,
} from "./raw-level.js";

function open(directory: string): Promise<LogStore> {
  return openLevelLogStore({ directory, nodeId: 1, randomId: () => STORE_ID });
}

/** A closed log of five entries. */
async function closedLog(t: Test): Promise<string> {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await foundLog(store, FOUNDING);
  await fillLog(store, 5);
  await store.close();
  return directory;
}

type Level = Parameters<Parameters<typeof tamper>[1]>[0];

async function refusal(directory: string) {
  return failureOf(open(directory).then((store) => store.close()));
}

const BODY_AT = 22;

t.test(
  "every kind of damage to a record stops the open, and the message names the entry and the way out",
  async (t) => {
    const cases: { what: string; says: RegExp; change: Parameters<typeof tamper>[1] }[] = [
      {
        what: "a flipped bit in the payload",
        says: /entry 3 fails its checksum/,
        change: (level) => flipBit(level, recordKey(3), BODY_AT),
      },
      {
        what: "a flipped bit in the framing",
        says: /entry 4 fails its checksum/,
        change: (level) => flipBit(level, recordKey(4), 11),
      },
      {
        what: "a record cut short",
        says: /entry 2 is cut short/,
        change: async (level) => level.put(recordKey(2), (await stored(level, recordKey(2))).subarray(0, 10)),
      },
      {
        what: "a hole",
        says: /entry 3 is missing, though the row entry\/0+4 /,
        change: (level) => level.del(recordKey(3)),
      },
      { what: "a missing first entry", says: /entry 1 is missing/, change: (level) => level.del(recordKey(1)) },
      {
        what: "a record beyond a gap",
        says: /entry 6 is missing, though the row entry\/0+9 /,
        change: (level) => level.put(recordKey(9), encodeRecord(command(9, 1), 0)),
      },
      {
        what: "a lost end, though its head is there",
        says: /ends at entry 4, though its last write ended at entry 5/,
        change: (level) => level.del(recordKey(5)),
      },
      {
        what: "an intact record that does not continue the one before it",
        says: /entry 3 does not continue the entry 2 before it \(broken link\)/,
        change: (level) => level.put(recordKey(3), encodeRecord(command(3, 1), 12345)),
      },
      {
        what: "an intact last record that is another than was written",
        says: /another entry 5 than its last write/,
        change: async (level) => {
          const link = (await stored(level, recordKey(5))).readUInt32BE(4);
          await level.put(recordKey(5), encodeRecord(command(5, 1, "other"), link));
        },
      },
      {
        what: "a record under another entry's key",
        says: /entry 2 is really entry 3/,
        change: async (level) => level.put(recordKey(2), await stored(level, recordKey(3))),
      },
      {
        what: "a damaged hard state",
        says: /hard state .*fails its checksum/,
        change: (level) => flipBit(level, "head", 3),
      },
      { what: "a lost hard state", says: /hard state .*missing.*entry 5/, change: (level) => level.del("head") },
      {
        what: "a damaged base",
        says: /base of the log fails its checksum/,
        change: (level) => flipBit(level, "base", -1),
      },
      { what: "a lost base", says: /base of the log is missing/, change: (level) => level.del("base") },
      { what: "a damaged identity", says: /identity .*damaged/, change: (level) => flipBit(level, "!identity", 8) },
      { what: "a lost identity", says: /identity .*missing/, change: (level) => level.del("!identity") },
    ];
    const original = await closedLog(t);
    for (const { what, says, change } of cases) {
      const directory = `${original}-copy`;
      await cp(original, directory, { recursive: true });
      await tamper(directory, change);
      const { code, message } = await refusal(directory);
      t.equal(code, "DAMAGED", what);
      t.match(message, says, what);
      t.match(message, /rejoin the cluster/, "the way out");
      await rm(directory, { recursive: true });
    }
    const store = await open(original);
    t.equal(store.recovery.terms.length, 5, "the original opens");
    await store.close();
  },
);

t.test("a log of another node is foreign, whatever else is in it", async (t) => {
  const directory = await closedLog(t);
  const other = openLevelLogStore({ directory, nodeId: 3, randomId: () => OTHER_STORE_ID });
  const { code, message } = await failureOf(other);
  t.equal(code, "FOREIGN");
  t.match(message, /belongs to node 1, not to node 3.*NODE_ID and DATA_DIR/);
});

t.test("a directory that another process has open, or that a newer version wrote, is not opened", async (t) => {
  const directory = await closedLog(t);
  const store = await open(directory);
  const locked = await refusal(directory);
  t.equal(locked.code, "OPEN_FAILED");
  t.match(locked.message, /another process has it open/);
  await store.close();

  const identity = Buffer.from(`folio log format=2 node=1 store=${STORE_ID}`);
  await tamper(directory, (level) => level.put("!identity", seal("!identity", unsealedRow(identity))));
  const newer = await refusal(directory);
  t.equal(newer.code, "OPEN_FAILED");
  t.match(newer.message, /format 2 by a newer version; this one reads up to format 1/);

  const blocked = join(await temporaryDirectory(t), "file");
  await writeFile(blocked, "not a directory");
  t.equal((await refusal(blocked)).code, "OPEN_FAILED");
});

t.test("a directory without LevelDB's own index of files is not taken for a new one", async (t) => {
  const directory = await closedLog(t);
  await rm(join(directory, "CURRENT"));
  const before = await readdir(directory);
  const { code, message } = await refusal(directory);
  t.equal(code, "DAMAGED");
  t.match(message, /CURRENT is missing/);
  t.same(await readdir(directory), before, "LevelDB did not get to see it");
});

t.test("LevelDB goes by the options that it is given: one write-ahead log up to the write buffer", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await fillLog(store, 1);
  for (let index = 2; index <= 11; index++) {
    await writeLog(store, { entries: [command(index, 1, "x".repeat(1024 * 1024))] });
  }
  t.same(
    (await readdir(directory)).filter((name) => /\.(log|ldb)$/.test(name)),
    ["000003.log"],
    "10 MiB are more than LevelDB's own default holds",
  );
  await store.close();
});

t.test("a directory whose creation was cut off is still a new one", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const level = new ClassicLevel(directory);
  await level.open();
  await level.close();
  const store = await open(directory);
  t.equal(store.recovery.empty, true);
  await store.close();

  const earlier = join(await temporaryDirectory(t), "log");
  await mkdir(earlier);
  await writeFile(join(earlier, "MANIFEST-000001"), "");
  await (await open(earlier)).close();
});

t.test("a store that was never closed properly opens with everything that was acknowledged", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await fillLog(store, 20);
  const copy = `${directory}-killed`;
  await cp(directory, copy, { recursive: true });
  await store.close();
  const again = await open(copy);
  t.equal(again.recovery.terms.length, 20);
  t.same(plain(again.read(20, 20)), plain([command(20, 1, "x")]));
  await again.close();
});

t.test("a torn last write is dropped as a whole: the log ends before it", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await fillLog(store, 20);
  const copy = `${directory}-torn`;
  await cp(directory, copy, { recursive: true });
  await store.close();
  await cutWriteAheadLog(copy, 3);
  const again = await open(copy);
  t.equal(again.recovery.terms.length, 19);
  t.same(again.recovery.hardState, { term: 1, votedFor: 1 });
  await again.close();
});

t.test("a write-ahead log that lost its middle, which LevelDB keeps quiet about, is damage", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await fillLog(store, 200, "x".repeat(1000));
  const copy = `${directory}-damaged`;
  await cp(directory, copy, { recursive: true });
  await store.close();
  const lost = `${directory}-lost`;
  await cp(copy, lost, { recursive: true });
  await damageWriteAheadLog(copy, (bytes) => bytes.fill(0, 100_000, 100_010));
  const { code, message } = await refusal(copy);
  t.equal(code, "DAMAGED");
  t.match(message, /000003\.log is damaged at byte \d+, though a later record at \d+ is whole/);
  await loseBatch(lost, 100);
  t.match((await refusal(lost)).message, /Log entry \d+ is missing, though the row entry\/\d+ is there/);
});

t.test("a cut that was lost from the middle is told by every later write", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await foundLog(store, FOUNDING);
  await fillLog(store, 10);
  const base = { position: { index: 5, term: 1 }, configuration: FOUNDING, keepsTail: true, stateGeneration: 1 };
  await writeLog(store, { base, entries: [] });
  await writeLog(store, { entries: [command(11, 1)] });
  const copy = `${directory}-damaged`;
  await cp(directory, copy, { recursive: true });
  await store.close();
  const batchesBeforeTheCut = 1 + 1 + 1 + 10;
  await loseBatch(copy, batchesBeforeTheCut);
  const { code, message } = await refusal(copy);
  t.equal(code, "DAMAGED");
  t.match(message, /base of the log is missing, or another one than the log's last write knew/);
});

t.test("records of the version before are read, and a later version's are not taken for damage", async (t) => {
  const directory = await closedLog(t);
  const asBefore = async (level: Level, key: string, change: (body: Buffer) => Buffer) => {
    const body = change(Buffer.from(valueIn(await stored(level, key))));
    await level.put(key, seal(key, unsealedRow(body)));
  };
  const versioned = (version: number) => (body: Buffer) => {
    body.writeUInt8(version, 0);
    return body;
  };
  await tamper(directory, async (level) => {
    await asBefore(level, "base", (body) => versioned(1)(Buffer.concat([body.subarray(0, 17), body.subarray(23)])));
    await asBefore(level, "head", (body) => versioned(1)(body.subarray(0, -4)));
  });
  const store = await open(directory);
  t.same(store.recovery.baseConfiguration, FOUNDING);
  t.same(store.recovery.hardState, { term: 1, votedFor: 1 });
  t.equal(store.recovery.stateGeneration, 0);
  await writeLog(store, { entries: [command(6, 1)] });
  await store.close();
  const again = await open(directory);
  t.equal(again.recovery.terms.length, 6);
  await again.close();
  for (const key of ["base", "head"]) {
    await tamper(directory, (level) => asBefore(level, key, versioned(3)));
    const { code, message } = await refusal(directory);
    t.equal(code, "OPEN_FAILED");
    t.match(message, /is of version 3 .* written by a newer version of Folio; this one reads up to version 2/);
    await tamper(directory, (level) => asBefore(level, key, versioned(2)));
  }
});

t.test("a vote whose write was lost from the middle survives in the head of every later write", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  for (let term = 1; term <= 1000; term++) {
    await writeLog(store, { hardState: { term, votedFor: (term % 3) + 1 }, entries: [] });
  }
  const copy = `${directory}-damaged`;
  await cp(directory, copy, { recursive: true });
  await store.close();
  for (let lost = 0; lost < 20; lost++) await loseBatch(copy, 700 + lost);
  const again = await open(copy);
  t.same(again.recovery.hardState, { term: 1000, votedFor: (1000 % 3) + 1 });
  await again.close();
});

t.test("a read checks again: a record that changed since the open is damage", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await writeLog(store, { hardState: { term: 1, votedFor: 1 }, entries: [] });
  for (let index = 1; index <= 40; index++) {
    const payload = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 7919 * index) % 251));
    await writeLog(store, { entries: [{ index, term: 1, body: { kind: "command", payload } }] });
  }
  await store.close();
  const again = await open(directory);
  await damageTables(directory, 2000, 10_000);
  const { code, message } = thrownBy(() => again.read(1, 40));
  t.equal(code, "DAMAGED");
  t.match(message, /entry[ /]0*\d+/);
  await again.close();
});

t.test("after a failed write every later one fails, and what was durable can still be read", async (t) => {
  const directory = join(await temporaryDirectory(t), "log");
  const store = await open(directory);
  await fillLog(store, 1);
  // LevelDB fails when it has to begin a new file, which it does within two full write buffers.
  await rm(directory, { recursive: true });
  let index = 1;
  const large = "x".repeat(8 * 1024 * 1024);
  const failure = await failureOf(
    (async () => {
      while (index < 20) await writeLog(store, { entries: [command(++index, 1, large)] });
    })(),
  );
  t.equal(failure.code, "WRITE_FAILED");
  t.match(failure.message, /could not be written/);
  let within = true;
  const again = new Promise((resolve) => {
    store.write({ hardState: { term: 9, votedFor: 1 }, entries: [] }, (later) => resolve([within, later]));
  });
  within = false;
  t.same(await again, [false, failure], "not synchronously, and with the first failure");
  t.equal(await failureOf(new Promise((_, reject) => store.found(FOUNDING, reject))), failure);
  t.same(plain(store.read(1, 1)), plain([command(1, 1, "x")]));
  await store.close();
});
