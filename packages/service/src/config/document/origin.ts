/** The source of a value. */
export type Origin =
  | {
      readonly kind: "file";
      /** Path to show in messages: relative if the file is in the working directory. */
      readonly file: string;
      readonly line: number;
      readonly column: number;
      /** Sources of the value's placeholders: `variable DATABASE_URL`, `file /run/secrets/x`. */
      readonly filledFrom?: readonly string[];
    }
  | { readonly kind: "variable"; readonly name: string; readonly filledFrom?: readonly string[] }
  | { readonly kind: "argument"; readonly text: string; readonly filledFrom?: readonly string[] }
  /** Passed by the program. */
  | { readonly kind: "code"; readonly filledFrom?: readonly string[] }
  /** Not set anywhere. */
  | { readonly kind: "default"; readonly filledFrom?: readonly string[] };

/** Formats the location for a message: `config.yaml:5:9`, `variable TERCEL__SERVICE__PORT`, `--set service.port`. */
export function placeOf(origin: Origin): string {
  switch (origin.kind) {
    case "file":
      return `${origin.file}:${origin.line}:${origin.column}`;
    case "variable":
      return `variable ${origin.name}`;
    case "argument":
      return `--set ${origin.text}`;
    case "code":
      return "config in code";
    case "default":
      return "default";
  }
}

/** Formats the location and the sources of placeholders: `config.yaml:69:12 (variable DATABASE_URL)`. */
export function describeOrigin(origin: Origin): string {
  const place = placeOf(origin);
  return origin.filledFrom === undefined ? place : `${place} (${origin.filledFrom.join(", ")})`;
}

const kindOrder = ["default", "file", "code", "variable", "argument"];

/** Orders locations: files in reading order, top to bottom, then the others. */
export function compareOrigins(a: Origin, b: Origin, fileOrder: readonly string[]): number {
  if (a.kind !== "file" || b.kind !== "file") return kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind);
  return fileOrder.indexOf(a.file) - fileOrder.indexOf(b.file) || a.line - b.line || a.column - b.column;
}
