// Projects of tercel new, as text and in temporary folders.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { serviceNames } from "../src/new/plan/service-names.ts";
import { type Choices, type Concern, choices, concerns, type ServicePlan } from "../src/new/plan/service-plan.ts";
import { defaultPorts } from "../src/new/plan/service-ports.ts";
import { renderProject } from "../src/new/render/render-project.ts";
import { ownVersion } from "../src/version.ts";

/** The root of this repository. */
export const root = resolve(import.meta.dirname, "../../..");

/** Every combination of the values of the flags. */
export const products: readonly Choices[] = concerns.reduce<Partial<Record<Concern, string>>[]>(
  (all, concern) => all.flatMap((some) => choices[concern].map((type) => ({ ...some, [concern]: type }))),
  [{}],
) as unknown as readonly Choices[];

/** Enough of them for what takes longer: every pair of values is among them. */
export const sample = products.filter((_, at) => at % 7 === 0);

/** A plan, as tercel new makes it where no other service is. */
export function planOf(chosen: Choices, changes: Partial<ServicePlan> = {}): ServicePlan {
  const names = serviceNames("user-service");
  return {
    type: "grpc",
    names,
    with: chosen,
    version: ownVersion(),
    hasGateway: false,
    ports: defaultPorts,
    ...changes,
  };
}

export function render(chosen: Choices, name = "user-service"): ReadonlyMap<string, string> {
  return renderProject(planOf(chosen, { names: serviceNames(name) }));
}

/** The first value of each flag, but for the changes. */
export function defaults(changes: Partial<Choices> = {}): Choices {
  const first = Object.fromEntries(concerns.map((concern) => [concern, choices[concern][0]])) as unknown as Choices;
  return { ...first, ...changes };
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tercel-new-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function writeFiles(folder: string, files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A folder whose projects find the packages of this repository. */
export function folderWithPackages(t: TestContext): string {
  const folder = temporaryFolder(t);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Runs Node in a folder, as a user would: not as a part of this test. */
export function runNode(
  args: readonly string[],
  cwd: string,
  variables: Readonly<Record<string, string>> = {},
): NodeRun {
  const inherited = Object.entries(process.env).filter(([name]) => !/^NODE_(TEST|OPTIONS|ENV)/.test(name));
  const env = { ...Object.fromEntries(inherited), ...variables };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8", env });
  return { exitCode: status, output: stdout + stderr };
}

/** Runs the type checker of a project. The packages of this repository are checked as sources with it. */
export function typeCheck(folder: string): NodeRun {
  return runNode([join(root, "node_modules/typescript/bin/tsc"), "--customConditions", "source"], folder);
}

export interface NodeRun {
  readonly exitCode: number | null;
  readonly output: string;
}
