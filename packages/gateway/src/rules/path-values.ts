import type { PathTemplate, TemplateVariable } from "./path-template.ts";
import { decodeMulti, type RequestPath } from "./request-path.ts";

/** Returns the values of a template's variables in a matching path, in the template's order. */
export function readPathValues(template: PathTemplate, path: RequestPath, verbLength: number): readonly string[] {
  const { variables } = template;
  if (variables.length === 0) return noValues;
  const values: string[] = [];
  for (const variable of variables) values.push(readValue(template, variable, path, verbLength));
  return values;
}

const noValues: readonly string[] = [];

function readValue(
  { segments, manyAt }: PathTemplate,
  { start, end, isMulti }: TemplateVariable,
  path: RequestPath,
  verbLength: number,
): string {
  // `**` matches the segments that are left over by the others.
  const shift = path.raw.length - segments.length;
  const from = manyAt !== -1 && start > manyAt ? start + shift : start;
  const to = manyAt !== -1 && end > manyAt ? end + shift : end;
  const hasVerb = verbLength > 0 && to === path.raw.length && to > from;
  if (!isMulti && !hasVerb) return path.decoded[from] ?? "";
  const raw = path.raw.slice(from, to);
  if (hasVerb) raw[raw.length - 1] = (raw.at(-1) as string).slice(0, -verbLength);
  return isMulti ? decodeMulti(raw) : decodeURIComponent(raw[0] ?? "");
}
