import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runBuf } from "../buf/run-buf.ts";
import type { CommandContext } from "../frame/context.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { generate } from "../generate/generate.ts";
import { isNodeSupported, oldestNode } from "../node-version.ts";
import type { Finding } from "./finding.ts";

/** Packages that must be installed once: two copies would not recognize each other's messages and errors. */
const sharedPackages = ["@bufbuild/protobuf", "@connectrpc/connect"];

export function checkNode(version: string): Finding {
  return isNodeSupported(version)
    ? { check: "node", outcome: "ok", text: version }
    : {
        check: "node",
        outcome: "failure",
        text: `${version} is older than ${oldestNode}`,
        fix: `install Node ${oldestNode} or newer`,
      };
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Checks the packages that the project in a folder lists and has installed. */
export function checkPackages(folder: string): Finding[] {
  const manifest = readManifest(join(folder, "package.json"));
  if (manifest === undefined) {
    return [
      {
        check: "package.json",
        outcome: "warning",
        text: "not a project: no package.json",
        fix: "run tercel doctor in the folder of a service",
      },
    ];
  }
  const findings: Finding[] = [
    manifest.type === "module"
      ? { check: "package.json", outcome: "ok", text: manifest.name ?? "a project without a name" }
      : {
          check: "package.json",
          outcome: "failure",
          text: '"type" is not "module", which Tercel requires',
          fix: "npm pkg set type=module",
        },
  ];
  const named = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) =>
    name.startsWith("@tercel/"),
  );
  const versions = new Map(named.map((name) => [name, installedManifest(folder, name)?.version]));
  const missing = named.filter((name) => versions.get(name) === undefined);
  const distinct = new Set([...versions.values()].filter((version) => version !== undefined));
  if (missing.length > 0) {
    findings.push({
      check: "packages",
      outcome: "failure",
      text: `not installed: ${missing.join(", ")}`,
      fix: "npm install",
    });
  } else if (distinct.size > 1) {
    const list = [...versions].map(([name, version]) => `${name} ${version}`).join(", ");
    findings.push({
      check: "packages",
      outcome: "failure",
      text: `different versions: ${list}`,
      fix: "use the same version of all @tercel packages",
    });
  } else if (named.length > 0) {
    findings.push({ check: "packages", outcome: "ok", text: `${named.join(", ")} ${[...distinct][0]}` });
  }
  findings.push(...checkCopies(folder, named));
  return findings;
}

/** Finds packages that the project and a Tercel package would load from two folders. */
function checkCopies(folder: string, named: readonly string[]): Finding[] {
  return sharedPackages.flatMap((name): Finding[] => {
    const own = packageFolder(folder, name);
    if (own === undefined) return [];
    for (const user of named) {
      const userFolder = packageFolder(folder, user);
      const other = userFolder === undefined ? undefined : packageFolder(userFolder, name);
      if (other === undefined || other === own) continue;
      return [
        {
          check: name,
          outcome: "failure",
          text: `installed twice: in ${own} and, for ${user}, in ${other}`,
          fix: "npm dedupe",
        },
      ];
    }
    return [];
  });
}

function installedManifest(folder: string, name: string): Manifest | undefined {
  const found = packageFolder(folder, name);
  return found === undefined ? undefined : readManifest(join(found, "package.json"));
}

/** Returns the folder in which Node finds a package; its exports need not include package.json. */
function packageFolder(folder: string, name: string): string | undefined {
  const places = createRequire(join(folder, "package.json")).resolve.paths(name) ?? [];
  const found = places.map((place) => join(place, name)).find((place) => existsSync(join(place, "package.json")));
  return found === undefined ? undefined : realpathSync(found);
}

function readManifest(file: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** Checks buf, the .proto files and the generated code. */
export async function checkProtos(folder: string, isFixed: boolean, context: CommandContext): Promise<Finding[]> {
  if (!existsSync(join(folder, "buf.yaml")) && !existsSync(join(folder, "buf.gen.yaml"))) return [];
  const findings: Finding[] = [];
  try {
    const { stdout } = await runBuf(["--version"], folder, context);
    findings.push({ check: "buf", outcome: "ok", text: stdout.toString("utf8").trim() });
    await generate(folder, { check: !isFixed }, context);
    findings.push({ check: "generated code", outcome: "ok", text: isFixed ? "generated" : "up to date" });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const check = findings.length === 0 ? "buf" : error.exitCode === exitCodes.stale ? "generated code" : "protos";
    const fix = error.exitCode === exitCodes.stale ? "tercel doctor --fix, or tercel generate" : error.hint;
    const text = [error.message, ...error.lines].join("; ");
    findings.push({ check, outcome: "failure", text, ...(fix !== undefined && { fix }) });
  }
  return findings;
}

/** Returns the folder of the project: the nearest one with a package.json. */
export function projectFolder(from: string): string {
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
    if (dirname(at) === at) return from;
  }
}
