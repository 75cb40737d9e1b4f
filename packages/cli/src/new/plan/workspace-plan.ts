import { usageFailure } from "../../frame/failure.ts";
import { describeInvalidName } from "./project-name.ts";

export const packageManagers = ["npm", "pnpm", "yarn", "bun"] as const;
export type PackageManager = (typeof packageManagers)[number];

/** A repository of several services, whose packages are installed together. */
export interface WorkspacePlan {
  readonly type: "workspace";
  readonly name: string;
  readonly manager: PackageManager;
  /** The version of this program and of Tercel's packages. */
  readonly version: string;
}

/** The folder of services in a workspace. */
export const servicesFolder = "services";

/** Validates a workspace name. @throws CommandFailure for a name that is not a valid package and folder name */
export function checkWorkspaceName(name: string): string {
  const problem = describeInvalidName(name);
  if (problem !== undefined) throw usageFailure(problem);
  return name;
}
