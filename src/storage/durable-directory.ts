import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes the directory and what is missing above it, so that a power loss cannot take it away again. */
export async function makeDirectory(directory: string): Promise<void> {
  const firstMade = await mkdir(directory, { recursive: true });
  if (firstMade === undefined) return;
  const last = dirname(resolve(firstMade));
  let current = resolve(directory);
  while (current !== last) {
    current = dirname(current);
    await syncDirectory(current);
  }
}

/** Makes the names in a directory durable; syncing a file does not promise that for its own name. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
