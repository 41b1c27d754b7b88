import { LaunchError } from "./launch-error.js";

/** A member that the others go on without. */
export interface Absence {
  readonly id: number;
  /** What it said last, too. */
  readonly why: string;
}

export interface Waiting {
  readonly ids: readonly number[];
  /** How many of them must serve. */
  readonly needed: number;
  /** Resolves when the node serves; rejects with LaunchError if it ends, takes too long, or is late. */
  readonly serves: (id: number, late: AbortSignal) => Promise<void>;
  /** How long the others may take once enough serve. */
  readonly lateMs: number;
}

/**
 * Waits until all serve, or enough of them and the others are late.
 *
 * @returns those that do not serve
 * @throws LaunchError as soon as it cannot be enough any more
 */
export async function untilEnough({ ids, needed, serves, lateMs }: Waiting): Promise<readonly Absence[]> {
  const late = new AbortController();
  const absent: Absence[] = [];
  let serving = 0;
  let timer: NodeJS.Timeout | undefined;
  const settled = async (id: number): Promise<void> => {
    try {
      await serves(id, late.signal);
      serving += 1;
      if (serving === needed) timer = setTimeout(() => late.abort(), lateMs);
    } catch (error) {
      if (!(error instanceof LaunchError)) throw error;
      absent.push({ id, why: error.message });
      if (ids.length - absent.length < needed) throw new LaunchError(absent.map(({ why }) => why).join("\n"));
    }
  };
  try {
    await Promise.all(ids.map((id) => settled(id)));
    return absent;
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}
