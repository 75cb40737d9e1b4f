import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** `src/access.ts` */
export function accessFile({ names: { snake, pascal } }: ServicePlan): string {
  return joinLines(
    'import type { AccessRules } from "@tercel/service";',
    "",
    "/** Who may call what. A method without a rule stops the start, so none is open by mistake. */",
    "export const access: AccessRules = {",
    `  "${snake}.v1.${pascal}Service/*": "authenticated",`,
    `  "${snake}.v1.${pascal}Service/Delete${pascal}": { roles: ["admin"] },`,
    "};",
  );
}
