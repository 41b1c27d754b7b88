/** A moment as part of a name, in UTC: such names sort by time. Not every file system takes a colon. */
export function fileStamp(now: Date): string {
  return now.toISOString().replaceAll(":", "-");
}
