import { relative, resolve } from "node:path";
import type { CommandContext } from "../frame/context.ts";
import { usageFailure } from "../frame/failure.ts";
import { ownVersion } from "../version.ts";
import { callingManager } from "./calling-manager.ts";
import type { NewOptions } from "./new-options.ts";
import { createRepository, installPackages } from "./project-programs.ts";
import { renderProject } from "./render-project.ts";
import { concerns } from "./service-plan.ts";
import { checkWorkspaceName } from "./workspace-plan.ts";
import { requireEmpty, writeProject } from "./write-project.ts";

/** `tercel new --workspace`: a repository for several services, which are made in it one by one. */
export async function newWorkspace(name: string, options: NewOptions, context: CommandContext): Promise<void> {
  refuseServiceOptions(options);
  checkWorkspaceName(name);
  const folder = resolve(context.cwd, options.dir ?? name);
  const shown = relative(context.cwd, folder) || ".";
  requireEmpty(folder, shown);
  const manager = options.pm ?? callingManager(context);
  const files = renderProject({ type: "workspace", name, manager, version: ownVersion() });
  if (options.dryRun === true) {
    for (const path of files.keys()) await context.stdout.line(path);
    return;
  }
  writeProject(folder, files);
  const { stderr } = context;
  await stderr.line(`created ${shown}: ${files.size} files`);
  if (options.git) await createRepository(folder, context);
  if (options.install) await installPackages(manager, folder, context);
  const steps = [
    ...(shown === "." ? [] : [`cd ${shown}`]),
    ...(options.install ? [] : [`${manager} install`]),
    "npx tercel new user-service",
    `${manager} run dev`,
  ];
  await stderr.write(`next:\n${steps.map((step) => `  ${step}\n`).join("")}`);
}

/** A workspace has services, and they have databases and ports. */
function refuseServiceOptions(options: NewOptions): void {
  const given = [
    ...concerns
      .filter(
        (concern) => options[`with${concern[0]?.toUpperCase()}${concern.slice(1)}` as keyof NewOptions] !== undefined,
      )
      .map((concern) => `--with-${concern}`),
    ...(options.gateway === true ? ["--gateway"] : []),
    ...(options.port === undefined ? [] : ["--port"]),
  ];
  const [first] = given;
  if (first === undefined) return;
  throw usageFailure(
    `${first} is for a service, and --workspace makes a repository for several`,
    "make the workspace, then the service in it",
  );
}
