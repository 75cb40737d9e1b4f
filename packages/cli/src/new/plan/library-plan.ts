import type { ServiceNames } from "./service-names.ts";

/** A package with a contract, its code and a client, for programs that call the service. */
export interface LibraryPlan {
  readonly type: "library";
  readonly names: ServiceNames;
  /** The version of this program and of Tercel's packages. */
  readonly version: string;
}

/** The folder of libraries in a workspace. */
export const librariesFolder = "packages";

/** Returns the command line that creates the same library. */
export function equalLibraryCommand({ names }: LibraryPlan): string {
  return `tercel new ${names.service} --type=library`;
}
