import type { CommandContext } from "../frame/context.ts";
import { ownVersion } from "../version.ts";
import { findPlace, makeProject, printNextSteps } from "./make-project.ts";
import type { NewOptions } from "./new-options.ts";
import { equalLibraryCommand, type LibraryPlan, librariesFolder } from "./plan/library-plan.ts";
import { libraryEndings, serviceNames } from "./plan/service-names.ts";
import { refuseServiceOptions } from "./refuse-service-options.ts";

/** `tercel new --type=library`: creates a package with a contract, its code and a client. */
export async function newLibrary(name: string, options: NewOptions, context: CommandContext): Promise<void> {
  refuseServiceOptions(options, "--type=library creates a client package");
  const plan: LibraryPlan = { type: "library", names: serviceNames(name, libraryEndings), version: ownVersion() };
  const place = findPlace(name, librariesFolder, options, context);
  const made = await makeProject(plan, place, equalLibraryCommand(plan), options, context);
  if (made !== undefined) await printNextSteps(made, [`${made.manager} run test`], context);
}
