import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `src/access.ts`. */
export function accessFile({ names: { snake, pascal } }: ServicePlan): string {
  return joinLines(
    'import type { AccessRules } from "@tercel/service";',
    "",
    "/** Access rules of all methods. The service does not start if a method has no rule, so none is open by mistake. */",
    "export const access: AccessRules = {",
    `  "${snake}.v1.${pascal}Service/*": "authenticated",`,
    `  "${snake}.v1.${pascal}Service/Delete${pascal}": { roles: ["admin"] },`,
    "};",
  );
}
