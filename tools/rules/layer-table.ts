// The table of layers, layers.json: the layer of each file, and who may use reserved modules. The list `floors` begins at the
// bottom. Patterns in a nested list share a layer. To add a folder, insert its pattern between two others.
//
// Patterns name files by folder. The last segment is `*` (the files of that folder itself), `**` (the folders below it
// as well) or, for reserved modules, the name of a file. A segment in brackets such as `[feature]` matches any one folder. Every folder
// that it matches is a separate row, so neighbours may not import each other.

export interface LayerRow {
  readonly files: string;
  /** The index in the list. An import leads from a higher layer to a lower one, or stays in the row. */
  readonly floor: number;
  /** Never published. devDependencies, the packages of this workspace and their dependencies count as declared. */
  readonly isDevelopmentOnly: boolean;
  /** Published as a bundle that contains its imports. devDependencies count as declared. */
  readonly isBundled: boolean;
  /** May import files of packages that no entry point exports, because parts are fuzzed. */
  readonly isInsider: boolean;
}

export interface ReservedModule {
  /** A builtin such as `node:net`, or a package with all its entry points. */
  readonly module: string;
  readonly within: string;
  /** The files that may import the module. Test files always may. */
  readonly only: readonly string[];
}

export interface ReservedWord {
  /** Case-insensitive. */
  readonly word: string;
  readonly notIn: string;
}

export interface LayerTable {
  readonly rows: readonly LayerRow[];
  readonly reservedModules: readonly ReservedModule[];
  readonly reservedWords: readonly ReservedWord[];
}

/** The row of a file, and the folder that the pattern matched. Two files may import each other if both are equal. */
export interface Place {
  readonly row: LayerRow;
  readonly folder: string;
}

/** Parses layers.json. Throws an error that names the first problem. */
export function parseLayerTable(text: string): LayerTable {
  const data = asObject(JSON.parse(text), "the table");
  const foldersIn = (name: string): readonly string[] =>
    asList(data[name] ?? [], name).map((item, index) => asFolders(item, `${name}[${index}]`));
  const developmentOnly = foldersIn("developmentOnly");
  const bundled = foldersIn("bundled");
  const insiders = foldersIn("insiders");
  const isIn = (patterns: readonly string[], files: string): boolean =>
    patterns.some((pattern) => matchedFolder(pattern, files) !== undefined);
  const rows = asList(data.floors, "floors").flatMap((item, floor): LayerRow[] =>
    (Array.isArray(item) ? item : [item]).map((one) => {
      const files = asFolders(one, `floors[${floor}]`);
      return {
        files,
        floor,
        isDevelopmentOnly: isIn(developmentOnly, files),
        isBundled: isIn(bundled, files),
        isInsider: isIn(insiders, files),
      };
    }),
  );
  const twice = rows.find(({ files }, index) => rows.findIndex((row) => row.files === files) !== index);
  if (twice !== undefined) throw new Error(`layers.json: ${twice.files} has two floors`);
  return {
    rows,
    reservedModules: asList(data.reservedModules ?? [], "reservedModules").map((item, index) => {
      const name = `reservedModules[${index}]`;
      const { module, within, only } = asObject(item, name);
      return {
        module: asText(module, `${name}.module`),
        within: asPattern(within, `${name}.within`),
        only: asList(only, `${name}.only`).map((p) => asPattern(p, `${name}.only`)),
      };
    }),
    reservedWords: asList(data.reservedWords ?? [], "reservedWords").map((item, index) => {
      const { word, notIn } = asObject(item, `reservedWords[${index}]`);
      return { word: asText(word, "word").toLowerCase(), notIn: asPattern(notIn, "notIn") };
    }),
  };
}

/** Returns the place of a file, from the most specific pattern; undefined if no row matches. */
export function placeOf(table: LayerTable, file: string): Place | undefined {
  let best: Place | undefined;
  let bestScore = -1;
  for (const row of table.rows) {
    const folder = matchedFolder(row.files, file);
    const score = folder === undefined ? -1 : precision(row.files);
    if (folder !== undefined && score > bestScore) {
      best = { row, folder };
      bestScore = score;
    }
  }
  return best;
}

/** A deeper pattern is more specific; among equally deep ones, a single folder, then fewer brackets. */
function precision(pattern: string): number {
  return (pattern.split("/").length * 2 + (pattern.endsWith("**") ? 0 : 1)) * 100 - pattern.split("[").length;
}

/** Returns the folder in which a pattern matches a file, or the file if the pattern names one; undefined if it does not match. */
export function matchedFolder(pattern: string, file: string): string | undefined {
  if (!pattern.endsWith("*")) return pattern === file ? file : undefined;
  const wanted = pattern.split("/");
  const depth = wanted.pop();
  const folders = file.split("/").slice(0, -1);
  if (depth === "*" ? folders.length !== wanted.length : folders.length < wanted.length) return undefined;
  const matches = wanted.every((segment, index) => segment.startsWith("[") || segment === folders[index]);
  return matches ? folders.slice(0, wanted.length).join("/") : undefined;
}

function asObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error(`layers.json: ${name} has to be an object`);
  }
  return value as Record<string, unknown>;
}

function asList(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) throw new Error(`layers.json: ${name} has to be a list`);
  return value;
}

function asText(value: unknown, name: string): string {
  if (typeof value !== "string" || value === "") throw new Error(`layers.json: ${name} has to be a text`);
  return value;
}

/** A row is never a single file. A file of another layer belongs in another folder. */
function asFolders(value: unknown, name: string): string {
  const pattern = asText(value, name);
  if (!/\/\*\*?$/.test(pattern)) throw new Error(`layers.json: ${name}: ${pattern} has to end in /* or /**`);
  return pattern;
}

function asPattern(value: unknown, name: string): string {
  const pattern = asText(value, name);
  if (!/\/(\*\*?|[^*/]+\.[cm]?[jt]s)$/.test(pattern)) {
    throw new Error(`layers.json: ${name}: ${pattern} has to end in /*, /** or the name of a source file`);
  }
  return pattern;
}
