import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { invalidField } from "../problem.js";
import * as fields from "../request-fields.js";

/**
 * Checks one field against the rule that REST has for it. Proto3 does not tell an empty text from an absent one, so that
 * "" passes wherever the field may be left out.
 * @throws Problem VALIDATION_ERROR naming the field as the .proto file does
 */
export type FieldRule = (value: unknown, field: string) => void;

function required(schema: TSchema & { readonly description?: string }): FieldRule {
  const compiled = Compile(schema);
  const expected = schema.description ?? "valid";
  return (value, field) => {
    if (!compiled.Check(value)) throw invalidField(field, expected);
  };
}

function unlessEmpty(schema: TSchema & { readonly description?: string }): FieldRule {
  const rule = required(schema);
  return (value, field) => {
    if (value !== "") rule(value, field);
  };
}

function unlessAbsent(schema: TSchema & { readonly description?: string }): FieldRule {
  const rule = required(schema);
  return (value, field) => {
    if (value !== undefined) rule(value, field);
  };
}

export const prefixRule = required(fields.prefixField);
export const countRule = required(fields.countField);
export const reasonRule = required(fields.reasonField);
export const versionRule = unlessAbsent(fields.versionField);
export const textRule = unlessEmpty(fields.textField);
export const idempotencyKeyRule = unlessEmpty(fields.idempotencyKeyField);
export const documentDateRule = unlessEmpty(fields.documentDateField);
export const periodRule = unlessEmpty(fields.periodField);
export const consistencyRule = unlessEmpty(fields.consistencyField);
export const requestIdRule = required(fields.requestIdField);

const settings = fields.settingFields;

/** Of ConfigInfo, by the names of DefinitionChange; what is absent is not looked at. */
export const settingRules = {
  template: unlessAbsent(settings.template),
  padding: unlessAbsent(settings.padding),
  separator: unlessAbsent(settings.separator),
  start: unlessAbsent(settings.start),
  step: unlessAbsent(settings.step),
  maximum: unlessAbsent(settings.maximum),
  resetRule: unlessAbsent(settings.resetRule),
  timeZone: unlessAbsent(settings.timeZone),
  fiscalYearStart: unlessAbsent(settings.fiscalYearStart),
  scope: unlessAbsent(settings.scope),
  isActive: unlessAbsent(settings.isActive),
  description: unlessAbsent(settings.description),
} as const;

const SAFE_RANGE = `an integer from 0 to ${Number.MAX_SAFE_INTEGER}`;

/**
 * An int64 as a number, checked before it could lose digits.
 * @throws Problem VALIDATION_ERROR outside 0 to 2^53-1
 */
export function safeNumber(value: bigint, field: string): number {
  if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidField(field, SAFE_RANGE);
  return Number(value);
}

export function optionalSafeNumber(value: bigint | undefined, field: string): number | undefined {
  return value === undefined ? undefined : safeNumber(value, field);
}
