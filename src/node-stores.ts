import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ClaimedStore } from "./joining.js";
import { damaged } from "./storage/damage.js";
import { makeDirectory } from "./storage/durable-directory.js";
import { openLevelLogStore } from "./storage/level-log-store.js";
import { stateDirectory } from "./storage/level-state-generations.js";
import { openLevelStateStore } from "./storage/level-state-store.js";
import { type LogStore, StorageFailure } from "./storage/log-store.js";
import type { StateStore } from "./storage/state-store.js";
import { systemRandomness } from "./system-ports.js";

const LOG = "log";
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
 * Opens the log of a data directory, or makes one, and the state that the log goes by.
 * @throws StorageFailure when either cannot be opened or trusted; then neither is left open
 */
export async function openStores({ dataDir, nodeId, store, notice }: StoresPlace): Promise<Stores> {
  await makeDirectory(dataDir);
  const directory = join(dataDir, LOG);
  if (store?.exists === true && !(await isThere(directory))) {
    throw damaged(directory, `The log of store ${store.id} is missing, though it was made before`);
  }
  const log = await openLevelLogStore({ directory, nodeId, randomId: () => store?.id ?? systemRandomness.id() });
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

async function isThere(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
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
