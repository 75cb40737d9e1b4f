import { joinLines } from "../join-lines.ts";
import type { ServicePlan } from "../service-plan.ts";

/** `src/main.ts` */
export function mainFile({ names: { camel } }: ServicePlan): string {
  return joinLines(
    'import { runService } from "@tercel/service";',
    `import { ${camel}Service } from "./service.ts";`,
    "",
    `await runService(${camel}Service);`,
  );
}
