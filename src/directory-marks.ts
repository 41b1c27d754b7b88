import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PlanKeeper, RecoveryPlan } from "./recovery/recovery-plan.js";
import { damaged } from "./storage/damage.js";
import { syncDirectory } from "./storage/durable-directory.js";
import { namesIn } from "./storage/level-disk.js";
import { StorageFailure } from "./storage/log-store.js";

/** Lies beside stores that are being filled, from before they are made until they are whole. */
const RESTORING = "restoring";
/** Lies beside stores that are made a new cluster's, from before the first write until the last. */
const RECOVERING = "recovering";

/** What says that the stores beside it are not whole. Where these go, they go last. */
export const MARKS: readonly string[] = [RESTORING, RECOVERING];

const RECOVERY_TEXT = /^folio recovery format=1 known-until=(0|[1-9]\d{0,15}) safety-distance=(0|[1-9]\d{0,9})\n$/;
/** Longer than any sound one. */
const SHOWN_MAX = 100;

/** Whether a restore into the directory is under way, or was interrupted. */
export async function isBeingFilled(dataDir: string): Promise<boolean> {
  return (await namesIn(dataDir)).includes(RESTORING);
}

/** Durably. Fails where there is one: it is another run's. */
export async function markFilling(dataDir: string): Promise<void> {
  const text = "`folio restore` makes the stores beside this file; they are not whole yet.\n";
  await writeSynced(join(dataDir, RESTORING), text, "wx");
  await syncDirectory(dataDir);
}

/** Durably. */
export async function unmarkFilling(dataDir: string): Promise<void> {
  await removeMark(dataDir, RESTORING);
}

/** @throws StorageFailure if the stores are being filled, or recovered, or that was interrupted */
export async function refuseMarked(dataDir: string): Promise<void> {
  await refuseFilling(dataDir);
  const plan = await readPlan(dataDir);
  if (plan === undefined) return;
  const { safetyDistance } = plan;
  throw new StorageFailure(
    "DAMAGED",
    `${join(dataDir, RECOVERING)} is there: \`folio recover --new-cluster\` of ${dataDir} was interrupted, or still runs. What it was to skip may ` +
      "not be skipped yet, and would be handed out twice. Way out: run it again, with the same --safety-distance " +
      `${safetyDistance} or a larger one; it goes on from what the interrupted run knew.`,
  );
}

/** @throws StorageFailure */
export async function refuseFilling(dataDir: string): Promise<void> {
  if (!(await isBeingFilled(dataDir))) return;
  throw new StorageFailure(
    "DAMAGED",
    `${join(dataDir, RESTORING)} is there: \`folio restore\` into ${dataDir} was interrupted, or still runs, and what is in it may lack ` +
      "the safety distance, or all. Way out: run it again; it replaces what it left.",
  );
}

/** For as long as this process has the stores open: nobody else writes the mark then. */
export async function planKeeperIn(dataDir: string): Promise<PlanKeeper> {
  return {
    interrupted: await readPlan(dataDir),
    keep: (plan) => writePlan(dataDir, plan),
    drop: () => removeMark(dataDir, RECOVERING),
  };
}

/** @throws StorageFailure DAMAGED if the mark is there and cannot be understood */
async function readPlan(dataDir: string): Promise<RecoveryPlan | undefined> {
  const path = join(dataDir, RECOVERING);
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
  const [, knownUntil, safetyDistance] = RECOVERY_TEXT.exec(text) ?? [];
  if (knownUntil === undefined || safetyDistance === undefined) {
    const found = JSON.stringify(text.slice(0, SHOWN_MAX));
    throw damaged(path, `The mark of an interrupted \`folio recover --new-cluster\` is damaged: ${found}`);
  }
  return { knownUntil: Number(knownUntil), safetyDistance: Number(safetyDistance) };
}

/** Atomically: a run that goes on must not lose what the one before it noted. */
async function writePlan(dataDir: string, { knownUntil, safetyDistance }: RecoveryPlan): Promise<void> {
  const path = join(dataDir, RECOVERING);
  const partial = `${path}.partial`;
  const text = `folio recovery format=1 known-until=${knownUntil} safety-distance=${safetyDistance}\n`;
  await writeSynced(partial, text, "w");
  await rename(partial, path);
  await syncDirectory(dataDir);
}

async function writeSynced(path: string, text: string, flags: "w" | "wx"): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function removeMark(dataDir: string, name: string): Promise<void> {
  await rm(join(dataDir, name), { force: true });
  await syncDirectory(dataDir);
}
