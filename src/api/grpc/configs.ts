import type {
  ConfigInfo,
  UpdateConfigRequest,
  UpdateConfigResponse,
} from "../../generated/sequentialid/sequential_id.js";
import type { Configure } from "../../sequence/command.js";
import type { Definition, DefinitionChange } from "../../sequence/definition.js";
import type { Configured } from "../../sequence/result.js";
import { type Caller, type ConfigureFields, configureCommand } from "../commands.js";
import { invalidField, Problem, snakeCase } from "../problem.js";
import { optionalSafeNumber, prefixRule, settingRules, textRule, versionRule } from "./field-rules.js";

/** A definition as ConfigInfo says it. */
export function configInfoOf(definition: Definition): ConfigInfo {
  return {
    prefix: definition.prefix,
    format: definition.template,
    padding: definition.padding,
    separator: definition.separator,
    initialValue: BigInt(definition.start),
    maxValue: BigInt(definition.maximum),
    isActive: definition.isActive,
    description: definition.description,
    resetRule: definition.resetRule,
    timeZone: definition.timeZone,
    version: BigInt(definition.version),
    step: BigInt(definition.step),
    scope: definition.scope,
    fiscalYearStart: definition.fiscalYearStart,
  };
}

/** Where ConfigInfo calls a setting by another name than DefinitionChange. */
const otherNames: ReadonlyMap<string, string> = new Map([
  ["template", "format"],
  ["start", "initial_value"],
  ["maximum", "max_value"],
  ["expectedVersion", "version"],
]);

/** A field of a Configure command as a caller of UpdateConfig knows it. */
export function configFieldName(field: string): string {
  return `config.${otherNames.get(field) ?? snakeCase(field)}`;
}

/**
 * What an UpdateConfig asks for; what ConfigInfo leaves out stays as it is.
 * @throws Problem VALIDATION_ERROR
 */
function configureFieldsOf(request: UpdateConfigRequest): ConfigureFields {
  const { config } = request;
  if (config === undefined) throw invalidField("config", "present");
  prefixRule(config.prefix ?? "", "config.prefix");
  textRule(request.clientId, "client_id");
  textRule(request.correlationId, "correlation_id");
  const expectedVersion = optionalSafeNumber(config.version, "config.version");
  versionRule(expectedVersion, "config.version");
  return {
    prefix: config.prefix ?? "",
    clientId: request.clientId,
    correlationId: request.correlationId,
    change: changeOf(config),
    expectedVersion,
  };
}

/** @throws Problem VALIDATION_ERROR */
export function configureCommandOf(request: UpdateConfigRequest, caller: Caller): Configure {
  const fields = configureFieldsOf(request);
  try {
    return configureCommand(fields, caller);
  } catch (error) {
    // The zone is looked up behind the edges, where the field has no message around it.
    if (!(error instanceof Problem) || error.errors[0]?.field !== "time_zone") throw error;
    throw invalidField("config.time_zone", error.errors[0].expected);
  }
}

type Settings = { readonly [Name in keyof typeof settingRules]: DefinitionChange[Name] | undefined };
type Change = Omit<DefinitionChange, "zoneTransitions">;

function changeOf(config: ConfigInfo): Change {
  const settings: Settings = {
    template: config.format,
    padding: config.padding,
    separator: config.separator,
    start: optionalSafeNumber(config.initialValue, "config.initial_value"),
    step: optionalSafeNumber(config.step, "config.step"),
    maximum: optionalSafeNumber(config.maxValue, "config.max_value"),
    resetRule: config.resetRule,
    timeZone: config.timeZone,
    fiscalYearStart: config.fiscalYearStart,
    scope: config.scope,
    isActive: config.isActive,
    description: config.description,
  };
  for (const [name, rule] of Object.entries(settingRules)) rule(Reflect.get(settings, name), configFieldName(name));
  return withoutAbsent(settings);
}

function withoutAbsent(settings: Settings): Change {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

export function updateResponseOf(result: Configured): UpdateConfigResponse {
  const { definition } = result;
  const message = result.created
    ? `${definition.prefix} was created`
    : `${definition.prefix} is configured as of version ${definition.version}`;
  return { success: true, message, config: configInfoOf(definition) };
}
