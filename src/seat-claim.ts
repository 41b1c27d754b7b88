import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { damaged } from "./storage/damage.js";
import { makeDirectory, syncDirectory } from "./storage/durable-directory.js";

/**
 * Notes of a node about its seat that must outlive a crash and that its stores cannot hold: they carry the node's id,
 * which a node with NODE_ID=auto asks for under the store id that it noted here before.
 */
export interface SeatClaim {
  /** 32 hexadecimal digits. */
  readonly storeId: string;
  /** undefined until the leader has assigned one. */
  readonly nodeId: number | undefined;
  readonly stage: ClaimStage;
}

export type ClaimStage =
  /** The stores are still to be made, with that id. */
  | "claimed"
  /** They were made: should they be missing, they are lost, and must not be made again as if they remembered. */
  | "opened"
  /** The node gave its seat up, or was about to: what is in the directory counts no more. */
  | "leaving";

const FILE_NAME = "claim";
/** Longer than any sound one. */
const SHOWN_MAX = 100;
const CLAIM_TEXT =
  /^folio claim format=1 node=(auto|[1-9]\d{0,4}) store=([0-9a-f]{32}) stage=(claimed|opened|leaving)\n$/;
/** The stores of a node, whatever their generation. */
const STORE_NAME = /^(log|state(-\d+)?)$/;

/**
 * @returns undefined where there is none
 * @throws StorageFailure DAMAGED if the file is there and cannot be understood
 */
export async function readClaim(dataDir: string): Promise<SeatClaim | undefined> {
  const path = join(dataDir, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const [, nodeId, storeId, stage] = CLAIM_TEXT.exec(text) ?? [];
  if (storeId === undefined || stage === undefined) {
    // The id that the way out asks for may still be legible.
    const found = JSON.stringify(text.slice(0, SHOWN_MAX));
    throw damaged(
      path,
      `The note of this node's seat is damaged: ${found}; \`folio members\` shows which node is not reachable`,
    );
  }
  return { storeId, nodeId: nodeId === "auto" ? undefined : Number(nodeId), stage: stage as ClaimStage };
}

/** Writes atomically and durably. */
export async function writeClaim(dataDir: string, { storeId, nodeId, stage }: SeatClaim): Promise<void> {
  await makeDirectory(dataDir);
  const path = join(dataDir, FILE_NAME);
  const partial = `${path}.partial`;
  const file = await open(partial, "w", 0o600);
  try {
    await file.writeFile(`folio claim format=1 node=${nodeId ?? "auto"} store=${storeId} stage=${stage}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  await syncDirectory(dataDir);
}

/** @returns the names of the stores in a data directory */
export async function storesIn(dataDir: string): Promise<readonly string[]> {
  return (await readdir(dataDir)).filter((name) => STORE_NAME.test(name));
}

/** Whatever interrupts it, it can be repeated. */
export async function removeStores(dataDir: string): Promise<void> {
  for (const name of await storesIn(dataDir)) await rm(join(dataDir, name), { recursive: true, force: true });
  await syncDirectory(dataDir);
}

/** Removes the stores of a seat that was given up, and then the note of it: whatever interrupts that, it can be repeated. */
export async function clearSeat(dataDir: string): Promise<void> {
  await removeStores(dataDir);
  await rm(join(dataDir, FILE_NAME), { force: true });
  await syncDirectory(dataDir);
}
