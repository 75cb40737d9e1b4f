import { exitCodes } from "../../frame/exit-codes.ts";
import { CommandFailure } from "../../frame/failure.ts";

export const packageManagers = ["npm", "pnpm", "yarn", "bun"] as const;
export type PackageManager = (typeof packageManagers)[number];

/** Several services in one repository, which install their packages together. */
export interface WorkspacePlan {
  readonly type: "workspace";
  readonly name: string;
  readonly manager: PackageManager;
  /** The version of this program and of Tercel's packages. */
  readonly version: string;
}

/** Where a workspace keeps its services. */
export const servicesFolder = "services";

/** @throws CommandFailure for a name that no package and no folder can have */
export function checkWorkspaceName(name: string): string {
  if (name.split("-").every((word) => /^[a-z][a-z0-9]*$/.test(word)) && name.length <= 63) return name;
  throw new CommandFailure(
    exitCodes.usage,
    `invalid name ${JSON.stringify(name)}: write lower-case words with dashes between, 63 characters at most`,
  );
}
