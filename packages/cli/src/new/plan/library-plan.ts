import type { ServiceNames } from "./service-names.ts";

/** A package with a contract, its code and a client, for programs that call the service. */
export interface LibraryPlan {
  readonly type: "library";
  readonly names: ServiceNames;
  /** The version of this program and of Tercel's packages. */
  readonly version: string;
}

/** Where a workspace keeps its libraries. */
export const librariesFolder = "packages";

/** The command line that makes the same library. */
export function equalLibraryCommand({ names }: LibraryPlan): string {
  return `tercel new ${names.service} --type=library`;
}
