import { type GenericSchema, getDescription, getMetadata } from "valibot";
import type { Secrecy } from "../document/mask.ts";

/** The keys of a schema: for unknown keys, variables, defaults, secrets and the reference page. */
export interface Shape {
  /** `open` for an opaque schema, such as one of another library, which accepts any keys. */
  readonly kind: "map" | "list" | "scalar" | "open";
  /** Known keys of a map. */
  readonly entries: ReadonlyMap<string, Shape>;
  /** Shape of a map's other keys. Undefined if it has none. */
  readonly rest?: Shape;
  /** Shape of a list's items. */
  readonly item?: Shape;
  readonly isRequired: boolean;
  readonly defaultValue?: unknown;
  /** What a value is, after "expected": `a number from 0 to 65535`. */
  readonly expects?: string;
  readonly description?: string;
  readonly secret?: Secrecy;
  /** Whether a change takes effect without a restart. */
  readonly isLive: boolean;
}

/** The `metadata()` of a schema that configurations use. */
export interface SettingMetadata {
  /** After "expected" in messages: `a number from 0 to 65535`. */
  readonly expects?: string;
  /** `true` masks the value, `"url"` masks password and parameters, `false` shows it even if the key's name looks secret. */
  readonly secret?: Secrecy;
  /** Whether a change takes effect without a restart. */
  readonly reload?: boolean;
}

/** The parts of valibot's schemas that are read; which exist depends on `type`. */
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

/** Returns the shape of a valibot schema; `open` for other libraries. */
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
      // A union, for example. Those with `expects` are the kit's own, which are all scalars.
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

/** Returns the shape at a key of a map or an item of a list; undefined for an unknown key. */
export function shapeAtStep(shape: Shape | undefined, step: string | number): Shape | undefined {
  if (shape === undefined || shape.kind === "open") return shape;
  if (shape.kind === "list") return typeof step === "number" ? shape.item : undefined;
  return shape.entries.get(String(step)) ?? shape.rest;
}
