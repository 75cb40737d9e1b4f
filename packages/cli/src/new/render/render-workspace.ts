import { librariesFolder } from "../plan/library-plan.ts";
import { versionOf } from "../plan/package-versions.ts";
import { type PackageManager, servicesFolder, type WorkspacePlan } from "../plan/workspace-plan.ts";
import { joinLines } from "./join-lines.ts";

/** Renders the files of a workspace that Tercel manages. */
export function renderManagedWorkspace(plan: WorkspacePlan): ReadonlyMap<string, string> {
  const files = new Map([["package.json", workspaceManifest(plan)]]);
  // pnpm does not read the workspaces of package.json.
  if (plan.manager === "pnpm")
    files.set("pnpm-workspace.yaml", joinLines("packages:", `  - ${servicesFolder}/*`, `  - ${librariesFolder}/*`));
  return files;
}

/** Renders the files of a workspace that are written once. */
export function renderOwnedWorkspace(plan: WorkspacePlan): ReadonlyMap<string, string> {
  return new Map([
    [".gitignore", joinLines("node_modules/", ".tercel/", ".env")],
    ["AGENTS.md", agentsFile(plan)],
    ["README.md", readmeFile(plan)],
  ]);
}

/** Returns the command that runs a script in every service. */
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
    "Services that call each other, built with Tercel.",
    "",
    "```sh",
    `${manager} install`,
    "npx tercel new user-service     # in services/, with its own port",
    `${manager} run dev                     # all of them, with a registry`,
    `${manager} run test`,
    "```",
    "",
    "A contract that several services need is a library: `npx tercel new stock-client --type=library` creates one in `packages/`.",
    "",
    "Each service in `services/` has its own contract, configuration and README. A service that calls another lists it below `dependencies` in its",
    "configuration, and finds it in the registry that `tercel dev` hosts.",
  );
}

function agentsFile({ name, manager }: WorkspacePlan): string {
  return joinLines(
    `# How to work on ${name}`,
    "",
    "Each service has its own folder in `services/`, with an `AGENTS.md` that explains how to work on it. Run after each change:",
    "",
    "```sh",
    `${manager} run check    # types, in every service`,
    `${manager} run test`,
    `${manager} run lint     # the .proto files`,
    "```",
    "",
    "- To add a service, run `npx tercel new order-service` here. It gets the next port.",
    "- A service calls another one through its contract and name; it never imports its code.",
    "- All services use the same version of Tercel's packages: run `npx tercel upgrade` in each of them, and here.",
  );
}
