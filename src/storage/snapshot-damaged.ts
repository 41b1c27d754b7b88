/** A snapshot or a backup is not what was written: a sentence that says what was found. Nothing of it may be used. */
export class SnapshotDamaged extends Error {
  override readonly name = "SnapshotDamaged";
}
