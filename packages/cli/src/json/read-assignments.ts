import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { suggestNearest } from "../frame/suggestion.ts";
import { jsonText } from "./json-text.ts";
import { parseJson, toJsonValue } from "./parse-json.ts";

/**
 * Reads a message from assignments such as `name=Ada`, `user.email=a@b.example` and `labels.env=prod`. Each assignment to a repeated field
 * adds an element. Strings are taken literally; a message field takes JSON.
 *
 * @throws CommandFailure with exit code 4 that names the assignment
 */
export function readAssignments(schema: DescMessage, assignments: readonly string[], registry: Registry): Message {
  const json: JsonObject = {};
  for (const assignment of assignments) {
    const at = assignment.indexOf("=");
    const assigned: Assigned = { path: assignment.slice(0, at).split("."), text: assignment.slice(at + 1), assignment };
    assign(json, schema, assigned);
    tryRead(schema, json, registry, assignment);
  }
  return tryRead(schema, json, registry, assignments.at(-1) ?? "");
}

interface Assigned {
  readonly path: readonly string[];
  readonly text: string;
  readonly assignment: string;
}

function assign(target: JsonObject, schema: DescMessage, assigned: Assigned): void {
  const [name = "", ...rest] = assigned.path;
  const field = schema.fields.find((one) => one.name === name || one.jsonName === name);
  if (field === undefined) throw unknownField(name, schema, assigned);
  const below = { ...assigned, path: rest };
  if (field.fieldKind === "map") {
    if (rest.length === 0) throw wrong(assigned, `${name} is a map: use ${name}.KEY=VALUE`);
    const entries = objectIn(target, field.name);
    // Keys may contain dots.
    entries[rest.join(".")] = leafValue(field, assigned);
  } else if (rest.length > 0) {
    if (field.fieldKind !== "message") throw wrong(assigned, `${name} has no fields`);
    assign(objectIn(target, field.name), field.message, below);
  } else if (field.fieldKind === "list") {
    const items = (target[field.name] ?? []) as JsonValue[];
    target[field.name] = [...items, leafValue(field, assigned)];
  } else {
    target[field.name] = leafValue(field, assigned);
  }
}

function objectIn(target: JsonObject, name: string): JsonObject {
  const found = target[name];
  if (typeof found === "object" && found !== null && !Array.isArray(found)) return found;
  const made: JsonObject = {};
  target[name] = made;
  return made;
}

function leafValue(field: DescField, { text, assignment }: Assigned): JsonValue {
  if ("message" in field && field.message !== undefined) {
    return /^\s*[{["]/.test(text) ? toJsonValue(parseJson(jsonText(`-d ${assignment}`, text))) : text;
  }
  if ("enum" in field && field.enum !== undefined) return /^-?\d+$/.test(text) ? Number(text) : text;
  // Proto3 JSON accepts numbers as strings, which keeps all digits of a 64-bit integer.
  return field.scalar === ScalarType.BOOL && (text === "true" || text === "false") ? text === "true" : text;
}

function tryRead(schema: DescMessage, json: JsonObject, registry: Registry, assignment: string): Message {
  try {
    return fromJson(schema, json, { registry });
  } catch (error) {
    const reason = (error as Error).message.replace(/^cannot decode .*? from JSON: /s, "");
    throw new CommandFailure(exitCodes.invalidInput, `-d ${assignment}: ${reason}`, { cause: error });
  }
}

function unknownField(name: string, schema: DescMessage, assigned: Assigned): CommandFailure {
  const names = schema.fields.map((field) => field.name);
  const known = names.length === 0 ? `${schema.typeName} has no fields` : `${schema.typeName} has ${names.join(", ")}`;
  const hint = suggestNearest(name, names, JSON.stringify) ?? known;
  return wrong(assigned, `unknown field ${JSON.stringify(name)}; ${hint}`);
}

function wrong({ assignment }: Assigned, message: string): CommandFailure {
  return new CommandFailure(exitCodes.invalidInput, `-d ${assignment}: ${message}`);
}
