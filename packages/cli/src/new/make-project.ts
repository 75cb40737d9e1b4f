import { join, relative, resolve } from "node:path";
import { hasBuf } from "../buf/run-buf.ts";
import type { CommandContext } from "../frame/context.ts";
import { generate } from "../generate/generate.ts";
import { callingManager } from "./calling-manager.ts";
import type { NewOptions } from "./new-options.ts";
import type { ProjectPlan } from "./plan/project-plan.ts";
import type { PackageManager } from "./plan/workspace-plan.ts";
import { createRepository, installPackages } from "./project-programs.ts";
import { readWorkspace } from "./read-workspace.ts";
import { renderProject } from "./render/render-project.ts";
import { requireEmpty, writeProject } from "./write-project.ts";

/** The location of a new project. */
export interface ProjectPlace {
  /** Absolute. */
  readonly folder: string;
  /** The folder relative to the working folder. */
  readonly shown: string;
  readonly manager: PackageManager;
  /** Folder in which packages are installed: a workspace installs those of all its projects together. */
  readonly installFolder: string;
}

/**
 * Finds the location of a project: the folder of `--dir`, else in the workspace in the working folder, else below the working folder.
 *
 * @param part subfolder of a workspace for projects of this kind
 * @throws CommandFailure when the folder is not empty
 */
export function findPlace(name: string, part: string, options: NewOptions, context: CommandContext): ProjectPlace {
  const { cwd } = context;
  const workspace = readWorkspace(cwd);
  const folder = resolve(cwd, options.dir ?? (workspace === undefined ? name : join(part, name)));
  const shown = relative(cwd, folder) || ".";
  requireEmpty(folder, shown);
  return {
    folder,
    shown,
    manager: options.pm ?? workspace?.manager ?? callingManager(context),
    installFolder: workspace === undefined ? folder : cwd,
  };
}

/** A created project. */
export interface MadeProject extends ProjectPlace {
  readonly isInstalled: boolean;
  readonly isGenerated: boolean;
}

/**
 * Writes a project, creates its repository, installs its packages and generates its code, unless the options forbid it. Returns undefined with
 * `--dry-run`, which lists the files.
 *
 * @param equalCommand command line that creates the same project
 */
export async function makeProject(
  plan: ProjectPlan,
  place: ProjectPlace,
  equalCommand: string,
  options: NewOptions,
  context: CommandContext,
): Promise<MadeProject | undefined> {
  const { folder, shown, manager, installFolder } = place;
  const files = renderProject(plan);
  if (options.dryRun === true) {
    for (const path of files.keys()) await context.stdout.line(path);
    return undefined;
  }
  writeProject(folder, files);
  await context.stderr.line(`created ${shown}: ${files.size} files`);
  await context.stderr.line(`equivalent command: ${equalCommand}`);
  // Before the packages are installed: their scripts may look for the repository.
  if (options.git) await createRepository(folder, context);
  if (options.install) await installPackages(manager, installFolder, context);
  const isGenerated = plan.type !== "workspace" && hasBuf(folder, context);
  if (isGenerated) await generate(folder, {}, context);
  return { ...place, isInstalled: options.install, isGenerated };
}

/** Prints the next steps: the common ones, then those of the project. */
export async function printNextSteps(
  made: MadeProject,
  own: readonly string[],
  context: CommandContext,
): Promise<void> {
  const { shown, manager, isInstalled, isGenerated } = made;
  const steps = [
    ...(shown === "." ? [] : [`cd ${shown}`]),
    ...(isInstalled ? [] : [`${manager} install`]),
    ...(isGenerated ? [] : [`${manager} run generate`]),
    ...own,
  ];
  await context.stderr.write(`next:\n${steps.map((step) => `  ${step}\n`).join("")}`);
}
