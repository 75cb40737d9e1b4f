import { clone, type DescField, type DescMessage, equals, type MessageShape } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, invalidArgument } from "@tercel/grpc/errors";
import { nearestName, refuseUnknownOptions } from "@tercel/grpc/internal";

export interface FieldMaskOptions {
  /** Paths of fields that only the server sets, by proto name. Their values in requests are ignored (AIP-203). */
  readonly outputOnly?: readonly string[];
  /** Paths of fields that never change after creation. A request that would change one is rejected. */
  readonly immutable?: readonly string[];
  /** The name of the request field in violations. Default `update_mask`. */
  readonly field?: string;
}

/** A request with more paths replaces the whole message, for which `*` is enough. */
const maxPaths = 256;

/**
 * Applies an update (AIP-134) to `target`: copies each field in the mask from `source`, and clears it if `source` does not have it. Without a
 * mask, or with an empty one, the fields that are set in `source` are copied; `*` selects all fields. A path may select a field of a nested
 * message (`address.city`). Repeated fields and maps are replaced as a whole.
 *
 * @throws ConnectError InvalidArgument that lists every invalid path; `target` is unchanged then
 * @throws TypeError when an option names a field that the message does not have
 */
export function applyFieldMask<Schema extends DescMessage>(
  schema: Schema,
  target: MessageShape<Schema>,
  source: MessageShape<Schema>,
  mask: FieldMask | undefined,
  options: FieldMaskOptions = {},
): void {
  refuseUnknownOptions("applyFieldMask", options, ["outputOnly", "immutable", "field"]);
  const outputOnly = checkedPaths(schema, "outputOnly", options.outputOnly);
  const immutable = checkedPaths(schema, "immutable", options.immutable);
  // A copy, so that the two messages do not share lists and nested messages.
  const from = reflect(schema, clone(schema, source));
  const to = reflect(schema, target);
  const requestField = options.field ?? "update_mask";

  const paths = namedPaths(from, mask?.paths ?? []);
  const violations: FieldViolation[] = [];
  if (paths.length > maxPaths) {
    violations.push({ field: requestField, description: `has ${paths.length} paths; at most ${maxPaths} are allowed` });
  }
  const updates: DescField[][] = [];
  for (const path of paths.slice(0, maxPaths)) {
    const steps = findSteps(schema, path);
    if (typeof steps === "string") violations.push({ field: requestField, description: steps });
    else updates.push(...leavesOutside(steps, outputOnly));
  }
  for (const fixed of immutable) {
    const changes = updates.some((steps) => overlaps(pathOf(steps), fixed)) && !isSame(schema, from, to, fixed);
    if (changes) violations.push({ field: requestField, description: `names "${fixed}", which cannot be changed` });
  }
  if (violations.length > 0) throw invalidArgument({ violations });
  for (const steps of updates) copyField(from, to, steps);
}

function namedPaths(from: ReflectMessage, paths: readonly string[]): readonly string[] {
  if (paths.length === 0) return from.fields.filter((field) => from.isSet(field)).map((field) => field.name);
  if (paths.includes("*")) return from.fields.map((field) => field.name);
  return paths;
}

function pathOf(steps: readonly DescField[]): string {
  return steps.map((step) => step.name).join(".");
}

/** Whether the paths are equal or one is the parent of the other. */
function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

/** Returns the fields along the path, or the description of its violation. */
function findSteps(schema: DescMessage, path: string): DescField[] | string {
  const steps: DescField[] = [];
  let message: DescMessage | undefined = schema;
  for (const name of path.split(".")) {
    const shown = path.length > 64 ? `${path.slice(0, 64)}…` : path;
    if (message === undefined) return `names "${shown}", but "${pathOf(steps)}" has no fields of its own`;
    const step: DescField | undefined = message.fields.find((field) => field.name === name);
    if (step === undefined) {
      const nearest = nearestName(
        name,
        message.fields.map((field) => field.name),
      );
      return `names "${shown}", which does not exist${nearest === undefined ? "" : `; did you mean "${[...steps.map((one) => one.name), nearest].join(".")}"?`}`;
    }
    steps.push(step);
    message = step.fieldKind === "message" ? step.message : undefined;
  }
  return steps;
}

/** Returns an update without the output-only fields: the field itself, or the remaining fields below it. */
function leavesOutside(steps: DescField[], outputOnly: readonly string[]): DescField[][] {
  const path = pathOf(steps);
  if (outputOnly.some((one) => path === one || path.startsWith(`${one}.`))) return [];
  if (!outputOnly.some((one) => one.startsWith(`${path}.`))) return [steps];
  const last = steps.at(-1);
  const inner = last?.fieldKind === "message" ? last.message.fields : [];
  return inner.flatMap((field) => leavesOutside([...steps, field], outputOnly));
}

function copyField(from: ReflectMessage, to: ReflectMessage, steps: readonly DescField[]): void {
  const [first, ...rest] = steps;
  if (first === undefined) return;
  if (rest.length === 0) {
    if (from.isSet(first)) to.set(first, from.get(first));
    else to.clear(first);
    return;
  }
  const source = from.isSet(first) ? from.get(first) : undefined;
  // Clearing a field must not create the message that contains it.
  if (source === undefined && !to.isSet(first)) return;
  const inner = to.get(first);
  if (!isReflectMessage(inner)) return;
  copyField(isReflectMessage(source) ? source : reflect(inner.desc), inner, rest);
  to.set(first, inner);
}

/** Compares the field in messages that contain only this field, because its value may be bytes, a list or a message. */
function isSame(schema: DescMessage, from: ReflectMessage, to: ReflectMessage, path: string): boolean {
  const steps = findSteps(schema, path);
  if (typeof steps === "string") return true;
  const [left, right] = [reflect(schema), reflect(schema)];
  copyField(from, left, steps);
  copyField(to, right, steps);
  return equals(schema, left.message, right.message);
}

function checkedPaths(schema: DescMessage, option: string, paths: readonly string[] = []): readonly string[] {
  for (const path of paths) {
    const steps = findSteps(schema, path);
    if (typeof steps === "string") throw new TypeError(`applyFieldMask: ${option} ${steps}`);
  }
  return paths;
}
