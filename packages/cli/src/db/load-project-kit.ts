import { createRequire } from "node:module";
import { join } from "node:path";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/** What `@tercel/service/database` exports. */
export type DatabaseKit = typeof import("@tercel/service/database");

const entryPoint = "@tercel/service/database";

/**
 * Loads the service kit that the project itself has installed: its migrations are those that the service runs, and it finds the drivers of the
 * project, such as pg, which are not part of this program.
 *
 * @throws CommandFailure when the project has no kit
 */
export function loadProjectKit(folder: string): DatabaseKit {
  const require = createRequire(join(folder, "package.json"));
  try {
    require.resolve(entryPoint);
  } catch (error) {
    throw new CommandFailure(exitCodes.failed, "@tercel/service, which knows the databases, is not installed here", {
      hint: "run it in the folder of a service, after npm install",
      cause: error,
    });
  }
  return require(entryPoint) as DatabaseKit;
}
