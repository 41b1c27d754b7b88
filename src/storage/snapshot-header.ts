import { decodeConfiguration, encodeConfiguration } from "../configuration-record.js";
import type { Configuration, NodeId, Position, Term } from "../raft/types.js";
import { SnapshotDamaged } from "./snapshot-damaged.js";

/** What a snapshot is a snapshot of. */
export interface SnapshotHeader {
  readonly clusterId: string;
  /** The last entry whose effects are in the rows. */
  readonly position: Position;
  /** In force at the position. */
  readonly configuration: Configuration;
  /**
   * The current term of the node that took it, at that moment: every leader of that term or a later one holds
   * everything up to the position. Who installs it goes by this term too (raft/types.ts, InstalledSnapshot).
   */
  readonly currentTerm: Term;
  /** When it was taken, by the wall clock of the node that took it: milliseconds since the epoch. */
  readonly time: number;
  /** Who took it. */
  readonly nodeId: NodeId;
  /** Of the software that took it. */
  readonly version: string;
}

/** Raised when older code could not read what newer code writes. */
const FORMAT = 1;

/** One line of JSON: what a file is can be told with the eye. */
export function encodeHeader({ position, configuration, ...rest }: SnapshotHeader): Uint8Array {
  const { clusterId, currentTerm, time, nodeId, version } = rest;
  const members = Buffer.from(encodeConfiguration(configuration)).toString("base64");
  const { index, term } = position;
  return Buffer.from(
    JSON.stringify({
      format: FORMAT,
      clusterId,
      index,
      term,
      currentTerm,
      configuration: members,
      time,
      nodeId,
      version,
    }),
  );
}

/** @throws SnapshotDamaged */
export function decodeHeader(body: Buffer): SnapshotHeader {
  const fields = parsed(body);
  const format = numberOf(fields, "format");
  if (format !== FORMAT) {
    throw new SnapshotDamaged(
      `The snapshot is of format ${format}, and this version of Folio reads format ${FORMAT}: use the version that wrote it`,
    );
  }
  return {
    clusterId: textOf(fields, "clusterId"),
    position: { index: numberOf(fields, "index"), term: numberOf(fields, "term") },
    configuration: configurationOf(textOf(fields, "configuration")),
    currentTerm: numberOf(fields, "currentTerm"),
    time: numberOf(fields, "time"),
    nodeId: numberOf(fields, "nodeId"),
    version: textOf(fields, "version"),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parsed(body: Buffer): Fields {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === "object" && value !== null) return { ...value };
  } catch (error) {
    throw new SnapshotDamaged("The header of the snapshot cannot be read", { cause: error });
  }
  throw new SnapshotDamaged("The header of the snapshot is no list of fields");
}

function numberOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new SnapshotDamaged(`The header of the snapshot has no number ${name}`);
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === "string") return value;
  throw new SnapshotDamaged(`The header of the snapshot has no text ${name}`);
}

function configurationOf(text: string): Configuration {
  try {
    return decodeConfiguration(Buffer.from(text, "base64"));
  } catch (error) {
    throw new SnapshotDamaged("The header of the snapshot holds no configuration that can be read", { cause: error });
  }
}
