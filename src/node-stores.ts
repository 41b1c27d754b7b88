import { rm, rmdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { invariant } from "./assert.js";
import type { ClaimedStore } from "./joining.js";
import { removeStores, storesIn } from "./seat-claim.js";
import { makeDirectory, syncDirectory } from "./storage/durable-directory.js";
import { namesIn, wasOpened } from "./storage/level-disk.js";
import { openLevelLogStore } from "./storage/level-log-store.js";
import { generationsAt, stateDirectory } from "./storage/level-state-generations.js";
import { openLevelStateStore } from "./storage/level-state-store.js";
import { type LogStore, StorageFailure } from "./storage/log-store.js";
import type { StateStore } from "./storage/state-store.js";
import { systemRandomness } from "./system-ports.js";

const LOG = "log";
const STATE = "state";
/** Lies beside stores that are being filled, from before they are made until they are whole. */
const MARK = "restoring";

export interface Stores {
  readonly log: LogStore;
  readonly state: StateStore;
}

export interface StoresPlace {
  readonly dataDir: string;
  readonly nodeId: number;
  /** The store that must be there, or be made; undefined: any, or a new one. */
  readonly store?: ClaimedStore | undefined;
  /** Something an operator should read, in a sentence. */
  readonly notice: (message: string) => void;
}

/**
 * Opens the log of a data directory, or makes one where nothing was before, and the state that the log goes by.
 * @throws StorageFailure when either cannot be opened or trusted; then neither is left open
 */
export async function openStores(place: StoresPlace): Promise<Stores> {
  await refuseUnfilled(place.dataDir);
  return openOrMake(place);
}

async function openOrMake({ dataDir, nodeId, store, notice }: StoresPlace): Promise<Stores> {
  await makeDirectory(dataDir);
  const directory = join(dataDir, LOG);
  const randomId = () => store?.id ?? systemRandomness.id();
  const ifMissing = await traceOfLog(dataDir, store);
  const log = await openLevelLogStore({ directory, nodeId, randomId, ifMissing });
  try {
    if (store !== undefined && log.storeId !== store.id) {
      const found = `${directory} holds store ${log.storeId}, but the claim beside it is of store ${store.id}`;
      throw new StorageFailure("FOREIGN", `${found}. A directory is never shared, copied or taken over.`);
    }
    const state = await openLevelStateStore({
      directory: join(dataDir, STATE),
      generation: log.recovery.stateGeneration,
      nodeId,
      storeId: log.storeId,
      notice,
    });
    return { log, state };
  } catch (error) {
    await log.close();
    throw error;
  }
}

/** What shows that there was a log before; undefined where there is nothing, as before the very first start. */
async function traceOfLog(dataDir: string, store: ClaimedStore | undefined): Promise<string | undefined> {
  if (store?.exists === true) return `The log of store ${store.id} is missing, though it was made before`;
  // A log is made before its state: one that is made anew must never find, and clear away, what another one went by.
  const state = join(dataDir, STATE);
  for (const generation of await generationsAt(state)) {
    const directory = stateDirectory(state, generation);
    if (!(await wasOpened(directory))) continue;
    return `The log is missing, though ${basename(directory)} beside it was made for one: put the log back if it was moved`;
  }
  return undefined;
}

/** Whether a run of `fillStores` is under way in the directory, or was interrupted there. */
export async function isBeingFilled(dataDir: string): Promise<boolean> {
  return (await namesIn(dataDir)).includes(MARK);
}

async function refuseUnfilled(dataDir: string): Promise<void> {
  if (!(await isBeingFilled(dataDir))) return;
  throw new StorageFailure(
    "DAMAGED",
    `${join(dataDir, MARK)} is there: \`folio restore\` into ${dataDir} was interrupted, or still runs, and what is in it may lack ` +
      "the safety distance, or all. Way out: run it again; it replaces what it left.",
  );
}

/**
 * Makes the stores of a directory that has none, and fills them: they count when `fill` has ended well. When it fails, the
 * directory is as it was before; when the process dies, a mark keeps every start from what is there, and the next run replaces it.
 * @throws StorageFailure, and what `fill` throws
 */
export async function fillStores<Result>(
  place: StoresPlace,
  fill: (stores: Stores) => Promise<Result>,
): Promise<Result> {
  const { dataDir } = place;
  const made = await makeDirectory(dataDir);
  if (await isBeingFilled(dataDir)) {
    place.notice(`what an interrupted run of \`folio restore\` left in ${dataDir} is replaced`);
    await removeStores(dataDir);
  }
  invariant((await storesIn(dataDir)).length === 0, "only a directory without stores is filled");
  try {
    await writeFile(
      join(dataDir, MARK),
      "`folio restore` makes the stores beside this file; they are not whole yet.\n",
    );
    await syncDirectory(dataDir);
    const result = await runOn(await openOrMake(place), fill);
    await removeMark(dataDir);
    return result;
  } catch (error) {
    // What cannot be removed keeps the mark.
    await unmake(dataDir, made).catch(() => undefined);
    throw error;
  }
}

async function unmake(dataDir: string, made: readonly string[]): Promise<void> {
  await removeStores(dataDir);
  await removeMark(dataDir);
  for (const folder of made.toReversed()) await rmdir(folder);
}

async function removeMark(dataDir: string): Promise<void> {
  await rm(join(dataDir, MARK), { force: true });
  await syncDirectory(dataDir);
}

/** Closes the stores, whatever comes of it. */
export async function runOn<Result>(stores: Stores, run: (stores: Stores) => Promise<Result>): Promise<Result> {
  try {
    return await run(stores);
  } finally {
    await closeStores(stores);
  }
}

/** Where LevelDB keeps them now: a snapshot that was installed has put another state in force. */
export function directoriesOf({ state }: Stores, dataDir: string): readonly string[] {
  return [join(dataDir, LOG), stateDirectory(join(dataDir, STATE), state.generation)];
}

export async function closeStores({ log, state }: Stores): Promise<void> {
  await state.close();
  await log.close();
}
