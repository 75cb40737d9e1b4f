import type { ServicePlan } from "../plan/service-plan.ts";
import { joinLines } from "../render/join-lines.ts";

/** Returns `src/service.ts`: the definition of the service. */
export function definitionFile({ names, with: { database, cache, events, auth } }: ServicePlan): string {
  const { service, snake, camel, pascal, pluralPascal, pluralKebab } = names;
  const has = {
    database: database !== "none",
    cache: cache !== "none",
    events: events !== "none",
    auth: auth !== "none",
  };
  const needs = [
    has.database && '    db: database({ migrations: new URL("../migrations/", import.meta.url) }),',
    has.cache && `    cached${pluralPascal}: cache(${pascal}Schema),`,
    has.events && "    events: events(),",
  ].filter((need) => need !== false);
  const parts = [
    has.database && "db",
    has.cache && `cached${pluralPascal}`,
    has.events && "events",
    has.events && "log",
  ].filter((part) => part !== false);
  const imported = [has.cache && "cache", has.database && "database", "defineService", has.events && "events"].filter(
    (name) => name !== false,
  );
  const generated = [has.events && `${pascal}CreatedSchema`, has.cache && `${pascal}Schema`, `${pascal}Service`].filter(
    (name) => name !== false,
  );
  const own = [
    ...(has.auth ? [["access", "access"] as const] : []),
    [pluralKebab, `create${pluralPascal}`] as const,
    ["store", `create${pascal}Store`] as const,
  ];
  const storeParts = has.database ? "db" : has.events ? "events" : "";
  return joinLines(
    `import { ${imported.join(", ")} } from "@tercel/service";`,
    `import { ${generated.join(", ")} } from "../gen/${snake}/v1/${snake}_pb.ts";`,
    ...own.sort().map(([file, name]) => `import { ${name} } from "./${file}.ts";`),
    "",
    "/** The service: what it needs, and the handlers of its calls and events. Its configuration is in config/. */",
    `export const ${camel}Service = defineService({`,
    needs.length > 0 && `  needs: {\n${needs.join("\n")}\n  },`,
    has.auth && "  access,",
    `  routes(router${parts.length > 0 ? `, { ${parts.join(", ")} }` : ""}) {`,
    `    const store = create${pascal}Store(${storeParts});`,
    `    router.service(${pascal}Service, create${pluralPascal}(store${has.cache ? `, cached${pluralPascal}` : ""}));`,
    has.events &&
      `
    // React to a new ${names.words} here, for example by sending a mail. Each event takes effect once, in one process of the group.
    events.subscribe(${pascal}CreatedSchema, { group: "${service}" }, ({ ${camel} }) => {
      log.info("${names.words} created", { id: ${camel}?.id });
    });`,
    "  },",
    "});",
  );
}
