import { createRequire } from "node:module";
import { join } from "node:path";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";

/** What `@tercel/service/database` exports. */
export type DatabaseKit = typeof import("@tercel/service/database");

const entryPoint = "@tercel/service/database";

/**
 * Loads the service kit that the project has installed: it migrates as the service does, and finds the project's drivers, such as pg, which
 * are not part of this program.
 *
 * @throws CommandFailure when the project has not installed the kit
 */
export function loadProjectKit(folder: string): DatabaseKit {
  const require = createRequire(join(folder, "package.json"));
  try {
    require.resolve(entryPoint);
  } catch (error) {
    throw new CommandFailure(exitCodes.failed, "@tercel/service is not installed here; it opens the database", {
      hint: "run npm install, and this command in the folder of a service",
      cause: error,
    });
  }
  return require(entryPoint) as DatabaseKit;
}
