import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nearestName } from "@tercel/grpc/internal";
import { suggest, withSuggestion } from "../frame/suggestion.ts";
import { protoFilesIn } from "./proto-imports.ts";
import { shippedProtos } from "./shipped-protos.ts";

/** A problem that buf found, with its location. */
export interface ProtoProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** The rule of lint or breaking; `COMPILE` for an invalid .proto file. */
  readonly rule: string;
  readonly message: string;
}

/** Parses the output of `--error-format json`. Other lines are a failure of buf itself and are returned as `rest`. */
export function parseProblems(output: string): { readonly problems: ProtoProblem[]; readonly rest: string } {
  const problems: ProtoProblem[] = [];
  const rest: string[] = [];
  for (const line of output.split("\n")) {
    if (line.trim() === "") continue;
    const parsed = parseLine(line);
    if (parsed === undefined) rest.push(line);
    else problems.push(parsed);
  }
  return { problems, rest: rest.join("\n") };
}

function parseLine(line: string): ProtoProblem | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const found = JSON.parse(line) as Record<string, unknown>;
    return {
      path: String(found.path ?? ""),
      line: Number(found.start_line ?? 1),
      column: Number(found.start_column ?? 1),
      rule: String(found.type ?? ""),
      message: String(found.message ?? ""),
    };
  } catch {
    return undefined;
  }
}

/** Returns `proto/hello/v1/hello.proto:7:16: cannot find SayHelloReqest; did you mean SayHelloRequest?` */
export function formatProblem(problem: ProtoProblem, moduleFolders: readonly string[], source: string): string {
  const { path, line, column, rule, message } = problem;
  const isCompile = rule === "COMPILE" || rule === "";
  const nearest = isCompile ? nearestFor(problem, moduleFolders, source) : undefined;
  return `${path}:${line}:${column}: ${withSuggestion(message, suggest(nearest))}${isCompile ? "" : ` (${rule})`}`;
}

/** Returns the import or type that was probably meant. */
function nearestFor(
  { line, message }: ProtoProblem,
  moduleFolders: readonly string[],
  source: string,
): string | undefined {
  if (/imported file does not exist/.test(message)) {
    const imported = /"([^"]+)"/.exec(source.split("\n")[line - 1] ?? "")?.[1];
    const known = [...moduleFolders.flatMap(protoFilesIn), ...shippedProtos().keys()];
    return imported === undefined ? undefined : nearestName(imported, known);
  }
  const missing = /cannot find `([^`]+)`/.exec(message)?.[1];
  if (missing === undefined) return undefined;
  return nearestName(missing.slice(missing.lastIndexOf(".") + 1), declaredTypes(moduleFolders));
}

function declaredTypes(moduleFolders: readonly string[]): string[] {
  return moduleFolders.flatMap((folder) =>
    protoFilesIn(folder).flatMap((file) =>
      [...readFileSync(join(folder, file), "utf8").matchAll(/^\s*(?:message|enum)\s+(\w+)/gm)].map(
        ([, name = ""]) => name,
      ),
    ),
  );
}
