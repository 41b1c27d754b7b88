import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { LocalCluster } from "../../cluster/launcher.js";
import type { NodePorts } from "../../cluster/ports.js";
import { FolioClient } from "../../src/client/folio-client.js";
import { backupTo, restoreFrom } from "./backup-commands.js";
import type { KeyedDraw } from "./probe.js";
import type { Workshop } from "./scenario.js";
import { ADMIN_KEY } from "./workshop.js";

/** A data folder of a node that was stopped in order, and what its callers know. */
export interface Origin {
  readonly name: string;
  readonly dataDir: string;
  /** That it had. */
  readonly ports: NodePorts;
  readonly prefixes: readonly string[];
  /** Drawn once under these keys. */
  readonly keyed: readonly KeyedDraw[];
  /** By prefix: the number that the newest draw got. */
  readonly last: ReadonlyMap<string, number>;
}

/** Small, so that a few thousand draws make tables, and a log that is cut. */
const ENV = { LOG_ENTRIES_MAX: "100", LOG_TAIL_ENTRIES: "30", LOG_BYTES_MAX: "1048576" };
const LIVES = 3;
const SINGLES = 60;
const PARALLEL = 6;

/** Writes a history with everything in it that the log and the state have rows for. */
class Author {
  readonly keyed: KeyedDraw[] = [];
  readonly last = new Map<string, number>();
  /** Keys belong to whoever draws: those who repeat a draw have no API key either. */
  readonly #client: FolioClient;
  readonly #administrator: FolioClient;
  readonly #life: number;

  constructor(cluster: LocalCluster, life: number) {
    const addresses = [cluster.grpc(1)];
    this.#client = new FolioClient({ addresses });
    this.#administrator = new FolioClient({ addresses, apiKey: ADMIN_KEY });
    this.#life = life;
  }

  async write(): Promise<void> {
    const client = this.#client;
    if (this.#life === 0) await this.#define();
    const prefixes = [...Array.from({ length: PARALLEL }, () => "SG"), "INV", "STEP", "UP", "DOWN"];
    await Promise.all(prefixes.map((prefix) => this.#drawSingles(prefix)));
    for (const count of [1, 500, 10_000]) {
      const { lastCounter } = await client.nextBatch("BATCH", count);
      this.last.set("BATCH", lastCounter);
    }
    const reason = `life ${this.#life}`;
    await this.#administrator.reset("UP", 1000 * (this.#life + 1), { reason });
    await this.#administrator.reset("DOWN", 5, { reason, force: true });
    await Promise.all(["UP", "DOWN"].map((prefix) => this.#drawSingles(prefix)));
    for (let document = 0; document < 20; document++) {
      const { counter } = await client.next("DOC", { documentRef: `order ${this.#life}-${document}` });
      this.last.set("DOC", counter);
    }
    client.close();
    this.#administrator.close();
  }

  async #define(): Promise<void> {
    await this.#administrator.updateConfig("INV", { template: "{PREFIX}{YYYY}-{SEQ:4}", resetRule: "yearly" });
    await this.#administrator.updateConfig("STEP", { start: 10, step: 5, maximum: 1_000_000 });
  }

  async #drawSingles(prefix: string): Promise<void> {
    for (let draw = 0; draw < SINGLES; draw++) {
      const key = `${prefix}-${this.#life}-${this.keyed.length}`;
      this.keyed.push({ prefix, key });
      const { counter } = await this.#client.next(prefix, { idempotencyKey: key });
      this.last.set(prefix, prefix === "SG" ? Math.max(counter, this.last.get(prefix) ?? 0) : counter);
    }
  }
}

/** @param firstLife 0: nothing is there yet */
async function write(cluster: LocalCluster, firstLife: number, before: Pick<Origin, "keyed" | "last">) {
  const keyed = [...before.keyed];
  const last = new Map(before.last);
  for (let life = firstLife; life < firstLife + LIVES; life++) {
    const author = new Author(cluster, life);
    await author.write();
    keyed.push(...author.keyed);
    for (const [prefix, counter] of author.last) last.set(prefix, counter);
    // LevelDB makes tables of what it finds in its write-ahead log when it is opened.
    await cluster.kill(1, "SIGTERM");
    if (life < firstLife + LIVES - 1) await cluster.restart(1);
  }
  return { keyed, last };
}

/**
 * Two folders: of a node that ran several times and has cut its log, and of one that was restored from the former's
 * backup and went on.
 */
export async function makeOrigins(workshop: Workshop): Promise<readonly Origin[]> {
  const prefixes = ["SG", "INV", "STEP", "UP", "DOWN", "BATCH", "DOC"];
  const grownDir = join(workshop.folder, "grown");
  const grownPorts = await workshop.ports(1);
  const first = await workshop.cluster({ nodes: 1, dataDir: grownDir, ports: grownPorts, env: ENV });
  const grown = await write(first, 0, { keyed: [], last: new Map() });
  await first.restart(1);
  const file = join(workshop.folder, "folio.backup");
  await backupTo(file, first.rest(1));
  await first.stop();

  const restoredDir = join(workshop.folder, "restored");
  mkdirSync(restoredDir);
  const restoredPorts = await workshop.ports(1);
  await restoreFrom(file, { dataDir: join(restoredDir, "node-1"), peerPort: restoredPorts(1).peer, safetyDistance: 0 });
  const second = await workshop.cluster({ nodes: 1, dataDir: restoredDir, ports: restoredPorts, env: ENV });
  const restored = await write(second, LIVES, grown);
  await second.stop();
  return [
    { name: "grown", dataDir: join(grownDir, "node-1"), ports: grownPorts(1), prefixes, ...grown },
    { name: "restored", dataDir: join(restoredDir, "node-1"), ports: restoredPorts(1), prefixes, ...restored },
  ];
}
