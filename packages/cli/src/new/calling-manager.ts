import type { CommandContext } from "../frame/context.ts";
import { type PackageManager, packageManagers } from "./plan/workspace-plan.ts";

/** Returns the package manager that started this program, else npm. */
export function callingManager({ env }: Pick<CommandContext, "env">): PackageManager {
  const agent = env.npm_config_user_agent ?? "";
  return packageManagers.find((name) => agent.startsWith(`${name}/`)) ?? "npm";
}
