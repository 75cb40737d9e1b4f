import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `src/main.ts`. */
export function mainFile({ names: { camel } }: ServicePlan): string {
  return joinLines(
    'import { runService } from "@tercel/service";',
    `import { ${camel}Service } from "./service.ts";`,
    "",
    `await runService(${camel}Service);`,
  );
}
