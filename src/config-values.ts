import { isIPv4 } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";

/** A variable that does not make sense. The message is one sentence that names it; it stops the start. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(
    readonly variable: string,
    message: string,
  ) {
    super(message);
  }
}

export const nodeIdMax = 65_535;
const portMax = 65_535;

export function quoted(value: string): string {
  return JSON.stringify(value);
}

const hostAndPort = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?<port>[1-9]\d{0,4})$/;

/** Whether the text is host:port, an IPv6 host in brackets. */
export function isPeerAddress(text: string): boolean {
  return Number(hostAndPort.exec(text)?.groups?.["port"] ?? portMax + 1) <= portMax;
}

/** A founding member. */
export interface Founder {
  readonly id: number;
  /** host:port */
  readonly address: string;
}

const peerPattern = /^(?<id>[1-9]\d{0,4})=(?<address>.*)$/;

function parsePeer(value: string): Founder {
  const groups = peerPattern.exec(value)?.groups;
  const id = Number(groups?.["id"]);
  const address = groups?.["address"];
  if (address === undefined || id > nodeIdMax || !isPeerAddress(address)) {
    throw new ConfigError(
      "PEERS",
      `PEERS holds ${quoted(value)}; expected id=host:port, comma-separated, such as 1=10.0.0.1:7070,2=10.0.0.2:7070.`,
    );
  }
  return { id, address };
}

/** @throws ConfigError if the text is not id=host:port, comma-separated, each member once */
export function parsePeers(value: string): readonly Founder[] {
  const peers = value.split(",").map((part) => parsePeer(part.trim()));
  for (const key of ["id", "address"] as const) {
    const twice = peers.find((peer, place) => peers.findIndex((other) => other[key] === peer[key]) < place);
    if (twice !== undefined) {
      throw new ConfigError("PEERS", `PEERS names the ${key} ${twice[key]} twice; expected each member once.`);
    }
  }
  return peers;
}

/** @throws ConfigError if the text is not host:port, comma-separated; "" is no address at all */
export function parseJoin(value: string): readonly string[] {
  if (value === "") return [];
  const addresses = value.split(",").map((part) => part.trim());
  const wrong = addresses.find((address) => !isPeerAddress(address));
  if (wrong !== undefined) {
    throw new ConfigError(
      "JOIN",
      `JOIN holds ${quoted(wrong)}; expected peer addresses as host:port, comma-separated, such as 10.0.0.1:7070,10.0.0.2:7070.`,
    );
  }
  return [...new Set(addresses)];
}

const keyPattern = /^[\x21-\x7e]{1,256}$/;

/** The message tells where a key is wrong and never shows it: messages end up in logs. */
export function parseKeys(name: "API_KEYS" | "ADMIN_API_KEYS", value: string): readonly string[] {
  if (value === "") return [];
  const keys = value.split(",").map((key) => key.trim());
  const wrong = keys.findIndex((key) => !keyPattern.test(key));
  if (wrong >= 0) {
    throw new ConfigError(
      name,
      `${name} holds ${keys.length} comma-separated keys of which number ${wrong + 1} is empty, too long or has blanks; ` +
        "expected 1 to 256 printable ASCII characters each.",
    );
  }
  return keys;
}

/** The machine's network interfaces, as os.networkInterfaces tells them. */
export type Interfaces = NodeJS.Dict<Pick<NetworkInterfaceInfo, "address" | "internal">[]>;

/**
 * The address by which other machines reach this one: its first IPv4 address that is not loopback.
 * @throws ConfigError if there is none
 */
export function ownAddress(interfaces: Interfaces): string {
  for (const addresses of Object.values(interfaces)) {
    const reachable = addresses?.find(({ address, internal }) => !internal && isIPv4(address));
    if (reachable !== undefined) return reachable.address;
  }
  throw new ConfigError(
    "ADVERTISE_ADDRESS",
    "ADVERTISE_ADDRESS is auto, but this machine has no IPv4 address besides loopback; expected an address that others reach it by.",
  );
}
