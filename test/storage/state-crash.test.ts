import fc from "fast-check";
import t from "tap";
import { MemoryDisk } from "../../src/storage/memory-disk.js";
import { openMemoryLogStore } from "../../src/storage/memory-log-store.js";
import { MemoryStateDisks } from "../../src/storage/memory-state-disks.js";
import { openMemoryStateStore } from "../../src/storage/memory-state-store.js";
import { FOUNDING, failureOf, STORE_ID, textOf } from "./fixtures.js";
import { build, finish } from "./state-build-contract.js";

const KEYS = ["a", "b", "c"];

/**
 * One life of a node that installs a snapshot: the boundaries in their order, with a crash after
 * some number of turns of the disk.
 */
class Installation {
  readonly logDisk = new MemoryDisk("log");
  readonly disks = new MemoryStateDisks("state");
  readonly #later: (() => void)[] = [];
  readonly #defer = (callback: () => void) => {
    this.#later.push(callback);
  };
  /** Reached in order. */
  readonly passed: string[] = [];

  /** Opens both stores as a node does at its start; what the state holds. */
  open() {
    const log = openMemoryLogStore({ disk: this.logDisk, nodeId: 1, randomId: () => STORE_ID, defer: this.#defer });
    const { stateGeneration: generation, base } = log.recovery;
    const identity = { nodeId: 1, storeId: STORE_ID, defer: this.#defer };
    const state = openMemoryStateStore({ disk: this.disks, generation, ...identity });
    const content = KEYS.map((key) => textOf(state.get(key)) ?? "").join(",");
    return { log, state, generation, base, content };
  }

  begin(generation: number): void {
    const { log, state } = this.open();
    const step = (name: string, next?: () => void) => (failure?: unknown) => {
      if (failure !== undefined) throw failure;
      this.passed.push(name);
      next?.();
    };
    const cut = { position: { index: generation * 10, term: 1 }, configuration: FOUNDING };
    state.build(generation, (failure, builder) => {
      if (builder === undefined) throw failure;
      step("begun", () => {
        const rows = KEYS.map((key) => ({ key, value: Buffer.from(`${generation}`) }));
        const install = () =>
          log.write(
            {
              hardState: { term: 1, votedFor: undefined },
              base: { ...cut, keepsTail: false, stateGeneration: generation },
              entries: [],
            },
            step("switched", () => {
              state.adopt(builder);
              state.put("c", Buffer.from("later"));
              state.checkpoint(step("checkpointed"));
            }),
          );
        const addLast = () =>
          builder.add(
            rows.slice(1),
            step("added", () => builder.finish(step("finished", install))),
          );
        builder.add(rows.slice(0, 1), step("added first", addLast));
      })();
    });
  }

  turns(count: number): void {
    for (let turn = 0; turn < count; turn++) this.#later.shift()?.();
  }

  crash(log: "durable" | "lost", state: "durable" | "lost"): void {
    this.logDisk.crash(log);
    this.disks.crash(state);
    // Callbacks of the process that died, should they come, find nothing to do.
    for (const callback of this.#later.splice(0)) callback();
  }
}

const fate = fc.constantFrom("durable" as const, "lost" as const);

t.test(
  "whenever the process dies within an installation, the node has the old state or the new one, whole",
  async (t) => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.record({ turns: fc.nat({ max: 14 }), log: fate, state: fate }), { maxLength: 6 }),
        (lives) => {
          const node = new Installation();
          let before = { generation: 0, content: ",," };
          for (const life of lives) {
            node.passed.length = 0;
            node.begin(before.generation + 1);
            node.turns(life.turns);
            node.crash(life.log, life.state);
            const { log, state, generation, base, content } = node.open();
            void log;
            void state;
            const next = before.generation + 1;
            const wanted =
              generation === before.generation
                ? [before.content]
                : [`${next},${next},${next}`, `${next},${next},later`];
            if (generation !== before.generation && generation !== next) throw new Error(`generation ${generation}`);
            if (!wanted.includes(content)) throw new Error(`generation ${generation} holds ${content}`);
            if (base.index !== generation * 10) throw new Error(`the log begins at ${base.index}`);
            if (node.passed.includes("switched") && generation !== next) throw new Error("the switch was durable");
            if (JSON.stringify(node.disks.generations) !== JSON.stringify([generation])) throw new Error("leftovers");
            before = { generation, content };
            seen.add(`${node.passed.at(-1) ?? "nothing"} → ${generation === next ? "new" : "old"}`);
            node.crash("lost", "lost");
          }
        },
      ),
      { numRuns: 600 },
    );
    t.match(
      [...seen].sort().join("; "),
      /added .*old.*begun .*old.*checkpointed .*new.*finished .*(new|old).*nothing .*old/,
      "every boundary was met",
    );
  },
);

t.test("a disk that is full while a state is built fails the build, and the old state goes on", async (t) => {
  const disk = new MemoryStateDisks();
  const store = openMemoryStateStore({ disk, nodeId: 1, storeId: STORE_ID });
  const builder = await build(store, 1);
  disk.failWrites(new Error("no space left on device"));
  const failure = await failureOf(finish(builder));
  t.equal(failure.code, "WRITE_FAILED");
  t.match(failure.message, /no space left on device/);
  disk.failWrites(undefined);
  t.throws(() => builder.finish(() => t.fail("never called")));
  t.throws(() => store.adopt(builder));
  await new Promise<void>((resolve) => builder.abandon(resolve));
  t.same(disk.generations, [0]);
  const again = await build(store, 1);
  await finish(again);
  store.adopt(again);
  await store.close();
  t.same(disk.generations, [1]);
});

t.test("disks that come later fail as the others do", async (t) => {
  const disk = new MemoryStateDisks();
  const store = openMemoryStateStore({ disk, nodeId: 1, storeId: STORE_ID });
  disk.failWrites(new Error("no space left on device"));
  const failure = await failureOf(build(store, 1).then(finish));
  t.equal(failure.code, "WRITE_FAILED");
  await store.close();
});
