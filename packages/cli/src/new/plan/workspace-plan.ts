import { exitCodes } from "../../frame/exit-codes.ts";
import { CommandFailure } from "../../frame/failure.ts";

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
  if (name.split("-").every((word) => /^[a-z][a-z0-9]*$/.test(word)) && name.length <= 63) return name;
  throw new CommandFailure(
    exitCodes.usage,
    `invalid name ${JSON.stringify(name)}: expected lower-case words with dashes, at most 63 characters`,
  );
}
