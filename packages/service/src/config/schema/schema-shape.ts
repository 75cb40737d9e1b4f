import { type GenericSchema, getDescription, getMetadata } from "valibot";
import type { Secrecy } from "../document/mask.ts";

/** What is known of the keys that a schema takes: for unknown keys, variables, defaults, secrets and the reference page. */
export interface Shape {
  /** `open` for what cannot be looked into, such as a schema of another library: it takes any keys. */
  readonly kind: "map" | "list" | "scalar" | "open";
  /** Of a map: the keys it has. */
  readonly entries: ReadonlyMap<string, Shape>;
  /** Of a map: what its other keys hold. Undefined where there are none. */
  readonly rest?: Shape;
  /** Of a list. */
  readonly item?: Shape;
  readonly isRequired: boolean;
  readonly defaultValue?: unknown;
  /** What a value is, after "it is": `a number from 0 to 65535`. */
  readonly expects?: string;
  readonly description?: string;
  readonly secret?: Secrecy;
  /** A change holds without a restart. */
  readonly isLive: boolean;
}

/** What `metadata()` of a schema may say for configurations. */
export interface SettingMetadata {
  /** After "it is" in messages: `a number from 0 to 65535`. */
  readonly expects?: string;
  /** `true` never shows the value, `"url"` hides password and parameters, `false` shows it although the key's name looks secret. */
  readonly secret?: Secrecy;
  /** A change holds without a restart. */
  readonly reload?: boolean;
}

/** The parts of valibot's schemas that are looked at; which there are depends on `type`. */
interface SchemaParts {
  readonly type: string;
  readonly wrapped?: GenericSchema;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, GenericSchema>>;
  readonly rest?: GenericSchema;
  readonly item?: GenericSchema;
  readonly value?: GenericSchema;
}

const noEntries: ReadonlyMap<string, Shape> = new Map();
const known = new WeakMap<object, Shape>();

/** The shape of a valibot schema. Of a schema of any other library nothing is known. */
export function shapeOf(schema: object): Shape {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const shape = isValibot(schema)
    ? shapeOfValibot(schema)
    : { kind: "open" as const, entries: noEntries, isRequired: true, isLive: false };
  known.set(schema, shape);
  return shape;
}

export function isValibot(schema: object): schema is GenericSchema {
  return "kind" in schema && schema.kind === "schema" && "~run" in schema;
}

function shapeOfValibot(schema: GenericSchema): Shape {
  const parts = schema as unknown as SchemaParts;
  if (parts.wrapped !== undefined) {
    const isOptional = ["optional", "exact_optional", "nullish"].includes(parts.type);
    const fallback = typeof parts.default === "function" ? parts.default() : parts.default;
    return {
      ...shapeOf(parts.wrapped),
      ...described(schema),
      ...(isOptional && { isRequired: false }),
      ...(fallback !== undefined && { defaultValue: fallback }),
    };
  }
  const common = { entries: noEntries, isRequired: true, isLive: false, ...described(schema) };
  switch (parts.type) {
    case "object":
    case "strict_object":
    case "loose_object":
    case "object_with_rest": {
      const entries = new Map(Object.entries(parts.entries ?? {}).map(([key, entry]) => [key, shapeOf(entry)]));
      const open: Shape = { kind: "open", entries: noEntries, isRequired: false, isLive: false };
      const rest = parts.rest !== undefined ? shapeOf(parts.rest) : parts.type === "loose_object" ? open : undefined;
      return { ...common, kind: "map", entries, ...(rest !== undefined && { rest }) };
    }
    case "record":
      return { ...common, kind: "map", ...(parts.value !== undefined && { rest: shapeOf(parts.value) }) };
    case "array":
      return { ...common, kind: "list", ...(parts.item !== undefined && { item: shapeOf(parts.item) }) };
    case "string":
    case "number":
    case "boolean":
    case "picklist":
    case "literal":
    case "enum":
      return { ...common, kind: "scalar" };
    default:
      // A union, for example: where it says what it expects, it is one of ours, which are all scalars.
      return { ...common, kind: common.expects === undefined ? "open" : "scalar" };
  }
}

function described(schema: GenericSchema): Partial<Shape> {
  const { expects, secret, reload } = getMetadata(schema) as SettingMetadata;
  const description = getDescription(schema);
  return {
    ...(expects !== undefined && { expects }),
    ...(secret !== undefined && { secret }),
    ...(reload !== undefined && { isLive: reload }),
    ...(description !== undefined && { description }),
  };
}

/** The shape of what a key of a map or an item of a list holds; undefined for a key that is not known. */
export function shapeAtStep(shape: Shape | undefined, step: string | number): Shape | undefined {
  if (shape === undefined || shape.kind === "open") return shape;
  if (shape.kind === "list") return typeof step === "number" ? shape.item : undefined;
  return shape.entries.get(String(step)) ?? shape.rest;
}
