import type { DiskRow } from "./disk.js";
import type { Change } from "./overlay.js";
import { valueIn } from "./sealed-row.js";
import type { StateRow } from "./state-store.js";

/**
 * One page of `rows` with `changes` over them.
 * @param rows in the page's order, enough of them to fill it.
 */
export function mergePage(
  rows: readonly DiskRow[],
  changes: ReadonlyMap<string, Change>,
  { limit, reverse }: { readonly limit: number; readonly reverse: boolean },
): StateRow[] {
  const precedes = reverse ? (a: string, b: string) => a > b : (a: string, b: string) => a < b;
  const changedKeys = [...changes.keys()].sort();
  if (reverse) changedKeys.reverse();
  const page: StateRow[] = [];
  let nextRow = 0;
  let nextChange = 0;
  while (page.length < limit) {
    const row = rows[nextRow];
    const changedKey = changedKeys[nextChange];
    if (changedKey !== undefined && (row === undefined || !precedes(row[0], changedKey))) {
      if (row?.[0] === changedKey) nextRow += 1;
      nextChange += 1;
      const change = changes.get(changedKey);
      if (change !== undefined && change !== "deleted") page.push({ key: changedKey, value: valueIn(change) });
    } else if (row !== undefined) {
      nextRow += 1;
      page.push({ key: row[0], value: valueIn(row[1]) });
    } else {
      break;
    }
  }
  return page;
}

/** Where the page of `rows` ends that begins at `start` and fits into `bytesMax`; it has at least one row if there is any. */
export function endOfPage(rows: readonly DiskRow[], start: number, bytesMax: number): number {
  let bytes = 0;
  for (let end = start; end < rows.length; end++) {
    const [key, row] = rows[end] ?? NO_ROW;
    bytes += key.length + row.length;
    if (bytes > bytesMax && end > start) return end;
  }
  return rows.length;
}

const NO_ROW: DiskRow = ["", Buffer.alloc(0)];
