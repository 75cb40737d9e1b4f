// The table of floors, layers.json: which files are on which floor, and who may use what is reserved. The list `floors` begins at the
// ground; patterns in a list of their own share a floor. To give a folder a floor, put its pattern between two others.
//
// Patterns name files by folder. The last segment is `*` (the files of that folder itself), `**` (the folders below it
// as well) or, in what is reserved, the name of one file; a segment in brackets such as `[feature]` matches any one folder, and every folder
// it matches is a row of its own, so neighbours may not import each other.

export interface LayerRow {
  readonly files: string;
  /** The place in the list, from 0: an import leads from a higher floor to a lower one, or stays in the row. */
  readonly floor: number;
  /** Never published: devDependencies, the packages of this workspace and what those depend on count as declared. */
  readonly isDevelopmentOnly: boolean;
  /** Published as a bundle that holds what it imports: devDependencies count as declared. */
  readonly isBundled: boolean;
  /** May import files of packages that no entry point shows: what is fuzzed are the parts, not the whole. */
  readonly isInsider: boolean;
}

export interface ReservedModule {
  /** A builtin such as `node:net`, or a package with all its entry points. */
  readonly module: string;
  readonly within: string;
  /** The files inside `within` that may import the module. Test files may always. */
  readonly only: readonly string[];
}

export interface ReservedWord {
  /** Compared without regard to case. */
  readonly word: string;
  readonly notIn: string;
}

export interface LayerTable {
  readonly rows: readonly LayerRow[];
  readonly reservedModules: readonly ReservedModule[];
  readonly reservedWords: readonly ReservedWord[];
}

/** The row of a file, with the folder that the pattern matched: two files share a floor's room if both agree. */
export interface Place {
  readonly row: LayerRow;
  readonly folder: string;
}

/** Reads layers.json; throws an error that names the first mistake. */
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

/** The place of a file, by the pattern that names the most folders; undefined when no row names it. */
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

/** The deeper pattern counts more; among equally deep ones one folder, then fewer brackets. */
function precision(pattern: string): number {
  return (pattern.split("/").length * 2 + (pattern.endsWith("**") ? 0 : 1)) * 100 - pattern.split("[").length;
}

/** The folder in which a pattern matches a file (the file itself where it names one); undefined when it does not. */
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

/** A row is never a single file: what belongs to another floor belongs in another folder. */
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
