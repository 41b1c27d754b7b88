import { LaunchError } from "./launch-error.js";

/** A member that the others go on without. */
export interface Absence {
  readonly id: number;
  /** What it said last, too. */
  readonly why: string;
}

/** How the wait for a node ended, unless it is absent: a node that is out is no member, and counts no more. */
export type Standing = "serves" | "out";

export interface Waiting {
  readonly ids: readonly number[];
  /** How many must serve of so many members. */
  readonly needed: (members: number) => number;
  /** Rejects with LaunchError if the node is a member and ends, takes too long, or is late. */
  readonly standing: (id: number, late: AbortSignal) => Promise<Standing>;
  /** How long the others may take once enough serve. */
  readonly lateMs: number;
}

/**
 * Waits until all serve, or enough of them and the others are late.
 *
 * @returns the members that do not serve
 * @throws LaunchError as soon as it cannot be enough any more
 */
export async function untilEnough({ ids, needed, standing, lateMs }: Waiting): Promise<readonly Absence[]> {
  const late = new AbortController();
  const absent: Absence[] = [];
  let members = ids.length;
  let serving = 0;
  let timer: NodeJS.Timeout | undefined;
  const settled = async (id: number): Promise<void> => {
    try {
      if ((await standing(id, late.signal)) === "serves") serving += 1;
      else members -= 1;
    } catch (error) {
      if (!(error instanceof LaunchError)) throw error;
      absent.push({ id, why: error.message });
      if (members - absent.length < needed(members)) throw new LaunchError(absent.map(({ why }) => why).join("\n"));
    }
    if (serving >= needed(members)) timer ??= setTimeout(() => late.abort(), lateMs);
  };
  try {
    await Promise.all(ids.map((id) => settled(id)));
    return absent;
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}
