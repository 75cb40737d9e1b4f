import type { PathTemplate } from "./path-template.ts";
import { decodeMulti, type RequestPath } from "./request-path.ts";

/** What the variables of a template hold in a path that matches it, in the template's order. */
export function readPathValues(template: PathTemplate, path: RequestPath, verbLength: number): string[] {
  const { segments, variables } = template;
  if (variables.length === 0) return [];
  const manyAt = segments.findIndex((segment) => segment.kind === "many");
  // `**` takes what the other segments leave.
  const shift = path.raw.length - segments.length;
  const placeOf = (at: number): number => (manyAt !== -1 && at > manyAt ? at + shift : at);
  return variables.map(({ start, end, isMulti }) => {
    const from = placeOf(start);
    const to = placeOf(end);
    const raw = path.raw.slice(from, to);
    if (verbLength > 0 && to === path.raw.length && raw.length > 0) {
      const last = raw.length - 1;
      raw[last] = (raw[last] as string).slice(0, -verbLength);
    }
    return isMulti ? decodeMulti(raw) : decodeURIComponent(raw[0] ?? "");
  });
}
