import { ByteReader, Malformed } from "./byte-reader.js";
import { readRecords } from "./record-log.js";

/** What the MANIFEST says that the directory holds. */
export interface Manifest {
  /** Size in bytes by number. */
  readonly tables: ReadonlyMap<number, number>;
  /** Write-ahead logs from this number on are not in tables yet; 0 before the first. */
  readonly logNumber: number;
}

/** Tags of the fields of a version edit (leveldb/db/version_edit.cc). */
const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedFile: 6,
  newFile: 7,
  previousLogNumber: 9,
} as const;

/** @throws Malformed */
export function readManifest(file: Buffer): Manifest {
  const tables = new Map<number, number>();
  const manifest = { tables, logNumber: 0 };
  const { records, tornAt } = readRecords(file);
  // LevelDB takes a cut-off end for none, and anything else that does not verify for damage.
  if (records.length === 0) throw new Malformed(tornAt === undefined ? "is empty" : "holds nothing that can be read");
  for (const record of records) applyEdit(manifest, new ByteReader(record));
  return manifest;
}

function applyEdit(manifest: { tables: Map<number, number>; logNumber: number }, edit: ByteReader): void {
  while (!edit.isAtEnd) {
    const tag = edit.varint();
    switch (tag) {
      case TAG.comparator:
        edit.prefixed();
        break;
      case TAG.logNumber:
        manifest.logNumber = edit.varint();
        break;
      case TAG.nextFileNumber:
      case TAG.lastSequence:
      case TAG.previousLogNumber:
        edit.varint();
        break;
      case TAG.compactPointer:
        edit.varint();
        edit.prefixed();
        break;
      case TAG.deletedFile:
        edit.varint();
        manifest.tables.delete(edit.varint());
        break;
      case TAG.newFile: {
        edit.varint();
        const number = edit.varint();
        manifest.tables.set(number, edit.varint());
        edit.prefixed();
        edit.prefixed();
        break;
      }
      default:
        throw new Malformed(`holds a field (${tag}) that this version cannot read`);
    }
  }
}
