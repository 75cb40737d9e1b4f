import type { ImportStatement, SourceFile } from "./source-file.ts";

const module = "@tercel/grpc";

/** Adds the missing imports of names from `@tercel/grpc` to a file. */
export function addImports({ text, statements, imports }: SourceFile, names: readonly string[]): string {
  const missing = names.filter((name) => !imports.has(name));
  if (missing.length === 0) return text;
  const known = statements.find((one) => one.from === module && one.names !== undefined && !one.isTypeOnly);
  if (known !== undefined) {
    return text.slice(0, known.start) + extended(text.slice(known.start, known.end), missing) + text.slice(known.end);
  }
  const added = `import { ${missing.join(", ")} } from "${module}";\n`;
  const at = statements.find(comesAfter)?.start ?? statements.at(-1)?.end ?? 0;
  return text.slice(0, at) + added + text.slice(at);
}

/** Whether an import comes after packages: Node's modules come first, then packages, then files of the project. */
function comesAfter({ from }: ImportStatement): boolean {
  if (from.startsWith("node:")) return false;
  return from.startsWith(".") || from > module;
}

/** Adds names to the braces of an import, sorted. */
function extended(statement: string, names: readonly string[]): string {
  return statement.replace(/\{([^}]*)\}/, (_, inside: string) => {
    const present = inside
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    const all = [...present, ...names].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return inside.includes("\n") ? `{\n${all.map((name) => `  ${name},\n`).join("")}}` : `{ ${all.join(", ")} }`;
  });
}

function keyOf(name: string): string {
  return name.replace(/^type\s+/, "").toLowerCase();
}
