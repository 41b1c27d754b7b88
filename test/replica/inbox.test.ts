import t from "tap";
import { type ForwardedGroup, Inbox } from "../../src/replica/inbox.js";

const group = (from: number, text: string, registersSession = false): ForwardedGroup => ({
  from,
  forwardId: 0,
  bytes: new TextEncoder().encode(text),
  commandCount: 1,
  registersSession,
});

const LIMIT = { commands: 100, bytes: 10_000 };
const taken = (inbox: Inbox) => inbox.take(LIMIT).map(({ bytes }) => new TextDecoder().decode(bytes));

t.test("of a node's repeated registrations only the newest waits, where the first one did", async (t) => {
  const inbox = new Inbox();
  inbox.add(group(1, "one registers", true));
  inbox.add(group(2, "two draws"));
  inbox.add(group(1, "one registers again", true));
  inbox.add(group(3, "three registers", true));
  t.same(taken(inbox), ["one registers again"]);
  t.same(taken(inbox), ["two draws"]);
  t.same(taken(inbox), ["three registers"]);
  t.equal(inbox.isEmpty, true);
});
