import type { Choices, Concern } from "./plan/service-plan.ts";
import type { PackageManager } from "./plan/workspace-plan.ts";

/** The options of the command line, as commander names them. */
export type NewOptions = { readonly [C in Concern as `with${Capitalize<C>}`]?: Choices[C] } & {
  readonly type: "grpc" | "library";
  readonly dir?: string;
  readonly gateway?: boolean;
  readonly workspace?: boolean;
  readonly port?: string;
  readonly pm?: PackageManager;
  readonly install: boolean;
  readonly git: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
};
