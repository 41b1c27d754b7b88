import { createHash } from "node:crypto";
import t from "tap";
import { Batch, JournalBlock } from "../../src/generated/folio/log/v1/log.js";
import { journalKey, readJournal } from "../../src/machine/journal.js";
import { entry, group, registrationOf, World } from "./world.js";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

t.test("a block tells every command of its entry, with its record; what did not act has none", async (t) => {
  const world = new World();
  world.apply(entry(1, 100, registrationOf(1, "this life")));
  world.apply(
    entry(
      2,
      123,
      group(1, 1, [[1, "one"]]),
      group(1, 1, [
        [1, "one again"],
        [2, "two"],
      ]),
      group(9, 1, [[1, "nobody's"]]),
    ),
  );
  const block = readJournal(world.state, 2);
  t.equal(block?.time, 123);
  t.same(
    block?.commands.map(({ ordinal, session, request, payload, record }) => [
      ordinal,
      session,
      request,
      decode(payload),
      decode(record),
    ]),
    [
      [0, 1, 1, "one", "1"],
      [1, 1, 1, "one again", ""],
      [2, 1, 2, "two", "2"],
      [3, 9, 1, "nobody's", ""],
    ],
  );
  t.equal(readJournal(world.state, 1)?.commands[0]?.machine, 0, "registrations are journalled as well");
  t.equal(readJournal(world.state, 3), undefined);
});

t.test("each block is linked to the one before it, over entries that left none, and over a restart", async (t) => {
  let world = new World();
  world.apply(entry(1, 100, registrationOf(1, "this life")));
  world.apply({ index: 2, term: 1, body: { kind: "noop" } });
  world.apply(entry(3, 100, group(1, 1, [[1, "one"]])));
  world.checkpoint();
  world = world.reopened();
  world.apply(entry(4, 100, group(1, 1, [[2, "two"]])));
  let previous: Uint8Array = new Uint8Array();
  for (const index of [1, 3, 4]) {
    const bytes = world.state.get(journalKey(index));
    if (bytes === undefined) throw new Error(`there is no block ${index}`);
    t.same(Buffer.from(JournalBlock.decode(bytes).previousHash), Buffer.from(previous), `block ${index}`);
    previous = createHash("sha256").update(bytes).digest();
  }
});

t.test("a block carries the entry's own bytes", async (t) => {
  const world = new World();
  world.apply(entry(1, 100, registrationOf(1, "this life")));
  const payload = Batch.encode({ time: 7, groups: [group(1, 1, [[1, "one"]])] }).finish();
  world.apply({ index: 2, term: 1, body: { kind: "command", payload } });
  const bytes = world.state.get(journalKey(2));
  t.same(bytes && Buffer.from(JournalBlock.decode(bytes).payload), Buffer.from(payload));
  t.equal(bytes && JournalBlock.decode(bytes).time, 100, "the effective time, not the stamp");
});
