import { BinaryReader, type BinaryWriter } from "@bufbuild/protobuf/wire";
import { invariant } from "../../assert.js";
import {
  Command as CommandBytes,
  type Configure as ConfigureBytes,
  type Draw as DrawBytes,
  type Reset as ResetBytes,
} from "../../generated/folio/sequence/v1/sequence.js";
import type { Command, Configure, Draw, Provenance, Reset, ScopeValues } from "../command.js";
import type { DefinitionChange } from "../definition.js";

/** What the log carries of a command. Empty fields cost nothing. */
type Body = NonNullable<CommandBytes["body"]>;

const NOBODY: Provenance = { principal: "", clientId: "", generatedBy: "", correlationId: "", requestId: "" };
const NOWHERE: ScopeValues = { site: "", partition: "", documentType: "" };

/**
 * @param writer is left empty, to be used again: a new one costs more than the command
 * @throws InvariantViolation for a number that is no safe integer from 0 on: edges let none pass.
 */
export function encodeCommand(command: Command, writer?: BinaryWriter): Uint8Array {
  const provenance = Object.values(command.provenance).some((text) => text !== "") ? command.provenance : undefined;
  return CommandBytes.encode({ provenance, body: toBody(command) }, writer).finish();
}

/** @throws InvariantViolation for bytes that are no command; these never get into a log. */
export function decodeCommand(bytes: Uint8Array): Command {
  const { provenance = NOBODY, body } = CommandBytes.decode(bytes);
  invariant(body !== undefined, "a command has a kind that this node knows");
  switch (body.$case) {
    case "draw":
      return toDraw(provenance, body.value);
    case "reset":
      return toReset(provenance, body.value);
    case "configure":
      return toConfigure(provenance, body.value);
    case "seedSettings":
      return { kind: "seedSettings", provenance, ...body.value };
  }
}

/** The prefix that a command is about, without decoding the rest; undefined if it is about none. */
export function prefixOfCommand(bytes: Uint8Array): string | undefined {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 || field > 4) {
      reader.skip(wireType, field);
      continue;
    }
    const end = reader.uint32() + reader.pos;
    // Prefixes are field 1 of every body, and written first.
    return reader.pos < end && reader.uint32() === 10 ? reader.string() : undefined;
  }
  return undefined;
}

function toBody(command: Command): Body {
  switch (command.kind) {
    case "draw":
      requireCounts(command.count);
      return { $case: "draw", value: { ...command, scope: presentScope(command.scope) } };
    case "reset":
      requireCounts(command.newValue, command.expectedVersion);
      return {
        $case: "reset",
        value: { ...command, scope: presentScope(command.scope), mayBeIssued: command.mayBeIssued ?? false },
      };
    case "configure": {
      const { prefix, change, expectedVersion, ifAbsent } = command;
      const { padding, start, step, maximum, fiscalYearStart, zoneTransitions = [] } = change;
      requireCounts(padding, start, step, maximum, fiscalYearStart, expectedVersion);
      const value = { ...change, zoneTransitions: [...zoneTransitions], prefix, expectedVersion, ifAbsent };
      return { $case: "configure", value };
    }
    case "seedSettings":
      requireCounts(command.idempotencyRetentionMs, command.idempotencyKeysMax);
      return { $case: "seedSettings", value: command };
  }
}

function toDraw(provenance: Provenance, value: DrawBytes): Draw {
  return {
    kind: "draw",
    provenance,
    prefix: value.prefix,
    count: value.count,
    batch: value.batch,
    contiguous: value.contiguous,
    scope: value.scope ?? NOWHERE,
    documentDate: value.documentDate,
    documentRef: value.documentRef,
    idempotencyKey: value.idempotencyKey,
  };
}

function toReset(provenance: Provenance, value: ResetBytes): Reset {
  const { prefix, newValue, reason, force, expectedVersion, period, mayBeIssued } = value;
  const expected = expectedVersion === undefined ? {} : { expectedVersion };
  return {
    kind: "reset",
    provenance,
    prefix,
    newValue,
    reason,
    force,
    scope: value.scope ?? NOWHERE,
    period,
    ...expected,
    ...(mayBeIssued ? { mayBeIssued } : {}),
  };
}

function toConfigure(provenance: Provenance, value: ConfigureBytes): Configure {
  const { prefix, expectedVersion, ifAbsent, zoneTransitions, ...settings } = value;
  const present = Object.entries(settings).filter(([, setting]) => setting !== undefined);
  const zone = settings.timeZone === undefined ? {} : { zoneTransitions };
  const change: DefinitionChange = { ...Object.fromEntries(present), ...zone };
  const expected = expectedVersion === undefined ? {} : { expectedVersion };
  return { kind: "configure", provenance, prefix, change, ifAbsent, ...expected };
}

function presentScope(scope: ScopeValues): ScopeValues | undefined {
  return scope.site === "" && scope.partition === "" && scope.documentType === "" ? undefined : scope;
}

function requireCounts(...numbers: readonly (number | undefined)[]): void {
  for (const number of numbers) {
    if (number === undefined) continue;
    invariant(Number.isSafeInteger(number) && number >= 0, "a number of a command is a safe integer from 0 on");
  }
}
