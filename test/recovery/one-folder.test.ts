import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { fillStores } from "../../src/fill-stores.js";
import { closeStores, openStores } from "../../src/node-stores.js";
import { FILLED_TERM, type Order, type Report } from "./folder-process.js";

const ROUNDS = 25;

/** LevelDB's lock is one between processes. */
class OtherProcess {
  readonly #child: ChildProcess;

  constructor(t: Test) {
    this.#child = fork(fileURLToPath(new URL("./folder-process.js", import.meta.url)), { execArgv: [] });
    t.teardown(() => this.#child.kill("SIGKILL"));
  }

  /** @returns the next that it reports */
  tell(message: Order | "go on"): Promise<Report> {
    const next = new Promise<Report>((resolve) => {
      this.#child.once("message", (told) => resolve(told as Report));
    });
    this.#child.send(message);
    return next;
  }

  async finish(order: Order): Promise<Report> {
    const first = await this.tell(order);
    return first.kind === "holds" ? this.tell("go on") : first;
  }

  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }
}

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "folio-folder-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function placeIn(dataDir: string) {
  return { dataDir, nodeId: 1, notice: () => undefined };
}

async function assertFilled(t: Test, dataDir: string, storeId: string): Promise<void> {
  t.same((await readdir(dataDir)).sort(), ["log", "state"]);
  const stores = await openStores(placeIn(dataDir));
  t.match(stores.log, { storeId, recovery: { hardState: { term: FILLED_TERM } } });
  await closeStores(stores);
}

t.test("stores that another process fills are not touched, and count when it has ended", async (t) => {
  const dataDir = join(await temporaryFolder(t), "node-1");
  const other = new OtherProcess(t);
  const filling = await other.tell({ kind: "fill", dataDir });
  t.equal(filling.kind, "holds");
  await t.rejects(
    fillStores(placeIn(dataDir), () => Promise.resolve()),
    /is in use/,
  );
  await t.rejects(openStores(placeIn(dataDir)), { code: "DAMAGED", message: /still runs/ });
  const filled = await other.tell("go on");
  t.equal(filled.kind, "done");
  if (filled.kind === "done") await assertFilled(t, dataDir, filled.storeId);
  await t.rejects(
    fillStores(placeIn(dataDir), () => Promise.resolve()),
    /is not empty/,
  );
  if (filled.kind === "done") await assertFilled(t, dataDir, filled.storeId);
});

t.test("what a killed process was filling is replaced", async (t) => {
  const dataDir = join(await temporaryFolder(t), "node-1");
  const other = new OtherProcess(t);
  t.match(await other.tell({ kind: "fill", dataDir }), { kind: "holds" });
  await other.kill();
  await t.rejects(openStores(placeIn(dataDir)), { code: "DAMAGED", message: /was interrupted/ });
  const filled = await new OtherProcess(t).finish({ kind: "fill", dataDir });
  t.equal(filled.kind, "done");
  if (filled.kind === "done") await assertFilled(t, dataDir, filled.storeId);
});

t.test("of two that fill one folder at once, one does, and what it has filled is there", async (t) => {
  const folder = await temporaryFolder(t);
  const both = [new OtherProcess(t), new OtherProcess(t)];
  let wins = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const dataDir = join(folder, `node-${round}`);
    const reports = await Promise.all(both.map((each) => each.finish({ kind: "fill", dataDir })));
    const done = reports.filter((each) => each.kind === "done");
    t.ok(done.length <= 1, JSON.stringify(reports));
    wins += done.length;
    for (const { storeId } of done) await assertFilled(t, dataDir, storeId);
  }
  t.ok(wins > ROUNDS / 2, `${wins} of ${ROUNDS}`);
});

t.test("a node that starts while its folder is filled has what it opened, or does not start", async (t) => {
  const folder = await temporaryFolder(t);
  const filler = new OtherProcess(t);
  const node = new OtherProcess(t);
  for (let round = 0; round < ROUNDS; round++) {
    const dataDir = join(folder, `node-${round}`);
    const [filled, opened] = await Promise.all([
      filler.finish({ kind: "fill", dataDir }),
      node.tell({ kind: "open", dataDir }),
    ]);
    if (opened.kind !== "holds") continue;
    t.same((await readdir(dataDir)).sort(), ["log", "state"], JSON.stringify(filled));
    t.ok((await readdir(join(dataDir, "log"))).includes("CURRENT"), "it does not serve from files that are gone");
    if (filled.kind === "done") t.equal(opened.storeId, filled.storeId);
    await node.tell("go on");
  }
});
