import { librariesFolder } from "../plan/library-plan.ts";
import { versionOf } from "../plan/package-versions.ts";
import { type PackageManager, servicesFolder, type WorkspacePlan } from "../plan/workspace-plan.ts";
import { joinLines } from "./join-lines.ts";

/** The files of a workspace that Tercel manages. */
export function renderManagedWorkspace(plan: WorkspacePlan): ReadonlyMap<string, string> {
  const files = new Map([["package.json", workspaceManifest(plan)]]);
  // The only one that does not read the workspaces of package.json.
  if (plan.manager === "pnpm")
    files.set("pnpm-workspace.yaml", joinLines("packages:", `  - ${servicesFolder}/*`, `  - ${librariesFolder}/*`));
  return files;
}

/** The files of a workspace that are written once. */
export function renderOwnedWorkspace(plan: WorkspacePlan): ReadonlyMap<string, string> {
  return new Map([
    [".gitignore", joinLines("node_modules/", ".tercel/", ".env")],
    ["AGENTS.md", agentsFile(plan)],
    ["README.md", readmeFile(plan)],
  ]);
}

/** How a script of every service is run. */
function runEverywhere(manager: PackageManager, script: string): string {
  switch (manager) {
    case "npm":
      return `npm run ${script} --workspaces --if-present`;
    case "pnpm":
      return `pnpm --recursive run ${script}`;
    case "yarn":
      return `yarn workspaces foreach --all run ${script}`;
    case "bun":
      return `bun --filter '*' run ${script}`;
  }
}

function workspaceManifest({ name, manager, version }: WorkspacePlan): string {
  const everywhere = ["test", "check", "generate", "lint"].map((script) => [script, runEverywhere(manager, script)]);
  const manifest = {
    name,
    private: true,
    type: "module",
    engines: { node: ">=22.18" },
    workspaces: [`${servicesFolder}/*`, `${librariesFolder}/*`],
    scripts: { dev: "tercel dev", ...Object.fromEntries(everywhere) },
    devDependencies: { "@bufbuild/buf": versionOf("@bufbuild/buf"), tercel: `^${version}` },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

function readmeFile({ name, manager }: WorkspacePlan): string {
  return joinLines(
    `# ${name}`,
    "",
    "Services that call each other, made with Tercel.",
    "",
    "```sh",
    `${manager} install`,
    "npx tercel new user-service     # in services/, with a port of its own",
    `${manager} run dev                     # all of them, with a registry`,
    `${manager} run test`,
    "```",
    "",
    "A contract that several of them need is a library: `npx tercel new stock-client --type=library` makes one in `packages/`.",
    "",
    "Each service in `services/` has its own contract, configuration and README. One that calls another names it under `dependencies` in its",
    "configuration, and finds it by the registry that `tercel dev` hosts.",
  );
}

function agentsFile({ name, manager }: WorkspacePlan): string {
  return joinLines(
    `# How to work on ${name}`,
    "",
    "Each service is in a folder of its own below `services/`, with an `AGENTS.md` that says how to work on it. Run after each change:",
    "",
    "```sh",
    `${manager} run check    # types, in every service`,
    `${manager} run test`,
    `${manager} run lint     # the .proto files`,
    "```",
    "",
    "- A new service: `npx tercel new order-service`, here. It gets the next port.",
    "- A service calls another by its contract and its name, never by importing its code.",
    "- All services have the same version of Tercel's packages: `npx tercel upgrade` in each of them, and here.",
  );
}
