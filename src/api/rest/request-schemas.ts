import { Type } from "typebox";
import {
  countField,
  documentDateField,
  flagField,
  idempotencyKeyField,
  prefixField,
  settingFields,
  textField,
} from "../request-fields.js";

/** Parts of requests that several routes share. Every object is closed: an unknown field is an error. */

export const closed = { additionalProperties: false } as const;

export const authorProperties = {
  client_id: Type.Optional(textField),
  generated_by: Type.Optional(textField),
  correlation_id: Type.Optional(textField),
};

export const scopeProperties = {
  site: Type.Optional(textField),
  partition: Type.Optional(textField),
  document_type: Type.Optional(textField),
};

export const drawProperties = {
  ...authorProperties,
  ...scopeProperties,
  document_date: Type.Optional(documentDateField),
  document_ref: Type.Optional(textField),
};

export const batchProperties = {
  ...drawProperties,
  count: countField,
  expand: Type.Optional(flagField),
  contiguous: Type.Optional(flagField),
};

export const settingProperties = {
  format_template: Type.Optional(settingFields.template),
  padding_length: Type.Optional(settingFields.padding),
  separator: Type.Optional(settingFields.separator),
  start: Type.Optional(settingFields.start),
  step: Type.Optional(settingFields.step),
  maximum: Type.Optional(settingFields.maximum),
  reset_rule: Type.Optional(settingFields.resetRule),
  time_zone: Type.Optional(settingFields.timeZone),
  fiscal_year_start: Type.Optional(settingFields.fiscalYearStart),
  scope: Type.Optional(settingFields.scope),
  gap_policy: Type.Optional(settingFields.gapPolicy),
  profile: Type.Optional(settingFields.profile),
  is_active: Type.Optional(settingFields.isActive),
  description: Type.Optional(settingFields.description),
};

export const prefixParams = Type.Object({ prefix: prefixField }, closed);

export const idempotencyHeaders = Type.Object({ "idempotency-key": Type.Optional(idempotencyKeyField) });
