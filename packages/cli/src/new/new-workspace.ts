import type { CommandContext } from "../frame/context.ts";
import { ownVersion } from "../version.ts";
import { findPlace, makeProject, printNextSteps } from "./make-project.ts";
import type { NewOptions } from "./new-options.ts";
import { checkWorkspaceName, type WorkspacePlan } from "./plan/workspace-plan.ts";
import { refuseServiceOptions } from "./refuse-service-options.ts";

/** `tercel new --workspace`: creates a repository, to which tercel new adds services. */
export async function newWorkspace(name: string, options: NewOptions, context: CommandContext): Promise<void> {
  refuseServiceOptions(options, "--workspace creates a repository for services");
  checkWorkspaceName(name);
  const place = findPlace(name, ".", options, context);
  const plan: WorkspacePlan = { type: "workspace", name, manager: place.manager, version: ownVersion() };
  const command = `tercel new ${name} --workspace --pm=${place.manager}`;
  const made = await makeProject(plan, place, command, options, context);
  if (made === undefined) return;
  // There is nothing to generate before the first service.
  const own = ["npx tercel new user-service", `${place.manager} run dev`];
  await printNextSteps({ ...made, isGenerated: true }, own, context);
}
