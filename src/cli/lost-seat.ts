import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Configuration, Member } from "../raft/types.js";
import { readClaim } from "../seat-claim.js";
import { LevelDisk } from "../storage/level-disk.js";
import { StorageFailure } from "../storage/log-store.js";
import { nodeOf } from "../storage/store-identity.js";
import { type Description, PeerCallFailure, type PeerCalls } from "../transport/transport.js";
import { CommandFailure } from "./command-failure.js";
import { SET_ASIDE } from "./data-folder.js";
import { exitCode } from "./exit-code.js";

export interface LostSeat {
  readonly nodeId: number;
  readonly dataDir: string;
  /** Peer addresses of other members. */
  readonly join: readonly string[];
}

/** What the node had, as far as the cluster and the directory still tell. */
export interface FormerSeat {
  /** undefined: it is free already. */
  readonly seat: Member | undefined;
  /** The cluster had assigned its id (NODE_ID=auto). */
  readonly isAssigned: boolean;
}

export const WITHOUT_MAJORITY =
  "without a majority of all voters, folio recover --new-cluster lets a survivor go on alone, and folio restore a backup";

const DESCRIBE_MS = 3000;
const STORE_NAME = /^(log|state(-\d+)?)$/;

/**
 * A slip in --node-id would take the seat of a node that is well. Refused: what the directory says is another node's, who
 * answers with the very store that holds the seat, and an id that has none, unless this directory is that node's.
 *
 * @returns what it had
 * @throws CommandFailure
 */
export async function requireLost(
  { nodeId, dataDir, join: addresses }: LostSeat,
  calls: PeerCalls,
): Promise<FormerSeat> {
  const entries = await entriesOf(dataDir);
  // A note that is damaged is one of the reasons for a repair.
  const claim = await readClaim(dataDir).catch(() => undefined);
  const owner = claim?.nodeId ?? (await ownerOf(dataDir, entries));
  // One that is leaving has noted so under any id.
  const isAssigned = claim !== undefined && claim.stage !== "leaving";
  if (owner !== undefined && owner !== nodeId) {
    throw refused(`${dataDir} belongs to node ${owner}, not to node ${nodeId}: check --data-dir and --node-id`);
  }
  const configurations = await configurationsAt(addresses, calls);
  const seats = configurations.flatMap(({ members }) => members.filter(({ id }) => id === nodeId));
  if (seats.length === 0) {
    // A run before this one was interrupted, or is repeated: the seat is free and the directory was this node's.
    if (owner === nodeId || entries.some((name) => name.startsWith(SET_ASIDE))) return { seat: undefined, isAssigned };
    const ids = new Set(configurations.flatMap(({ members }) => members.map(({ id }) => id)));
    throw refused(`node ${nodeId} is no member; members are ${[...ids].sort((a, b) => a - b).join(", ")}`);
  }
  for (const seat of seats) await requireDown(seat, calls);
  // Whoever is behind may not have heard of a promotion yet.
  return { seat: seats.find(({ kind }) => kind === "voter") ?? seats[0], isAssigned };
}

function refused(sentence: string): CommandFailure {
  return new CommandFailure(exitCode.conflict, `nothing was changed: ${sentence}`);
}

async function requireDown({ id, storeId, address }: Member, calls: PeerCalls): Promise<void> {
  const found = await describe(address, calls);
  if (found instanceof PeerCallFailure || found.nodeId !== id || found.storeId !== storeId) return;
  throw refused(`node ${id} is up at ${address}, with the very store that holds its seat: that seat is not lost`);
}

/** Of whoever answers and belongs to a cluster. */
async function configurationsAt(addresses: readonly string[], calls: PeerCalls): Promise<readonly Configuration[]> {
  const found = await Promise.all(addresses.map((address) => describe(address, calls)));
  const told = found.flatMap((answer) =>
    answer instanceof PeerCallFailure || answer.configuration === undefined ? [] : [answer.configuration],
  );
  if (told.length > 0) return told;
  const why = found.map((answer) => (answer instanceof PeerCallFailure ? answer.message : "it has no membership"));
  throw new CommandFailure(
    exitCode.notExecuted,
    `nothing was changed: no member was found (${why.join("; ")}); ${WITHOUT_MAJORITY}`,
  );
}

async function describe(address: string, calls: PeerCalls): Promise<Description | PeerCallFailure> {
  try {
    return await calls.describe(address, DESCRIBE_MS);
  } catch (error) {
    if (error instanceof PeerCallFailure) return error;
    throw error;
  }
}

async function entriesOf(dataDir: string): Promise<readonly string[]> {
  try {
    return await readdir(dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Whose stores are in the directory, from whatever in it can still be read; undefined if nothing says so. */
async function ownerOf(dataDir: string, entries: readonly string[]): Promise<number | undefined> {
  for (const name of entries.filter((entry) => STORE_NAME.test(entry)).sort()) {
    const owner = await ownerOfStore(join(dataDir, name));
    if (owner !== undefined) return owner;
  }
  return undefined;
}

async function ownerOfStore(directory: string): Promise<number | undefined> {
  // LevelDB would make a store of a folder without this file.
  if (!(await entriesOf(directory)).includes("CURRENT")) return undefined;
  try {
    const disk = await LevelDisk.open({ directory, writeBufferBytes: 1 << 20, cacheBytes: 1 << 20 });
    try {
      return nodeOf(disk);
    } finally {
      await disk.close();
    }
  } catch (error) {
    if (error instanceof StorageFailure) return undefined;
    throw error;
  }
}
