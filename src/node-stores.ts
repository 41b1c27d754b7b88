import { basename, join } from "node:path";
import { refuseFilling, refuseMarked } from "./directory-marks.js";
import type { ClaimedStore } from "./joining.js";
import { makeDirectory } from "./storage/durable-directory.js";
import { wasOpened } from "./storage/level-disk.js";
import { openLevelLogStore } from "./storage/level-log-store.js";
import { generationsAt, stateDirectory } from "./storage/level-state-generations.js";
import { openLevelStateStore } from "./storage/level-state-store.js";
import { type LogStore, StorageFailure } from "./storage/log-store.js";
import type { StateStore } from "./storage/state-store.js";
import { systemRandomness } from "./system-ports.js";

export const LOG = "log";
const STATE = "state";

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
 * @throws StorageFailure when either cannot be opened or trusted, or they are not whole yet; then neither is left open
 */
export async function openStores(place: StoresPlace): Promise<Stores> {
  await refuseMarked(place.dataDir);
  return openOrMake(place, refuseMarked);
}

/** For `folio recover`, which goes on with what an interrupted run of itself left. @throws StorageFailure as `openStores` */
export async function openToRecover(place: StoresPlace): Promise<Stores> {
  await refuseFilling(place.dataDir);
  return openOrMake(place, refuseFilling);
}

/** @param judge throws unless the directory may be opened; asked when the log is: nobody else marks it from then on */
export async function openOrMake(
  { dataDir, nodeId, store, notice }: StoresPlace,
  judge: (dataDir: string) => Promise<void>,
): Promise<Stores> {
  await makeDirectory(dataDir);
  const directory = join(dataDir, LOG);
  const randomId = () => store?.id ?? systemRandomness.id();
  const ifMissing = await traceOfLog(dataDir, store);
  const log = await openLevelLogStore({ directory, nodeId, randomId, ifMissing });
  try {
    await judge(dataDir);
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
