// What a service needs, before it runs: what it consists of is loaded by runService and the like, with little memory.

export { default as sql } from "sql-template-tag";
export type { Cache, CacheOptions } from "./cache/cache.ts";
export { type CacheNeedOptions, cache } from "./cache/cache-need.ts";
export { type ClientNeed, client, type ServiceClients } from "./client.ts";
export { ConfigError } from "./config/config-problem.ts";
export type { ServiceConfig } from "./config/index.ts";
export type { Database, Queries, Transaction } from "./database/database.ts";
export { UniqueViolation } from "./database/database-errors.ts";
export { type DatabaseNeedOptions, database } from "./database/database-need.ts";
export type { EventHandler, HandledEvent } from "./events/consume/subscription.ts";
export type { Events } from "./events/events.ts";
export { events } from "./events/events-need.ts";
export {
  type AccessRules,
  type Definition,
  defineService,
  type Kit,
  type Needs,
  type OwnInterceptors,
  type Parts,
} from "./kit/definition/definition.ts";
export type { Routes } from "./kit/definition/normalize-definition.ts";
export type { OwnGatewayOptions } from "./kit/definition/own-gateway-options.ts";
export { runService } from "./kit/run/run-service.ts";
export { runServices } from "./kit/run/run-services.ts";
export type { RunningService, StartOptions } from "./kit/run/running-service.ts";
export type { ServiceToRun } from "./kit/run/service-to-run.ts";
export { startService } from "./kit/run/start-service.ts";
export type { OnReloaded, ReloadedConfig } from "./kit/run-config/reloaded-config.ts";
