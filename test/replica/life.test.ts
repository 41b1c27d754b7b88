import t from "tap";
import { Life } from "../../src/replica/life.js";

t.test("a node whose waiters throw as it falls silent is told to end all the same, with the first failure", (t) => {
  const failures: string[] = [];
  const life = new Life({
    silence: () => {
      throw new Error("who waits is broken");
    },
    fatal: ({ message }) => failures.push(message),
  });
  t.throws(() => life.fail(new Error("the disk is full")), { message: "who waits is broken" });
  life.fail(new Error("again"));
  t.strictSame(failures, ["the disk is full"]);
  t.ok(life.isStopped);
  t.end();
});

t.test("nobody waits for ever for a stop during which a waiter throws", async (t) => {
  const life = new Life({
    silence: () => {
      throw new Error("who waits is broken");
    },
    fatal: () => t.fail("a stop is no failure"),
  });
  let lastWorkIsDone: () => void = () => t.fail("there is last work");
  const stopped = life.stop((done) => {
    lastWorkIsDone = done;
  });
  t.throws(() => lastWorkIsDone(), { message: "who waits is broken" });
  await stopped;
  t.ok(life.isStopped);
});
