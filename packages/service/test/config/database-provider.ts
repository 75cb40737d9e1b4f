import { optional, strictObject } from "valibot";
import { type ProviderType, text, wholeNumber } from "../../src/config/index.ts";

/** A database type as a provider declares it, with the keys of the printed file. */
export const postgresType: ProviderType = {
  concern: "database",
  type: "postgres",
  aliases: ["postgresql"],
  config: strictObject({
    url: text({ secret: "url", minLength: 1, expects: "a URL that begins with postgres:" }),
    max_connections: optional(wholeNumber(1, 10_000), 10),
  }),
};
