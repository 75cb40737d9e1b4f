import type { PathTemplate } from "../rules/path-template.ts";

/** A wildcard of a template as OpenAPI has it: a parameter of the path. */
export interface PathParameter {
  readonly name: string;
  /** The variable that it is part of; undefined for a wildcard that is none. */
  readonly variable: number | undefined;
  /** It may hold several segments, which OpenAPI has no form for. */
  readonly isMany: boolean;
  /** It is a whole variable, so that its schema is the field's. */
  readonly isWhole: boolean;
}

export interface NamedPath {
  /** With a name for each wildcard: `/v1/shelves/{name}/books/{name_1}:lend`. */
  readonly path: string;
  /** The same without names: two templates with one shape are one path in OpenAPI. */
  readonly shape: string;
  readonly parameters: readonly PathParameter[];
}

/** Gives each wildcard of a template a name: its variable's, with a number for the second one of a variable and those after it. */
export function namePath(template: PathTemplate): NamedPath {
  const parameters: PathParameter[] = [];
  const parts = template.segments.map((segment, at) => {
    if (segment.kind === "literal") return { text: encodeURIComponent(segment.text), shape: segment.text };
    const variable = template.variables.findIndex(({ start, end }) => at >= start && at < end);
    const parameter = nameParameter(template, variable, at, parameters);
    parameters.push(parameter);
    return { text: `{${parameter.name}}`, shape: "{}" };
  });
  const verb = template.verb === undefined ? "" : `:${template.verb}`;
  return {
    path: `/${parts.map((part) => part.text).join("/")}${verb}`,
    shape: `/${parts.map((part) => part.shape).join("/")}${verb}`,
    parameters,
  };
}

function nameParameter(
  { variables, segments }: PathTemplate,
  variable: number,
  at: number,
  before: readonly PathParameter[],
): PathParameter {
  const isMany = segments[at]?.kind === "many";
  const found = variables[variable];
  if (found === undefined) return { name: uniqueName("segment", before), variable: undefined, isMany, isWhole: false };
  const isWhole = found.end - found.start === 1;
  return { name: uniqueName(found.fieldPath, before), variable, isMany, isWhole };
}

function uniqueName(name: string, before: readonly PathParameter[]): string {
  const isTaken = (one: string): boolean => before.some((other) => other.name === one);
  if (!isTaken(name)) return name;
  let number = 1;
  while (isTaken(`${name}_${number}`)) number++;
  return `${name}_${number}`;
}
