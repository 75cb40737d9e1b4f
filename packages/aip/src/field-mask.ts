import { clone, type DescField, type DescMessage, equals, type MessageShape } from "@bufbuild/protobuf";
import { isReflectMessage, type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { FieldMask } from "@bufbuild/protobuf/wkt";
import { type FieldViolation, invalidArgument } from "@tercel/grpc/errors";
import { nearestName, refuseUnknownOptions } from "@tercel/grpc/internal";

export interface FieldMaskOptions {
  /** Fields that only the server sets. What a request says of them is ignored (AIP-203). Paths by proto name. */
  readonly outputOnly?: readonly string[];
  /** Fields that never change after creation. A request that would change one is refused. */
  readonly immutable?: readonly string[];
  /** The request's field that violations name. Default `update_mask`. */
  readonly field?: string;
}

/** With more paths than this a request is a copy, not an update; `*` says that in one path. */
const maxPaths = 256;

/**
 * Applies an update (AIP-134) to `target`: each field that the mask names takes its value from `source`, also if that is not
 * set there. Without a mask, or with an empty one, the fields that are set in `source` count; `*` names all. A path may lead into
 * messages (`address.city`), and stops at repeated fields and maps, which are replaced as a whole.
 *
 * @throws ConnectError InvalidArgument that lists every wrong path; `target` is untouched then
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
  // A copy, or the two messages would share lists and messages from now on.
  const from = reflect(schema, clone(schema, source));
  const to = reflect(schema, target);
  const requestField = options.field ?? "update_mask";

  const paths = namedPaths(from, mask?.paths ?? []);
  const violations: FieldViolation[] = [];
  if (paths.length > maxPaths) {
    violations.push({ field: requestField, description: `names ${paths.length} paths; ${maxPaths} are allowed` });
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

/** Whether one path is the other or leads into it. */
function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

/** The fields on the way, or what is wrong with the path. */
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

/** What remains of an update when fields that are the server's are left out: the field itself, or those within it. */
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
  // Nothing to take and nothing to clear: the message must not come into being by being emptied.
  if (source === undefined && !to.isSet(first)) return;
  const inner = to.get(first);
  if (!isReflectMessage(inner)) return;
  copyField(isReflectMessage(source) ? source : reflect(inner.desc), inner, rest);
  to.set(first, inner);
}

/** Compared as messages that hold nothing else, because values may be bytes, lists, or messages themselves. */
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
