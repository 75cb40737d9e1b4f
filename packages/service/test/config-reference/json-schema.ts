import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import { concernSection } from "../../src/config/service-schema/provider-entries.ts";
import { knownConcerns, type ProviderType } from "../../src/config/service-schema/provider-types.ts";
import { plainSections } from "../../src/config/service-schema/service-config.ts";
import {
  metricsShort,
  registryShort,
  securityTlsShort,
  tracingShort,
} from "../../src/config/service-schema/short-forms.ts";

type Json = { [key: string]: unknown };

/**
 * The JSON Schema of a service's configuration, for editors. It takes each file of the layers, so nothing is required in it, and a placeholder wherever
 * a value may be.
 */
export function serviceJsonSchema(types: readonly ProviderType[]): Json {
  const sections = plainSections({ isProduction: false });
  const definitions: Json = { placeholder: { type: "string", pattern: "\\$\\{" } };
  const properties: Json = {};
  for (const [key, schema] of Object.entries(sections)) properties[key] = convert(schema);
  for (const concern of knownConcerns) properties[concern] = concernSchema(concern, types, definitions);
  for (const [key, schema] of Object.entries({
    registry: registryShort,
    tracing: tracingShort,
    metrics: metricsShort,
  })) {
    properties[key] = convert(schema);
  }
  // Other keys are those of the registry's type.
  (properties.registry as Json).additionalProperties = true;
  const security = properties.security as { properties: Json };
  Object.assign(security.properties, (convert(securityTlsShort) as { properties: Json }).properties);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Configuration of a Tercel service",
    type: "object",
    properties: { ...properties, app: { description: "The settings of the application." } },
    patternProperties: { "^x-": {} },
    additionalProperties: false,
    definitions,
  };
}

function concernSchema(concern: string, types: readonly ProviderType[], definitions: Json): Json {
  const section = convert(concernSection(concern)) as { properties: Json };
  const { additionalProperties: common } = section.properties.providers as {
    additionalProperties: { properties: Json };
  };
  const own = types.filter((type) => type.concern === concern);
  const byName: Json = {};
  for (const { type, aliases = [], config } of own) {
    const entry = convert(config) as { properties?: Json };
    definitions[`${concern}.${type}`] = { ...entry, properties: { ...common.properties, ...entry.properties } };
    for (const name of [type, ...aliases]) byName[name] = { $ref: `#/definitions/${concern}.${type}` };
  }
  const named = {
    type: "object",
    required: ["type"],
    allOf: Object.entries(byName).map(([name, then]) => ({ if: { properties: { type: { const: name } } }, then })),
  };
  const providers = { type: "object", properties: byName, additionalProperties: named };
  return { type: "object", properties: { ...section.properties, providers }, additionalProperties: false };
}

function convert(schema: GenericSchema): Json {
  const converted = toJsonSchema(schema, {
    typeMode: "input",
    errorMode: "ignore",
    overrideAction({ valibotAction, jsonSchema }) {
      const { type, description, requirement } = valibotAction as {
        type: string;
        description?: string;
        requirement?: unknown;
      };
      const saysNothing =
        type === "metadata" || description === "" || (requirement instanceof RegExp && requirement.source === "(?:)");
      return saysNothing ? jsonSchema : undefined;
    },
  });
  const { $schema: _, ...rest } = converted as Json;
  return withPlaceholders(rest, false) as Json;
}

const constraints = ["enum", "pattern", "format", "minLength"];

function withPlaceholders(schema: unknown, isInList: boolean): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withPlaceholders(item, isInList));
  if (typeof schema !== "object" || schema === null) return schema;
  const { required, properties, items, additionalProperties, description, ...rest } = schema as Json;
  const isScalar =
    ["number", "integer", "boolean"].includes(String(rest.type)) || constraints.some((key) => key in rest);
  if (isScalar) {
    const { default: defaultValue, ...bare } = rest;
    return {
      ...(description !== undefined && { description }),
      ...(defaultValue !== undefined && { default: defaultValue }),
      anyOf: [bare, { $ref: "#/definitions/placeholder" }],
    };
  }
  return {
    ...(description !== undefined && { description }),
    ...rest,
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties as Json).map(([key, child]) => [key, withPlaceholders(child, isInList)]),
      ),
    }),
    ...(isInList && Array.isArray(required) && required.length > 0 && { required }),
    ...(items !== undefined && { items: withPlaceholders(items, true) }),
    ...(additionalProperties !== undefined && {
      additionalProperties: withPlaceholders(additionalProperties, isInList),
    }),
  };
}
