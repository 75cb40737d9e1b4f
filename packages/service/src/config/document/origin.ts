/** Where a value comes from. */
export type Origin =
  | {
      readonly kind: "file";
      /** As messages show it: relative to the working directory where the file is in it. */
      readonly file: string;
      readonly line: number;
      readonly column: number;
      /** What filled the placeholders of the value: `variable DATABASE_URL`, `file /run/secrets/x`. */
      readonly filledFrom?: readonly string[];
    }
  | { readonly kind: "variable"; readonly name: string; readonly filledFrom?: readonly string[] }
  | { readonly kind: "argument"; readonly text: string; readonly filledFrom?: readonly string[] }
  /** Passed by the program. */
  | { readonly kind: "code"; readonly filledFrom?: readonly string[] }
  /** No one has set it. */
  | { readonly kind: "default"; readonly filledFrom?: readonly string[] };

/** The place that begins a message: `config.yaml:5:9`, `variable TERCEL__SERVICE__PORT`, `--set service.port`. */
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

/** The place and what filled it: `config.yaml:69:12 (variable DATABASE_URL)`. */
export function describeOrigin(origin: Origin): string {
  const place = placeOf(origin);
  return origin.filledFrom === undefined ? place : `${place} (${origin.filledFrom.join(", ")})`;
}

const kindOrder = ["default", "file", "code", "variable", "argument"];

/** Orders places as people look for them: files in the order in which they were read, top to bottom, then the others. */
export function compareOrigins(a: Origin, b: Origin, fileOrder: readonly string[]): number {
  if (a.kind !== "file" || b.kind !== "file") return kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind);
  return fileOrder.indexOf(a.file) - fileOrder.indexOf(b.file) || a.line - b.line || a.column - b.column;
}
